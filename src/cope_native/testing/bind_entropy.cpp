#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "bind.h"
#include "cope/entropy/cabac_engine.h"
#include "cope/entropy/context_model.h"
#include "cope/h264/cabac_tables.h"
#include "cope/h264/vlc.h"

namespace cope::testing {
namespace {

namespace nb = nanobind;
using namespace nb::literals;

constexpr int kBypass = -1;
constexpr int kTerminate = -2;

using CabacResult = std::tuple<nb::bytes, nb::bytes, std::size_t, bool>;

/// Decodes one bin per operation; stops behind a terminating bin that is 1.
CabacResult decode_cabac(const nb::bytes& data, const std::vector<int>& operations,
                         const nb::bytes& initial_states) {
  constexpr std::size_t kPadding = 8;
  const auto* first = static_cast<const std::uint8_t*>(data.data());
  std::vector<std::uint8_t> padded(first, first + data.size());
  padded.resize(data.size() + kPadding, 0xff);
  entropy::CabacEngine engine(padded.data(), padded.data() + data.size());

  const auto* state = static_cast<const std::uint8_t*>(initial_states.data());
  std::vector<entropy::ContextWord> contexts;
  for (std::size_t i = 0; i < initial_states.size(); ++i) {
    if (state[i] > 127) throw nb::value_error("a state has 7 bits");
    contexts.push_back(entropy::kBinWords.word[state[i]]);
  }
  std::vector<std::uint8_t> bins;
  bool is_terminated = false;
  for (const int operation : operations) {
    unsigned bin = 0;
    if (operation == kBypass) {
      bin = engine.bypass();
    } else if (operation == kTerminate) {
      bin = is_terminated = engine.terminate();
    } else {
      if (operation < 0 || static_cast<std::size_t>(operation) >= contexts.size()) {
        throw nb::index_error("no such context");
      }
      bin = engine.decision(contexts[static_cast<std::size_t>(operation)]);
    }
    bins.push_back(static_cast<std::uint8_t>(bin));
    if (is_terminated) break;
  }
  std::vector<std::uint8_t> states;
  for (const entropy::ContextWord context : contexts) {
    const auto& words = entropy::kBinWords.word;
    states.push_back(static_cast<std::uint8_t>(std::find(words, words + 128, context) - words));
  }
  return {nb::bytes(bins.data(), bins.size()), nb::bytes(states.data(), states.size()),
          is_terminated ? engine.bit_pos_after_terminate() : engine.bit_pos(), engine.overrun()};
}

std::tuple<int, int> pair(h264::VlcEntry entry) { return {entry.length, entry.value}; }

}  // namespace

void bind_entropy(nb::module_& m) {
  m.attr("BYPASS") = kBypass;
  m.attr("TERMINATE") = kTerminate;
  m.def("decode_cabac", &decode_cabac, "data"_a, "operations"_a, "states"_a,
        "Operations are context indices, BYPASS or TERMINATE. Returns (bins, states, bit_pos, "
        "overrun).");
  m.def(
      "init_contexts",
      [](unsigned column, int slice_qp) {
        if (column >= 4) throw nb::index_error("column of kCabacInit");
        std::uint8_t states[1024];
        entropy::init_contexts(states, h264::kCabacInit[column], 1024, slice_qp);
        return nb::bytes(states, sizeof states);
      },
      "column"_a, "slice_qp"_a);

  // Each returns (length, value) of the code that begins `next`, its first bit highest of 32.
  m.def(
      "find_coeff_token",
      [](int nC, std::uint32_t next) {
        return pair(nC < 0 ? h264::find_coeff_token_chroma_dc(nC == -2, next)
                           : h264::find_coeff_token(static_cast<unsigned>(nC), next));
      },
      "nC"_a, "next"_a);
  m.def(
      "find_total_zeros",
      [](unsigned tzVlcIndex, std::uint32_t next) {
        return pair(h264::find_total_zeros(tzVlcIndex, next));
      },
      "tzVlcIndex"_a, "next"_a);
  m.def(
      "find_total_zeros_chroma_dc",
      [](bool is_422, unsigned tzVlcIndex, std::uint32_t next) {
        return pair(h264::find_total_zeros_chroma_dc(is_422, tzVlcIndex, next));
      },
      "is_422"_a, "tzVlcIndex"_a, "next"_a);
  m.def(
      "find_run_before",
      [](unsigned zerosLeft, std::uint32_t next) {
        return pair(h264::find_run_before(zerosLeft, next));
      },
      "zerosLeft"_a, "next"_a);
}

}  // namespace cope::testing
