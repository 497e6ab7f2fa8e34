#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "../h264/parameter_set_writer.h"
#include "cope/pipeline/header_source.h"

namespace cope::pipeline {

/// Byte streams of H.264 that ask for as much as they can with few bytes: Baseline, CAVLC, picture
/// order count type 2 unless asked for otherwise.
class HostileStream {
 public:
  HostileStream(std::int32_t width, std::int32_t height, unsigned max_num_ref_frames = 1) {
    sps.level_idc = 62;
    sps.pic_order_cnt_type = 2;
    sps.max_num_ref_frames = max_num_ref_frames;
    sps.pic_width_in_mbs_minus1 = static_cast<std::uint64_t>(width / 16 - 1);
    sps.pic_height_in_map_units_minus1 = static_cast<std::uint64_t>(height / 16 - 1);
    num_mbs_ = static_cast<std::uint64_t>(width / 16) * static_cast<std::uint64_t>(height / 16);
  }

  h264::SpsSyntax sps;
  h264::PpsSyntax pps;
  unsigned pic_order_cnt_lsb = 0;  ///< of what is added next, 16 bits; picture order count type 0

  void add(const std::vector<std::uint8_t>& nal) {
    bytes_.insert(bytes_.end(), {0, 0, 1});
    bytes_.insert(bytes_.end(), nal.begin(), nal.end());
  }

  void add_parameter_sets() {
    add(sps.write().nal(3, 7));
    add(pps.write().nal(3, 8));
  }

  /// An IDR picture of one slice with `data` behind its header.
  void add_idr(const h264::BitWriter& data = {}) {
    h264::BitWriter w = header(0, 7, 0);
    w.ue(0);  // idr_pic_id
    add_pic_order_cnt(w);
    w.flag(false).flag(false);  // dec_ref_pic_marking()
    w.se(0);                    // slice_qp_delta
    add(w.append(data).trailing().nal(3, 5));
    frame_num_ = 1;
  }

  /// A slice of a P picture that skips `num_mbs` macroblocks, to the end of the picture by default.
  void add_skipped_slice(std::uint64_t first_mb, std::uint64_t num_mbs = 0) {
    h264::BitWriter w = header(first_mb, 5, frame_num_ % 16);
    add_pic_order_cnt(w);
    w.flag(false);  // num_ref_idx_active_override_flag
    w.flag(false);  // ref_pic_list_modification_flag_l0
    w.flag(false);  // adaptive_ref_pic_marking_mode_flag
    w.se(0);        // slice_qp_delta
    w.ue(num_mbs != 0 ? num_mbs : num_mbs_ - first_mb);
    add(w.trailing().nal(2, 1));
  }

  void next_picture() { ++frame_num_; }
  std::uint64_t num_mbs() const { return num_mbs_; }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  void add_pic_order_cnt(h264::BitWriter& w) const {
    if (sps.pic_order_cnt_type == 0) w.u(16, pic_order_cnt_lsb);
  }

  static h264::BitWriter header(std::uint64_t first_mb, unsigned slice_type, unsigned frame_num) {
    h264::BitWriter w;
    w.ue(first_mb).ue(slice_type).ue(0).u(4, frame_num);
    return w;
  }

  std::uint64_t num_mbs_;
  unsigned frame_num_ = 0;
  std::vector<std::uint8_t> bytes_;
};

/// Opens bytes that outlive what is returned.
inline Result<std::unique_ptr<HeaderSource>> open_bytes(const std::vector<std::uint8_t>& bytes,
                                                        const Limits& limits = {}) {
  media::DemuxerOptions options;
  options.limits = limits;
  return HeaderSource::open(media::Source::from_bytes(bytes), options);
}

}  // namespace cope::pipeline
