// video_parameter_set_rbsp() of any content, and the same bytes as SEI messages.
#include <cstddef>
#include <cstdint>

#include "cope/h265/sei.h"
#include "cope/h265/vps.h"
#include "fuzz/rbsp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cope::fuzz::Rbsp rbsp({data, size});
  cope::bits::BitReader r = rbsp.reader();
  cope::h265::Vps vps;
  (void)cope::h265::parse_vps(r, vps);
  r = rbsp.reader();
  (void)cope::h265::parse_sei(r);
  return 0;
}
