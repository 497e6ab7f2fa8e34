#pragma once

#include "cope/h265/header_decoder.h"
#include "cope/h265/picture_parser.h"
#include "fuzz/parsed_pictures.h"

namespace cope::fuzz {

template <class OnPicture>
class H265Pictures
    : public ParsedPictures<h265::HeaderDecoder, h265::PictureParser, h265::PictureJob, OnPicture> {
 public:
  using H265Pictures::ParsedPictures::ParsedPictures;
};

template <class OnPicture>
H265Pictures(OnPicture) -> H265Pictures<OnPicture>;

}  // namespace cope::fuzz
