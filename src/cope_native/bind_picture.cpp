#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstdio>
#include <iterator>
#include <string>

#include "bindings.h"
#include "cope/pipeline/digest.h"
#include "ndarray.h"
#include "picture.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace cope::native {
namespace {

using prim::PicturePrimitives;

nb::object time_or_none(std::int64_t time) {
  return time == prim::kNoPts ? nb::none() : nb::object(nb::int_(time));
}

nb::object number_or_none(std::int32_t number) {
  return number < 0 ? nb::none() : nb::object(nb::int_(number));
}

const char* structure_name(prim::PictureStructure structure) {
  switch (structure) {
    case prim::PictureStructure::kTop:
      return "top";
    case prim::PictureStructure::kBottom:
      return "bottom";
    default:
      return "frame";
  }
}

// In the order of golden files: B, I, P, SI as i, SP as p.
std::string slice_types(std::uint8_t bits) {
  std::string text;
  const char letters[] = {'B', 'I', 'P', 'i', 'p'};
  for (int i = 0; i < 5; ++i) {
    if ((bits >> i & 1) != 0) text += letters[i];
  }
  return text;
}

template <class T>
NumpyArray<const T> block_array(const NativePicture& self, const Buffer<T>& buffer) {
  const prim::BlockMap& blocks = self.primitives->blocks;
  return view(self.primitives, buffer.data(),
              {static_cast<std::size_t>(blocks.height), static_cast<std::size_t>(blocks.width)});
}

NumpyArray<const std::int16_t> motion_vectors(const NativePicture& self) {
  const prim::MotionField& motion = self.primitives->motion;
  return view(self.primitives, reinterpret_cast<const std::int16_t*>(motion.mv.data()),
              {2, static_cast<std::size_t>(motion.height_4x4),
               static_cast<std::size_t>(motion.width_4x4), 2});
}

NumpyArray<const std::int8_t> ref_idx(const NativePicture& self) {
  const prim::MotionField& motion = self.primitives->motion;
  return view(
      self.primitives, motion.ref_idx.data(),
      {2, static_cast<std::size_t>(motion.height_4x4), static_cast<std::size_t>(motion.width_4x4)});
}

NumpyArray<std::int32_t> ref_poc(const NativePicture& self) {
  const prim::MotionField& motion = self.primitives->motion;
  Buffer<std::int32_t> poc;
  poc.resize_uninitialized(2 * motion.plane_size());
  self.primitives->write_ref_poc(poc.data());
  return take(std::move(poc), {2, static_cast<std::size_t>(motion.height_4x4),
                               static_cast<std::size_t>(motion.width_4x4)});
}

NumpyArray<const std::uint8_t> records(const NativePicture& self) {
  const prim::CoeffStream& coeffs = self.primitives->coeffs;
  return view(self.primitives, reinterpret_cast<const std::uint8_t*>(coeffs.records.data()),
              {coeffs.records.size() * sizeof(prim::CoeffRecord)});
}

// [slice][list][index]: decode_index and POC of what a ref_idx of that slice means.
nb::list references(const NativePicture& self) {
  nb::list slices;
  for (const prim::SliceRefs& refs : self.primitives->slice_refs) {
    nb::list lists;
    for (int list = 0; list < 2; ++list) {
      nb::list entries;
      for (int i = 0; i < refs.num_ref[list]; ++i) {
        const prim::RefPicture& ref = refs.ref[list][i];
        entries.append(
            nb::make_tuple(ref.is_missing ? -1 : ref.decode_index, ref.poc, ref.is_long_term));
      }
      lists.append(nb::tuple(entries));
    }
    slices.append(nb::tuple(lists));
  }
  return slices;
}

nb::str hex(std::uint64_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return nb::str(text);
}

void put_lost(nb::dict& counts, const pipeline::BlockDigest& blocks) {
  const std::int64_t num_lost = blocks.num_blocks[static_cast<std::size_t>(prim::BlockType::kLost)];
  if (num_lost != 0) counts["lost"] = num_lost;
}

void put_macroblocks(nb::dict& out, const pipeline::BlockDigest& blocks) {
  const char* const names[] = {"I_4x4", "I_8x8", "I_16x16", "I_PCM", "inter", "skip"};
  nb::dict counts;
  for (std::size_t i = 0; i < std::size(names); ++i) counts[names[i]] = blocks.num_blocks[i];
  put_lost(counts, blocks);
  out["mb_counts"] = counts;
  out["qp_sum"] = blocks.qp_sum;
}

void put_coding_units(nb::dict& out, const pipeline::BlockDigest& blocks) {
  const auto count = [&blocks](prim::BlockType type) {
    return blocks.num_blocks[static_cast<std::size_t>(type)];
  };
  const std::int64_t pcm = count(prim::BlockType::kPcm);
  nb::dict counts;
  counts["skip"] = count(prim::BlockType::kSkip);
  counts["inter"] = count(prim::BlockType::kInter);
  counts["intra"] = count(prim::BlockType::kI4x4) + count(prim::BlockType::kI16x16) + pcm;
  counts["pcm"] = pcm;
  counts["transquant_bypass"] = blocks.num_bypass;
  put_lost(counts, blocks);
  out["counts"] = counts;
  out["qp_sum"] = blocks.qp_sum;
}

void put_motion(nb::dict& out, const pipeline::BlockDigest& blocks) {
  nb::dict mv;
  nb::dict mv_nopoc;
  for (std::size_t list = 0; list < 2; ++list) {
    const char* const name = list == 0 ? "L0" : "L1";
    nb::list items;
    items.append(blocks.motion[list].num_items);
    items.append(hex(blocks.motion[list].hash));
    mv[name] = items;
    mv_nopoc[name] = hex(blocks.motion[list].hash_nopoc);
  }
  out["mv"] = mv;
  out["mv_nopoc"] = mv_nopoc;
}

NamedValues digest(const NativePicture& self, std::int64_t n) {
  pipeline::PictureDigest digest;
  {
    const nb::gil_scoped_release release;
    digest = pipeline::Digester().digest(*self.primitives);
  }
  const prim::PictureInfo& info = self.primitives->info;
  NamedValues out;
  out["n"] = n;
  out["poc"] = info.poc;
  const bool is_h265 = info.codec == prim::Codec::kH265;
  if (is_h265) {
    out["nal_unit_type"] = info.nal_unit_type;
    out["slices"] = info.num_slices;
    out["segments"] = info.num_slice_segments;
  } else {
    out["structure"] = structure_name(info.structure);
    out["mbaff"] = info.mbaff;
    out["nal_ref_idc"] = info.nal_ref_idc;
    out["slices"] = info.num_slices;
  }
  out["slice_types"] = slice_types(info.slice_types);
  if (is_h265) {
    put_coding_units(out, digest.blocks);
  } else {
    put_macroblocks(out, digest.blocks);
  }
  nb::dict coeffs;
  const char* const planes[] = {"Y", "Cb", "Cr"};
  for (std::size_t i = 0; i < 3; ++i) {
    nb::list values;
    values.append(digest.levels[i].num_levels);
    values.append(digest.levels[i].sum_abs);
    values.append(hex(digest.levels[i].hash));
    coeffs[planes[i]] = values;
  }
  out["coeffs"] = coeffs;
  put_motion(out, digest.blocks);
  if (info.num_motion_lost != 0) out["num_motion_lost"] = info.num_motion_lost;
  if (digest.colour_plane) {
    for (std::size_t i = 0; i < 2; ++i) {
      nb::dict plane;
      put_macroblocks(plane, (*digest.colour_plane)[i]);
      put_motion(plane, (*digest.colour_plane)[i]);
      out[i == 0 ? "colour_plane_1" : "colour_plane_2"] = plane;
    }
  }
  return out;
}

}  // namespace

NamedValues to_dict(const prim::PictureInfo& info) {
  NamedValues d;
  d["decode_index"] = info.decode_index;
  d["pts"] = time_or_none(info.pts);
  d["dts"] = time_or_none(info.dts);
  d["time_base"] = nb::make_tuple(info.time_base_num, info.time_base_den);
  d["size_bytes"] = info.size_bytes;
  d["poc"] = info.poc;
  d["structure"] = structure_name(info.structure);
  d["is_second_field"] = info.is_second_field;
  d["mbaff"] = info.mbaff;
  d["is_idr"] = info.is_idr;
  d["is_random_access"] = info.is_random_access;
  d["recovery_frame_cnt"] = number_or_none(info.recovery_frame_cnt);
  d["pic_struct"] = number_or_none(info.pic_struct);
  d["frame_packing"] = number_or_none(info.frame_packing);
  d["is_reference"] = info.is_reference;
  d["is_leading"] = info.is_leading;
  d["nal_ref_idc"] = info.nal_ref_idc;
  d["nal_unit_type"] = info.nal_unit_type;
  d["temporal_id"] = info.temporal_id;
  d["slice_types"] = slice_types(info.slice_types);
  d["num_slices"] = info.num_slices;
  d["num_slice_segments"] = info.num_slice_segments;
  d["num_frames_lost"] = info.num_frames_lost;
  d["width"] = info.width;
  d["height"] = info.height;
  d["crop"] = nb::make_tuple(info.crop_left, info.crop_top, info.crop_right, info.crop_bottom);
  d["chroma_format_idc"] = info.chroma_format_idc;
  d["separate_colour_planes"] = info.separate_colour_planes;
  d["bit_depth_luma"] = info.bit_depth_luma;
  d["bit_depth_chroma"] = info.bit_depth_chroma;
  d["qp_sum"] = info.qp_sum;
  d["qp_min"] = info.qp_min;
  d["qp_max"] = info.qp_max;
  d["num_blocks_lost"] = info.num_blocks_lost;
  d["num_motion_lost"] = info.num_motion_lost;
  return d;
}

namespace {

/// Block arrays are properties of their own; each view holds a share in the primitives.
template <auto kMember>
auto block_property() {
  return
      [](const NativePicture& self) { return block_array(self, self.primitives->blocks.*kMember); };
}

template <auto kMember>
auto coeff_property() {
  return [](const NativePicture& self) {
    const auto& buffer = self.primitives->coeffs.*kMember;
    return view(self.primitives, buffer.data(), {buffer.size()});
  };
}

}  // namespace

void bind_picture(nb::module_& m) {
  using prim::BlockMap;
  using prim::CoeffStream;
  // The arrays have an owner already: not the Python object that they are read from.
  constexpr auto kOwned = nb::rv_policy::automatic;
  nb::class_<NativePicture>(m, "Picture", "A share in the primitives of one coded picture.")
      .def_ro("seconds", &NativePicture::seconds)
      .def_ro("is_discard", &NativePicture::is_discard)
      .def_prop_ro("info",
                   [](const NativePicture& self) {
                     NamedValues d = to_dict(self.primitives->info);
                     d["timestamp"] = self.seconds;
                     d["is_discard"] = self.is_discard;
                     return d;
                   })
      .def_prop_ro("block_size",
                   [](const NativePicture& self) { return self.primitives->blocks.block_size; })
      .def_prop_ro("mv", motion_vectors, kOwned)
      .def_prop_ro("ref_idx", ref_idx, kOwned)
      .def_prop_ro("ref_poc", ref_poc, kOwned)
      .def_prop_ro(
          "references", references,
          nb::sig("def references(self) -> list[tuple[tuple[tuple[int, int, bool], ...], ...]]"))
      .def_prop_ro("type", block_property<&BlockMap::type>(), kOwned)
      .def_prop_ro("flags", block_property<&BlockMap::flags>(), kOwned)
      .def_prop_ro("partition", block_property<&BlockMap::partition>(), kOwned)
      .def_prop_ro("partition_shape", block_property<&BlockMap::partition_shape>(), kOwned)
      .def_prop_ro("qp", block_property<&BlockMap::qp>(), kOwned)
      .def_prop_ro("slice_idx", block_property<&BlockMap::slice_idx>(), kOwned)
      .def_prop_ro("bits", block_property<&BlockMap::bits>(), kOwned)
      .def_prop_ro("records", records, kOwned)
      .def_prop_ro("positions", coeff_property<&CoeffStream::positions>(), kOwned)
      .def_prop_ro("levels", coeff_property<&CoeffStream::levels>(), kOwned)
      .def("digest", digest, "n"_a);
}

}  // namespace cope::native
