#include "cope/pipeline/h265_codec.h"

#include <utility>

#include "cope/h265/header_decoder.h"
#include "cope/h265/mv_temporal.h"
#include "cope/h265/picture_parser.h"
#include "cope/h265/picture_split.h"
#include "cope/pipeline/nal_splitter.h"

namespace cope::pipeline {
namespace {

using h265::CodedSegment;

class H265Unit final : public CodedUnit {
 public:
  h265::CodedPicture coded;

  prim::PictureInfo& info() noexcept override { return coded.info; }
  std::span<const std::int64_t> live() const noexcept override { return coded.live; }

  std::span<const CodedSegment> segments() const noexcept {
    return {coded.segments.data(), static_cast<std::size_t>(coded.info.num_slice_segments)};
  }
  std::span<const prim::SliceRefs> slice_refs() const noexcept {
    return {coded.slice_refs.data(), static_cast<std::size_t>(coded.info.num_slices)};
  }

  void append_references(std::vector<std::int64_t>& out) const override {
    for (const prim::SliceRefs& refs : slice_refs()) {
      for (int list = 0; list < 2; ++list) {
        for (int i = 0; i < refs.num_ref[list]; ++i) append(refs.ref[list][i], out);
      }
    }
  }

  void append_collocated(std::vector<std::int64_t>& out) const override {
    for (const CodedSegment& segment : segments()) {
      const h265::SliceHeader& header = segment.header;
      if (!header.slice_temporal_mvp_enabled_flag || header.is_intra()) continue;
      const prim::SliceRefs& refs = slice_refs()[static_cast<std::size_t>(segment.slice_idx)];
      append(refs.ref[header.collocated_from_l0_flag ? 0 : 1][header.collocated_ref_idx], out);
    }
  }

  void append_features(std::vector<const char*>& out) const override;
  Status check_supported() const noexcept override { return {}; }  // parameter sets refuse the rest

  CodingProfile coding_profile() const noexcept override {
    if (segments().empty() || !segments()[0].sps) return {};
    const h265::ProfileTierLevel& p = segments()[0].sps->profile_tier_level;
    std::uint32_t constraint_flags = 0;
    for (int i = 0; i < 9; ++i) {
      constraint_flags |= static_cast<std::uint32_t>(p.general_constraint_flags >> (43 - i) & 1)
                          << i;
    }
    return {p.general_profile_idc, constraint_flags, p.general_level_idc};
  }

  std::size_t size_bytes() const noexcept override {
    return coded.rbsp.capacity() + coded.segments.capacity() * sizeof(CodedSegment) +
           coded.slice_refs.capacity() * sizeof(prim::SliceRefs);
  }

 private:
  static void append(const prim::RefPicture& ref, std::vector<std::int64_t>& out) {
    if (!ref.is_missing) out.push_back(ref.decode_index);
  }
};

using Features = std::vector<const char*>;

void add(Features& out, bool used, const char* name) {
  if (used) out.push_back(name);
}

void append_sps_features(const h265::Sps& sps, Features& out) {
  add(out, sps.chroma_format_idc == 0, "monochrome");
  add(out, sps.chroma_format_idc == 2, "4:2:2");
  add(out, sps.chroma_format_idc == 3, "4:4:4");
  add(out, sps.BitDepthY() > 8 || sps.BitDepthC() > 8, "more than 8 bits");
  add(out, sps.vui.field_seq_flag, "field pictures");
  add(out, sps.amp_enabled_flag, "asymmetric motion partitions");
  add(out, sps.sample_adaptive_offset_enabled_flag, "sample adaptive offset");
  add(out, sps.pcm_enabled_flag, "PCM");
  add(out, sps.scaling_list_enabled_flag, "scaling lists");
  const h265::SpsRangeExtension& range = sps.range;
  add(out, range.transform_skip_rotation_enabled_flag, "transform skip rotation");
  add(out, range.transform_skip_context_enabled_flag, "transform skip context");
  add(out, range.implicit_rdpcm_enabled_flag, "implicit RDPCM");
  add(out, range.explicit_rdpcm_enabled_flag, "explicit RDPCM");
  add(out, range.extended_precision_processing_flag, "extended precision");
  add(out, range.intra_smoothing_disabled_flag, "intra smoothing disabled");
  add(out, range.high_precision_offsets_enabled_flag, "high precision offsets");
  add(out, range.persistent_rice_adaptation_enabled_flag, "persistent Rice adaptation");
  add(out, range.cabac_bypass_alignment_enabled_flag, "CABAC bypass alignment");
}

void append_pps_features(const h265::Pps& pps, Features& out) {
  add(out, pps.dependent_slice_segments_enabled_flag, "dependent slice segments");
  add(out, pps.sign_data_hiding_enabled_flag, "sign data hiding");
  add(out, pps.constrained_intra_pred_flag, "constrained intra prediction");
  add(out, pps.transform_skip_enabled_flag, "transform skip");
  add(out, pps.cu_qp_delta_enabled_flag, "QP per coding unit");
  add(out, pps.transquant_bypass_enabled_flag, "lossless");
  add(out, pps.tiles_enabled_flag, "tiles");
  add(out, pps.entropy_coding_sync_enabled_flag, "wavefronts (WPP)");
  add(out, pps.log2_parallel_merge_level_minus2 > 0, "parallel merge");
  add(out, pps.range.cross_component_prediction_enabled_flag, "cross-component prediction");
  add(out, pps.range.chroma_qp_offset_list_enabled_flag, "chroma QP offsets per coding unit");
}

void append_slice_features(const h265::SliceHeader& header, const prim::SliceRefs& refs,
                           Features& out) {
  add(out, header.is_b(), "B slices");
  add(out, header.slice_temporal_mvp_enabled_flag && !header.is_intra(),
      "temporal motion vector prediction");
  add(out, header.has_pred_weight_table && !header.is_b(), "weighted prediction");
  add(out, header.has_pred_weight_table && header.is_b(), "weighted bi-prediction");
  add(out, header.ref_pic_list_modification_flag[0] || header.ref_pic_list_modification_flag[1],
      "modified reference lists");
  add(out, refs.num_ref[0] > 1, "several references");
  bool is_long_term = false;
  for (int list = 0; list < 2; ++list) {
    for (int i = 0; i < refs.num_ref[list]; ++i) {
      is_long_term = is_long_term || refs.ref[list][i].is_long_term;
    }
  }
  add(out, is_long_term, "long-term references");
}

void H265Unit::append_features(Features& out) const {
  const prim::PictureInfo& info = coded.info;
  add(out, info.num_slices > 1, "several slices");
  add(out, info.temporal_id > 0, "temporal sub-layers");
  add(out, coded.vps_max_layers_minus1 > 0, "other layers (skipped)");
  const h265::Sps* sps = nullptr;
  const h265::Pps* pps = nullptr;
  for (const CodedSegment& segment : segments()) {
    if (segment.sps.get() != sps) append_sps_features(*segment.sps, out);
    if (segment.pps.get() != pps) append_pps_features(*segment.pps, out);
    sps = segment.sps.get();
    pps = segment.pps.get();
    if (segment.header.dependent_slice_segment_flag) continue;
    append_slice_features(segment.header, slice_refs()[static_cast<std::size_t>(segment.slice_idx)],
                          out);
  }
}

class H265Worker final : public PictureWorker {
 public:
  explicit H265Worker(const Limits& limits) : limits_(limits) {}

  void load(CodedUnit& unit, std::shared_ptr<prim::PicturePrimitives> out) override {
    std::swap(job_.coded, static_cast<H265Unit&>(unit).coded);
    job_.picture = std::move(out);
    job_.report = {};
  }

  void parse(bool keep_coefficients) override { parser_.parse(job_, {keep_coefficients, limits_}); }

  std::size_t split(std::size_t max_parts, bool keep_coefficients) override {
    if (!split_) split_ = std::make_unique<h265::PictureSplit>();
    return split_->begin(job_, {keep_coefficients, limits_}, max_parts);
  }
  void parse_part(std::size_t, bool) override { split_->parse(); }
  void join_parts(bool keep_coefficients) override {
    if (!split_->join(job_, {keep_coefficients, limits_})) parse(keep_coefficients);
  }

  bool derives_by_rows() const noexcept override { return true; }
  std::int32_t derive(h265::PictureLookup lookup, void* context, std::int32_t rows) override {
    return h265::derive_motion(job_, lookup, context, rows);
  }

  bool keep_collocated(const prim::PicturePrimitives& picture,
                       prim::PicturePrimitives& out) const override {
    h265::keep_collocated(picture, out);
    return true;
  }

  std::shared_ptr<prim::PicturePrimitives> release(CodedUnit& unit, Damage& damage) override {
    std::swap(job_.coded, static_cast<H265Unit&>(unit).coded);
    damage = {job_.report.num_blocks_lost, job_.report.num_motion_lost, job_.report.first_error};
    return std::exchange(job_.picture, nullptr);
  }

 private:
  Limits limits_;
  h265::PictureJob job_;
  h265::PictureParser parser_;
  std::unique_ptr<h265::PictureSplit> split_;  // where it was of use
};

class H265Codec final : public Codec {
 public:
  H265Codec(const media::StreamInfo& info, const Limits& limits)
      : splitter_(info.is_length_prefixed, bits::parse_hvcc), limits_(limits), decoder_(limits) {}

  std::unique_ptr<CodedUnit> make_unit() const override { return std::make_unique<H265Unit>(); }
  std::unique_ptr<PictureWorker> make_worker() const override {
    return std::make_unique<H265Worker>(limits_);
  }

  Status push(const media::PacketView& packet) override {
    const h265::NalSource source{packet.pts, packet.dts, packet.packet_index};
    const Status status =
        splitter_.split(packet, [this, &source](std::span<const std::uint8_t> nal) {
          return decoder_.push_nal(nal, source);
        });
    if (splitter_.is_length_prefixed()) decoder_.end_access_unit();  // a sample is an access unit
    return status;
  }

  void finish() override { decoder_.end_access_unit(); }

  bool pop(CodedUnit& unit) override {
    return decoder_.pop_picture(static_cast<H265Unit&>(unit).coded);
  }

  std::int64_t open_packet_index() const noexcept override { return decoder_.open_packet_index(); }

  CodecCounts counts() const noexcept override {
    const h265::StreamCounts& counts = decoder_.counts();
    return {counts.num_nal_units,         counts.num_nal_units_damaged,
            counts.num_nal_units_skipped, counts.num_nal_units_repeated,
            counts.num_frames_lost,       counts.first_error};
  }

 private:
  NalSplitter splitter_;
  Limits limits_;
  h265::HeaderDecoder decoder_;
};

}  // namespace

std::unique_ptr<Codec> make_h265_codec(const media::StreamInfo& info, const Limits& limits) {
  return std::make_unique<H265Codec>(info, limits);
}

}  // namespace cope::pipeline
