#include "cope/h264/access_unit.h"

namespace cope::h264 {

bool starts_new_picture(const SliceIdentity& first, const SliceIdentity& current) noexcept {
  const SliceHeader& a = *first.header;
  const SliceHeader& b = *current.header;
  if (first.sps != current.sps) return true;
  if (a.frame_num != b.frame_num || a.field_pic_flag != b.field_pic_flag ||
      a.bottom_field_flag != b.bottom_field_flag) {
    return true;
  }
  if ((first.nal->nal_ref_idc == 0) != (current.nal->nal_ref_idc == 0)) return true;
  if (first.nal->IdrPicFlag() != current.nal->IdrPicFlag() || a.idr_pic_id != b.idr_pic_id)
    return true;
  if (a.pic_order_cnt_lsb != b.pic_order_cnt_lsb ||
      a.delta_pic_order_cnt_bottom != b.delta_pic_order_cnt_bottom ||
      a.delta_pic_order_cnt[0] != b.delta_pic_order_cnt[0] ||
      a.delta_pic_order_cnt[1] != b.delta_pic_order_cnt[1]) {
    return true;
  }
  return a.first_mb_in_slice == b.first_mb_in_slice && a.colour_plane_id == b.colour_plane_id;
}

}  // namespace cope::h264
