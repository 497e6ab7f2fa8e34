#pragma once

#include "cope/h264/header_decoder.h"
#include "cope/h264/picture_parser.h"
#include "fuzz/parsed_pictures.h"

namespace cope::fuzz {

using H264Pictures = ParsedPictures<h264::HeaderDecoder, h264::PictureParser, h264::PictureJob>;

}  // namespace cope::fuzz
