#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace cope::pipeline {

/// A shared stream below COPE_TEST_DATA, else below `shared` beside the repository.
inline std::filesystem::path stream_path(const std::string& name) {
  if (const char* folder = std::getenv("COPE_TEST_DATA")) {
    return std::filesystem::path(folder) / "streams" / name;
  }
  const auto repository = std::filesystem::path(__FILE__).parent_path() / "../../..";
  return repository / "../shared/streams" / name;
}

}  // namespace cope::pipeline

/// Skips the running test, or fails it when COPE_REQUIRE_DATA=1, unless the stream is there.
#define COPE_REQUIRE_STREAM(path)                                          \
  do {                                                                     \
    if (!std::filesystem::exists(path)) {                                  \
      const char* const cope_required = std::getenv("COPE_REQUIRE_DATA");  \
      if (cope_required != nullptr && std::string(cope_required) == "1") { \
        FAIL() << "no " << (path) << " (COPE_REQUIRE_DATA=1)";             \
      }                                                                    \
      GTEST_SKIP() << "no " << (path) << ": set COPE_TEST_DATA";           \
    }                                                                      \
  } while (false)
