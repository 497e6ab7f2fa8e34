#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "cope/prim/picture_primitives.h"
#include "fuzz/check_picture.h"
#include "fuzz/limits.h"

namespace cope::fuzz {

/// NAL units in, pictures parsed to the end and checked: what the pipeline does, less container and
/// threads. `OnPicture` sees each picture, and which ones may still be referenced.
template <class HeaderDecoder, class PictureParser, class PictureJob, class OnPicture>
class ParsedPictures {
 public:
  explicit ParsedPictures(OnPicture on_picture) : on_picture_(std::move(on_picture)) {}

  void push_nal(std::span<const std::uint8_t> nal) {
    (void)decoder_.push_nal(nal, {});
    parse_ready_pictures();
  }

  void finish() {
    decoder_.end_access_unit();
    parse_ready_pictures();
  }

 private:
  void parse_ready_pictures() {
    while (decoder_.pop_picture(job_.coded)) {
      job_.picture = pool_.acquire();
      parser_.parse(job_, {});
      derive_motion(job_, &ParsedPictures::find, this);
      check_picture(*job_.picture);
      on_picture_(*job_.picture, std::span<const std::int64_t>(job_.coded.live));
      pictures_[job_.picture->info.decode_index] = job_.picture;
      std::map<std::int64_t, std::shared_ptr<const prim::PicturePrimitives>> live;
      for (const std::int64_t index : job_.coded.live) {
        if (const auto found = pictures_.find(index); found != pictures_.end()) live.insert(*found);
      }
      pictures_ = std::move(live);
    }
  }

  static const prim::PicturePrimitives* find(void* context, std::int64_t decode_index) {
    const auto& pictures = static_cast<ParsedPictures*>(context)->pictures_;
    const auto found = pictures.find(decode_index);
    return found == pictures.end() ? nullptr : found->second.get();
  }

  OnPicture on_picture_;
  HeaderDecoder decoder_{kLimits};
  PictureParser parser_;
  prim::PicturePool pool_;
  PictureJob job_;
  std::map<std::int64_t, std::shared_ptr<const prim::PicturePrimitives>> pictures_;
};

}  // namespace cope::fuzz
