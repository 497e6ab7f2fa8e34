#pragma once

#include "cope/h264/nal_unit.h"
#include "cope/h264/slice_header.h"
#include "cope/h264/sps.h"

namespace cope::h264 {

/// A slice as far as the borders of pictures are concerned.
struct SliceIdentity {
  const NalUnitHeader* nal;
  const SliceHeader* header;
  const Sps* sps;
};

/// Whether `current` starts another primary coded picture than the one that `first` started
/// (7.4.1.2.4). Both belong to primary coded pictures.
///
/// Differs from the standard's list in two points. pic_parameter_set_id alone does not make a
/// picture: nothing else being different, both would have the same picture order count. And a slice
/// that covers again what the first slice covers belongs to a repetition of the whole picture.
bool starts_new_picture(const SliceIdentity& first, const SliceIdentity& current) noexcept;

}  // namespace cope::h264
