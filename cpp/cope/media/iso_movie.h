#pragma once

// Internal to cope/media.

#include <cstdint>
#include <vector>

#include "cope/media/edit_list.h"
#include "cope/media/source.h"

namespace cope::media {

/// What libavformat does not tell of the movie box of an ISO base media file (ISO/IEC 14496-12).
struct IsoMovie {
  struct Track {
    std::uint32_t track_id = 0;
    EditList edit_list;
  };
  std::vector<Track> tracks;  ///< those with edits

  /// False when a SampleSizeBox promises many more samples than the file has bytes for. libavformat
  /// would make an index of them all.
  bool is_plausible = true;
};

/// Reads box headers and edits, not media. Other kinds of files, and boxes that make no sense,
/// yield no tracks. Leaves `file` anywhere.
IsoMovie read_iso_movie(ByteSource& file);

}  // namespace cope::media
