#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/media/demuxer.h"
#include "cope/media/packet.h"
#include "cope/prim/picture_primitives.h"

/// What the pipeline knows of a codec. Each codec implements these three classes and nothing else
/// of the pipeline names it; a codec is added in `make_codec`.
namespace cope::pipeline {

/// What probing reports of a coded picture beyond `PictureInfo`.
struct CodingProfile {
  std::int32_t profile_idc = 0;
  std::uint32_t constraint_flags = 0;  ///< bit i: constraint_set<i>_flag; H.265: the flags from
                                       ///< general_max_12bit_constraint_flag on
  std::int32_t level_idc = 0;
};

/// One coded picture of which the headers are decoded and the slice data is not yet looked at.
class CodedUnit {
 public:
  virtual ~CodedUnit() = default;

  virtual prim::PictureInfo& info() noexcept = 0;
  /// decode_index of every picture that this or a later one may reference.
  virtual std::span<const std::int64_t> live() const noexcept = 0;
  /// Adds the decode_index of every picture in its reference lists; some may come twice.
  virtual void append_references(std::vector<std::int64_t>& out) const = 0;
  /// Adds the decode_index of every picture whose motion must be derived before its own can be.
  virtual void append_collocated(std::vector<std::int64_t>& out) const = 0;
  /// Adds the static names of the coding tools that its headers use.
  virtual void append_features(std::vector<const char*>& out) const = 0;
  virtual CodingProfile coding_profile() const noexcept = 0;
  /// kUnsupported naming the first coding tool that is not read.
  virtual Status check_supported() const noexcept = 0;
  /// Memory that it holds, about.
  virtual std::size_t size_bytes() const noexcept = 0;
};

/// How the parse of one picture went.
struct Damage {
  std::int32_t num_blocks_lost = 0;  ///< not parsed
  std::int32_t num_motion_lost = 0;  ///< parsed, but their vectors depend on a loss elsewhere
  Status first_error;                ///< ok when nothing was damaged
};

/// Turns one coded picture at a time into primitives. Owns the parser's scratch memory, so a
/// worker serves one thread at a time.
class PictureWorker {
 public:
  virtual ~PictureWorker() = default;

  /// Takes the content of `unit`, which stays empty until `release`.
  virtual void load(CodedUnit& unit, std::shared_ptr<prim::PicturePrimitives> out) = 0;
  /// Pass 1: everything but motion vectors. Any thread, any order.
  virtual void parse(bool keep_coefficients) = 0;
  /// Divides the work of `parse` among at most so many threads and returns for how many; 1 unless
  /// the codec can. Then `parse_part` is called for each part, in any thread, and `join_parts`
  /// when all are done, instead of `parse`.
  virtual std::size_t split(std::size_t max_parts, bool keep_coefficients) {
    static_cast<void>(max_parts);
    static_cast<void>(keep_coefficients);
    return 1;
  }
  virtual void parse_part(std::size_t part, bool keep_coefficients) {
    static_cast<void>(part);
    static_cast<void>(keep_coefficients);
  }
  virtual void join_parts(bool keep_coefficients) { static_cast<void>(keep_coefficients); }
  /// Whether pass 2 can follow that of the collocated pictures row by row, and be followed so.
  virtual bool derives_by_rows() const noexcept { return false; }
  /// Pass 2: motion vectors. `lookup` finds collocated pictures, of which the motion of the upper
  /// `rows` luma rows is derived; null when unknown. With less than prim::kAllRows, derives what
  /// depends on no other rows and is called again, with more.
  /// \returns of how many luma rows the motion is derived; prim::kAllRows when all is done
  virtual std::int32_t derive(const prim::PicturePrimitives* (*lookup)(void*, std::int64_t),
                              void* context, std::int32_t rows) = 0;
  /// Copies what `derive` of later pictures looks at in a complete one, if that is little: the copy
  /// then does for `lookup`. False where the codec looks at too much for that.
  virtual bool keep_collocated(const prim::PicturePrimitives& picture,
                               prim::PicturePrimitives& out) const {
    static_cast<void>(picture);
    static_cast<void>(out);
    return false;
  }
  /// Gives the coded picture back and returns its primitives.
  virtual std::shared_ptr<prim::PicturePrimitives> release(CodedUnit& unit, Damage& damage) = 0;
};

struct CodecCounts {
  std::int64_t num_nal_units = 0;
  std::int64_t num_nal_units_damaged = 0;   ///< dropped
  std::int64_t num_nal_units_skipped = 0;   ///< of other layers and views, auxiliary, redundant
  std::int64_t num_nal_units_repeated = 0;  ///< delivered twice
  std::int64_t num_frames_lost = 0;         ///< reference frames that never came, as far as known
  Status first_error;                       ///< of a dropped NAL unit
};

/// One codec: packets in, coded pictures out, in decoding order. Not thread-safe.
class Codec {
 public:
  virtual ~Codec() = default;

  virtual std::unique_ptr<CodedUnit> make_unit() const = 0;
  virtual std::unique_ptr<PictureWorker> make_worker() const = 0;

  /// Takes one packet. Damaged NAL units are dropped and counted, the first one's error is returned
  /// after all of the packet was taken; kUnsupported names a coding tool.
  virtual Status push(const media::PacketView& packet) = 0;
  /// Says that no packet is left.
  virtual void finish() = 0;
  /// Moves the next coded picture into `unit`. False when none is ready.
  virtual bool pop(CodedUnit& unit) = 0;
  /// Packet in which the picture began that is still incomplete, -1 when there is none.
  virtual std::int64_t open_packet_index() const noexcept = 0;
  virtual CodecCounts counts() const noexcept = 0;
};

/// The codec of a stream; kUnsupported with its name when cope does not parse it.
Result<std::unique_ptr<Codec>> make_codec(const media::StreamInfo& info, const Limits& limits);

}  // namespace cope::pipeline
