#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cope::bits {

/// Copies a NAL unit without its emulation_prevention_three_bytes: H.264 7.3.1, H.265 7.3.1.1.
///
/// Any 0x03 behind two zeros is dropped, also where the standard lets no byte follow it that makes
/// it necessary. Other forbidden sequences are copied: they surface where they are parsed.
///
/// \param nal  the unit or any part that starts at or behind its header
/// \param out  room for `nal.size()` bytes; must not overlap `nal`
/// \return bytes written
std::size_t unescape_rbsp(std::span<const std::uint8_t> nal, std::uint8_t* out) noexcept;

}  // namespace cope::bits
