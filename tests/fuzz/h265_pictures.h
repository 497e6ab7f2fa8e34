#pragma once

#include "cope/h265/header_decoder.h"
#include "cope/h265/picture_parser.h"
#include "fuzz/parsed_pictures.h"

namespace cope::fuzz {

using H265Pictures = ParsedPictures<h265::HeaderDecoder, h265::PictureParser, h265::PictureJob>;

}  // namespace cope::fuzz
