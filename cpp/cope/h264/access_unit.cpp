#include "cope/h264/access_unit.h"

#include <algorithm>

namespace cope::h264 {

PictureIdentity identity_of(const NalUnitHeader& nal, const SliceHeader& header,
                            const Sps* sps) noexcept {
  PictureIdentity id;
  id.sps = sps;
  id.delta_pic_order_cnt_bottom = header.delta_pic_order_cnt_bottom;
  id.delta_pic_order_cnt[0] = header.delta_pic_order_cnt[0];
  id.delta_pic_order_cnt[1] = header.delta_pic_order_cnt[1];
  id.frame_num = header.frame_num;
  id.idr_pic_id = header.idr_pic_id;
  id.pic_order_cnt_lsb = header.pic_order_cnt_lsb;
  id.field_pic_flag = header.field_pic_flag;
  id.bottom_field_flag = header.bottom_field_flag;
  id.is_reference = nal.nal_ref_idc != 0;
  id.IdrPicFlag = nal.IdrPicFlag();
  return id;
}

void RecentPictures::start(const PictureIdentity& identity) noexcept {
  ++num_started_;
  last_ = (last_ + 1) % entries_.size();
  size_ = std::min(size_ + 1, entries_.size());
  Entry& entry = entries_[last_];
  entry.identity = identity;
  entry.slices.clear();
  entry.may_come_again = identity.IdrPicFlag;
}

void RecentPictures::add_slice(const SliceHeader& header) {
  entries_[last_].slices.push_back(key_of(header));
}

std::ptrdiff_t RecentPictures::find_slice(const SliceHeader& header) const noexcept {
  const std::vector<std::uint32_t>& slices = entries_[last_].slices;
  const auto found = std::find(slices.begin(), slices.end(), key_of(header));
  return found == slices.end() ? -1 : found - slices.begin();
}

void RecentPictures::end_sequence() noexcept {
  for (Entry& entry : entries_) entry.may_come_again = true;
  lost_frames_.fill({});
}

void RecentPictures::clear() noexcept {
  size_ = 0;
  lost_frames_.fill({});
}

void RecentPictures::add_lost(std::uint16_t frame_num) noexcept {
  lost_frames_[next_lost_++ % lost_frames_.size()] = {frame_num, num_started_ + 1};
}

bool RecentPictures::is_late_frame(const PictureIdentity& identity) const noexcept {
  constexpr std::int32_t kMinMaxFrameNum = 64;
  const PictureIdentity& current = entries_[last_].identity;
  const std::int32_t MaxFrameNum = identity.sps->MaxFrameNum();
  const std::int32_t behind = (current.frame_num - identity.frame_num) & (MaxFrameNum - 1);
  return size_ > 0 && identity.sps == current.sps && MaxFrameNum >= kMinMaxFrameNum &&
         identity.is_reference && !identity.IdrPicFlag && behind > 0 &&
         behind <= static_cast<std::int32_t>(lost_frames_.size()) &&
         std::any_of(lost_frames_.begin(), lost_frames_.end(), [&](const LostFrame& lost) {
           return lost.frame_num == identity.frame_num && num_started_ - lost.num_started <= 1;
         });
}

bool RecentPictures::is_late(const PictureIdentity& identity,
                             const SliceHeader& header) const noexcept {
  for (std::size_t age = 1; age < size_; ++age) {
    const Entry& entry = entries_[(last_ + entries_.size() - age) % entries_.size()];
    if (entry.identity != identity) continue;
    if (!entry.may_come_again) return true;
    return age == 1 && std::find(entry.slices.begin(), entry.slices.end(), key_of(header)) ==
                           entry.slices.end();
  }
  return false;
}

}  // namespace cope::h264
