#include "recorded.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>

#include "cope/bits/annex_b.h"
#include "cope/bits/length_prefixed.h"
#include "cope/h264/header_decoder.h"
#include "cope/h264/picture_parser.h"
#include "cope/h264/slice_parser_impl.h"
#include "cope/media/demuxer.h"
#include "counting_engine.h"

namespace cope::bench {

std::vector<h264::CodedPicture> record_pictures(const std::string& path) {
  std::vector<h264::CodedPicture> pictures;
  auto opened = media::Demuxer::open(media::Source::from_location(path));
  if (!opened.ok()) return pictures;
  media::Demuxer demuxer = std::move(opened).value();
  const media::StreamInfo& info = demuxer.info();
  h264::HeaderDecoder decoder({});
  std::vector<std::span<const std::uint8_t>> nals;
  const auto push = [&] {
    for (const auto nal : nals) static_cast<void>(decoder.push_nal(nal, {}));
  };
  unsigned nal_length_size = 4;
  if (info.is_length_prefixed) {
    bits::DecoderConfiguration configuration;
    if (!bits::parse_avcc(*info.extradata, configuration).ok()) return pictures;
    nal_length_size = configuration.nal_length_size;
    nals = std::move(configuration.nals);
  } else {
    bits::split_annex_b(*info.extradata, nals);
  }
  push();

  media::Packet packet;
  bool has_more = true;
  while (has_more) {
    has_more = demuxer.read_packet(packet).ok();
    if (has_more && info.is_length_prefixed) {
      has_more = bits::split_length_prefixed(packet->data, nal_length_size, nals).ok();
    } else if (has_more) {
      bits::split_annex_b(packet->data, nals);
    }
    if (has_more) push();
    if (info.is_length_prefixed || !has_more) decoder.end_access_unit();
    for (h264::CodedPicture picture; decoder.pop_picture(picture); picture = {}) {
      pictures.push_back(std::move(picture));
    }
  }
  return pictures;
}

std::int64_t count_bins(std::vector<h264::CodedPicture>& pictures) {
  h264::PictureParser parser(&h264::parse_slice<CountingEngine>);
  h264::PictureJob job;
  prim::PicturePool pool;
  const std::int64_t before = CountingEngine::num_bins;
  for (h264::CodedPicture& picture : pictures) {
    std::swap(job.coded, picture);
    job.picture = pool.acquire();
    parser.parse(job, {.keep_coefficients = false});
    std::swap(job.coded, picture);
  }
  return CountingEngine::num_bins - before;
}

std::string stream_path(const std::string& name) {
  const char* const data = std::getenv("COPE_TEST_DATA");
  return std::string(data != nullptr ? data : COPE_REPOSITORY "/../shared") + "/streams/" + name;
}

}  // namespace cope::bench
