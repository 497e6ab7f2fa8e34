#pragma once

#include "cope/h264/header_decoder.h"
#include "cope/h264/picture_parser.h"
#include "fuzz/parsed_pictures.h"

namespace cope::fuzz {

template <class OnPicture>
class H264Pictures
    : public ParsedPictures<h264::HeaderDecoder, h264::PictureParser, h264::PictureJob, OnPicture> {
 public:
  using H264Pictures::ParsedPictures::ParsedPictures;
};

template <class OnPicture>
H264Pictures(OnPicture) -> H264Pictures<OnPicture>;

}  // namespace cope::fuzz
