#pragma once

// Included by one source file of a target: without libFuzzer it is empty.
#ifdef COPE_LIBFUZZER

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "cope/bits/length_prefixed.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// Mutations that know where NAL units, each behind a length of two bytes, begin and end: a change
/// stays inside its unit, and units move as a whole.
namespace cope::fuzz {

using Unit = std::vector<std::uint8_t>;

inline constexpr std::size_t kMaxUnit = 0xffff;

inline std::vector<Unit> split_units(const std::uint8_t* data, std::size_t size) {
  std::vector<std::span<const std::uint8_t>> nals;
  (void)bits::split_length_prefixed({data, size}, 2, nals);
  std::vector<Unit> units;
  for (const auto nal : nals) units.emplace_back(nal.begin(), nal.end());
  return units;
}

/// Writes as many units as fit, and returns the size.
inline std::size_t join_units(const std::vector<Unit>& units, std::uint8_t* out,
                              std::size_t max_size) {
  std::size_t size = 0;
  for (const Unit& unit : units) {
    if (unit.size() > kMaxUnit || size + 2 + unit.size() > max_size) break;
    out[size++] = static_cast<std::uint8_t>(unit.size() >> 8);
    out[size++] = static_cast<std::uint8_t>(unit.size());
    size = static_cast<std::size_t>(std::copy(unit.begin(), unit.end(), out + size) - out);
  }
  return size;
}

/// Bytes of a unit change: often only those that hold its header.
template <class Random>
void mutate_unit(Unit& unit, Random& random, std::size_t max_size) {
  constexpr std::size_t kHeaderBytes = 24;
  const bool is_header = random() % 2 == 0 && unit.size() > kHeaderBytes;
  Unit part(unit.begin(),
            is_header ? unit.begin() + static_cast<std::ptrdiff_t>(kHeaderBytes) : unit.end());
  const std::size_t rest = unit.size() - part.size();
  const std::size_t size = part.size();
  const std::size_t room =
      std::min(max_size, kMaxUnit) > rest ? std::min(max_size, kMaxUnit) - rest : 0;
  part.resize(std::max(room, size));
  if (part.empty()) return;
  part.resize(LLVMFuzzerMutate(part.data(), size, part.size()));
  part.insert(part.end(), unit.end() - static_cast<std::ptrdiff_t>(rest), unit.end());
  unit = std::move(part);
}

inline std::size_t mutate_units(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<Unit> units = split_units(data, size);
  if (units.empty()) units.emplace_back(1);
  const auto any = [&] { return random() % units.size(); };
  switch (random() % 12) {
    case 0:
      if (units.size() > 1) units.erase(units.begin() + static_cast<std::ptrdiff_t>(any()));
      break;
    case 1: {
      Unit copy = units[any()];
      units.insert(units.begin() + static_cast<std::ptrdiff_t>(any()), std::move(copy));
      break;
    }
    case 2:
      std::swap(units[any()], units[any()]);
      break;
    case 3: {
      Unit& unit = units[any()];
      unit.resize(1 + random() % std::max<std::size_t>(unit.size(), 1));
      break;
    }
    default:
      mutate_unit(units[any()], random, max_size > size ? max_size - size + 256 : 256);
      break;
  }
  return join_units(units, data, max_size);
}

/// Units of one input in front of units of the other.
inline std::size_t cross_units(const std::uint8_t* a, std::size_t a_size, const std::uint8_t* b,
                               std::size_t b_size, std::uint8_t* out, std::size_t max_size,
                               unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<Unit> units = split_units(a, a_size);
  std::vector<Unit> others = split_units(b, b_size);
  units.resize(random() % (units.size() + 1));
  const std::size_t first = random() % (others.size() + 1);
  units.insert(units.end(), others.begin() + static_cast<std::ptrdiff_t>(first), others.end());
  return join_units(units, out, max_size);
}

}  // namespace cope::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return cope::fuzz::mutate_units(data, size, max_size, seed);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                                 const std::uint8_t* b, std::size_t b_size,
                                                 std::uint8_t* out, std::size_t max_size,
                                                 unsigned seed) {
  return cope::fuzz::cross_units(a, a_size, b, b_size, out, max_size, seed);
}

#endif  // COPE_LIBFUZZER
