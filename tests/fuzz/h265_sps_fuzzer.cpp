// seq_parameter_set_rbsp() of any content.
#include <cstddef>
#include <cstdint>

#include "cope/h265/sps.h"
#include "fuzz/limits.h"
#include "fuzz/rbsp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cope::fuzz::Rbsp rbsp({data, size});
  cope::bits::BitReader r = rbsp.reader();
  cope::h265::Sps sps;
  (void)cope::h265::parse_sps(r, cope::fuzz::kLimits, sps);
  return 0;
}
