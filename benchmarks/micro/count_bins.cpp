// Prints how many bins of CABAC the slice data of an H.264 file holds: count_bins CLIP
#include <cstdio>
#include <vector>

#include "recorded.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: count_bins CLIP\n");
    return 2;
  }
  std::vector<cope::h264::CodedPicture> pictures = cope::bench::record_pictures(argv[1]);
  std::printf("%lld\n", static_cast<long long>(cope::bench::count_bins(pictures)));
  return pictures.empty() ? 1 : 0;
}
