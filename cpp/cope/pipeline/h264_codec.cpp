#include "cope/pipeline/h264_codec.h"

#include <algorithm>
#include <span>
#include <utility>

#include "cope/bits/length_prefixed.h"
#include "cope/h264/header_decoder.h"
#include "cope/h264/picture_parser.h"
#include "cope/h264/slice_split.h"
#include "cope/pipeline/nal_splitter.h"

namespace cope::pipeline {
namespace {

using h264::CodedSlice;
using h264::SliceType;

class H264Unit final : public CodedUnit {
 public:
  h264::CodedPicture coded;

  prim::PictureInfo& info() noexcept override { return coded.info; }
  std::span<const std::int64_t> live() const noexcept override { return coded.live; }

  std::span<const CodedSlice> slices() const noexcept {
    return {coded.slices.data(), static_cast<std::size_t>(coded.info.num_slices)};
  }

  void append_references(std::vector<std::int64_t>& out) const override {
    for (const CodedSlice& slice : slices()) {
      for (int list = 0; list < 2; ++list) {
        for (int i = 0; i < slice.refs.num_ref[list]; ++i) append(slice.refs.ref[list][i], out);
      }
    }
  }

  void append_collocated(std::vector<std::int64_t>& out) const override {
    for (const CodedSlice& slice : slices()) {
      if (slice.header.is_b() && slice.refs.num_ref[1] > 0) append(slice.refs.ref[1][0], out);
    }
  }

  void append_features(std::vector<const char*>& out) const override;
  Status check_supported() const noexcept override { return {}; }  // every coding tool is read

  CodingProfile coding_profile() const noexcept override {
    if (slices().empty() || !slices()[0].sps) return {};
    const h264::Sps& sps = *slices()[0].sps;
    return {sps.profile_idc, sps.constraint_set_flags, sps.level_idc};
  }

  std::size_t size_bytes() const noexcept override {
    return coded.rbsp.capacity() + coded.slices.capacity() * sizeof(CodedSlice) +
           coded.slice_group_map.capacity();
  }

 private:
  static void append(const prim::RefPicture& ref, std::vector<std::int64_t>& out) {
    if (ref.is_missing) return;
    if (ref.decode_index >= 0) out.push_back(ref.decode_index);
    if (ref.second_decode_index >= 0) out.push_back(ref.second_decode_index);
  }
};

/// frame_packing_arrangement_type (D.2.26) in words.
const char* frame_packing_name(int type) {
  static constexpr const char* kNames[] = {
      "frame packing: checkerboard", "frame packing: columns",        "frame packing: rows",
      "frame packing: side by side", "frame packing: top and bottom", "frame packing: in turns",
      "frame packing: 2D",           "frame packing: tiles",
  };
  return type >= 0 && type < 8 ? kNames[type] : "frame packing: unknown";
}

/// Whether a slice comes before one of its slice group and colour plane that precedes it in the
/// picture (arbitrary_slice_order).
bool has_arbitrary_order(const h264::CodedPicture& coded) {
  std::uint32_t first_mb[3][8] = {};
  for (std::int32_t i = 0; i < coded.info.num_slices; ++i) {
    const h264::SliceHeader& header = coded.slices[static_cast<std::size_t>(i)].header;
    const std::size_t mb_addr =
        std::size_t{header.first_mb_in_slice} * (header.MbaffFrameFlag ? 2 : 1);
    const std::size_t group =
        mb_addr < coded.slice_group_map.size() ? coded.slice_group_map[mb_addr] & 7u : 0;
    std::uint32_t& last = first_mb[std::min<std::size_t>(header.colour_plane_id, 2)][group];
    if (header.first_mb_in_slice < last) return true;
    last = header.first_mb_in_slice;
  }
  return false;
}

void H264Unit::append_features(std::vector<const char*>& out) const {
  const prim::PictureInfo& info = coded.info;
  const auto add = [&out](bool used, const char* name) {
    if (used) out.push_back(name);
  };
  add(info.structure != prim::PictureStructure::kFrame, "field pictures");
  add(info.mbaff, "MBAFF");
  add(info.num_slices > 1, "several slices");
  add(info.chroma_format_idc == 0, "monochrome");
  add(info.chroma_format_idc == 2, "4:2:2");
  add(info.chroma_format_idc == 3, "4:4:4");
  add(info.separate_colour_planes, "separate colour planes");
  add(info.bit_depth_luma > 8 || info.bit_depth_chroma > 8, "more than 8 bits");
  add(info.recovery_frame_cnt > 0, "gradual refresh");
  add(info.frame_packing >= 0, frame_packing_name(info.frame_packing));
  add(info.pic_struct > 4, "repeated fields or frames");
  add((coded.skipped & h264::kSkippedLayers) != 0, "other layers or views, passed over");
  add((coded.skipped & h264::kSkippedAuxiliary) != 0, "auxiliary pictures, passed over");
  add((coded.skipped & h264::kSkippedRedundant) != 0, "redundant slices, passed over");
  add(coded.has_allowed_gap, "gaps in frame_num");
  add(has_arbitrary_order(coded), "arbitrary slice order (ASO)");
  for (const CodedSlice& slice : slices()) {
    const h264::Sps& sps = *slice.sps;
    const h264::Pps& pps = *slice.pps;
    const bool is_b = slice.header.is_b();
    add(pps.entropy_coding_mode_flag, "CABAC");
    add(!pps.entropy_coding_mode_flag, "CAVLC");
    add(sps.pic_order_cnt_type == 0, "picture order count type 0");
    add(sps.pic_order_cnt_type == 1, "picture order count type 1");
    add(sps.pic_order_cnt_type == 2, "picture order count type 2");
    add(slice.header.disable_deblocking_filter_idc == 1, "loop filter off");
    add(slice.header.ref_pic_list_modification_flag[0] ||
            slice.header.ref_pic_list_modification_flag[1],
        "reference list modification");
    add(slice.header.dec_ref_pic_marking.adaptive_ref_pic_marking_mode_flag,
        "adaptive reference marking");
    add(pps.transform_8x8_mode_flag, "8x8 transform");
    add(sps.seq_scaling_matrix_present_flag || pps.pic_scaling_matrix_present_flag,
        "scaling lists");
    add(sps.qpprime_y_zero_transform_bypass_flag, "lossless");
    add(pps.constrained_intra_pred_flag, "constrained intra prediction");
    add(pps.num_slice_groups_minus1 > 0, "slice groups (FMO)");
    add(slice.nal.nal_unit_type == h264::NalUnitType::kSliceDataPartitionA, "data partitioning");
    add(slice.header.slice_type == SliceType::SP, "SP slices");
    add(slice.header.slice_type == SliceType::SI, "SI slices");
    add(is_b, "B slices");
    add(is_b && slice.header.direct_spatial_mv_pred_flag, "spatial direct");
    add(is_b && !slice.header.direct_spatial_mv_pred_flag, "temporal direct");
    add(is_b && info.is_reference, "B pictures as references");
    add(!is_b && !slice.header.is_intra() && pps.weighted_pred_flag, "weighted prediction");
    add(is_b && pps.weighted_bipred_idc == 1, "explicit weighted bi-prediction");
    add(is_b && pps.weighted_bipred_idc == 2, "implicit weighted bi-prediction");
    add(slice.refs.num_ref[0] > 1, "several references");
    bool is_long_term = false;
    for (int list = 0; list < 2; ++list) {
      for (int i = 0; i < slice.refs.num_ref[list]; ++i) {
        is_long_term = is_long_term || slice.refs.ref[list][i].is_long_term;
      }
    }
    add(is_long_term, "long-term references");
  }
}

class H264Worker final : public PictureWorker {
 public:
  explicit H264Worker(const Limits& limits) : limits_(limits) {}

  void load(CodedUnit& unit, std::shared_ptr<prim::PicturePrimitives> out) override {
    std::swap(job_.coded, static_cast<H264Unit&>(unit).coded);
    job_.picture = std::move(out);
    job_.report = {};
  }

  void parse(bool keep_coefficients) override { parser_.parse(job_, {keep_coefficients, limits_}); }

  std::size_t split(std::size_t max_parts, bool) override {
    if (job_.coded.info.num_slices < 2) return 1;
    if (!parts_) parts_ = std::make_unique<h264::SliceSplit>();
    return parts_->begin(job_, max_parts);
  }
  void parse_part(std::size_t part, bool keep_coefficients) override {
    parts_->parse(part, job_, {keep_coefficients, limits_});
  }
  void join_parts(bool keep_coefficients) override {
    if (!parts_->join(job_, {keep_coefficients, limits_})) parse(keep_coefficients);
  }

  std::int32_t derive(h264::PictureLookup lookup, void* context, std::int32_t) override {
    h264::derive_motion(job_, lookup, context);
    return prim::kAllRows;
  }

  std::shared_ptr<prim::PicturePrimitives> release(CodedUnit& unit, Damage& damage) override {
    std::swap(job_.coded, static_cast<H264Unit&>(unit).coded);
    damage = {job_.report.num_blocks_lost, job_.report.num_motion_lost, job_.report.first_error};
    return std::exchange(job_.picture, nullptr);
  }

 private:
  Limits limits_;
  h264::PictureJob job_;
  h264::PictureParser parser_;
  std::unique_ptr<h264::SliceSplit> parts_;  // where it was of use
};

class H264Codec final : public Codec {
 public:
  H264Codec(const media::StreamInfo& info, const Limits& limits)
      : splitter_(info.is_length_prefixed, bits::parse_avcc), limits_(limits), decoder_(limits) {}

  std::unique_ptr<CodedUnit> make_unit() const override { return std::make_unique<H264Unit>(); }
  std::unique_ptr<PictureWorker> make_worker() const override {
    return std::make_unique<H264Worker>(limits_);
  }

  Status push(const media::PacketView& packet) override {
    const h264::NalSource source{packet.pts, packet.dts, packet.packet_index};
    const Status status =
        splitter_.split(packet, [this, &source](std::span<const std::uint8_t> nal) {
          return decoder_.push_nal(nal, source);
        });
    // A container's sample is an access unit. Annex B packets were cut by libavformat's parser,
    // which knows less of where a picture ends than the header decoder does.
    if (splitter_.is_length_prefixed()) decoder_.end_access_unit();
    return status;
  }

  void finish() override { decoder_.end_access_unit(); }

  bool pop(CodedUnit& unit) override {
    return decoder_.pop_picture(static_cast<H264Unit&>(unit).coded);
  }

  std::int64_t open_packet_index() const noexcept override { return decoder_.open_packet_index(); }

  CodecCounts counts() const noexcept override {
    const h264::StreamCounts& counts = decoder_.counts();
    return {counts.num_nal_units,         counts.num_nal_units_damaged,
            counts.num_nal_units_skipped, counts.num_nal_units_repeated,
            counts.num_frames_lost,       counts.first_error};
  }

 private:
  NalSplitter splitter_;
  Limits limits_;
  h264::HeaderDecoder decoder_;
};

}  // namespace

std::unique_ptr<Codec> make_h264_codec(const media::StreamInfo& info, const Limits& limits) {
  return std::make_unique<H264Codec>(info, limits);
}

}  // namespace cope::pipeline
