// Runs a fuzz target over files without libFuzzer: with any compiler, under any sanitizer.
//
//   <target>_replay [--seconds N] [--megabytes N] PATH...
//
// A PATH may be a folder. Each file must finish within N seconds (default 10), and the process may
// never hold more than N megabytes (default 2048): a file that breaks either is a finding, as is a
// crash.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

char current_file[4096] = "";

void report_timeout(int) {
  const char text[] = "replay: time limit exceeded by ";
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
  (void)!write(STDERR_FILENO, current_file, std::strlen(current_file));
  (void)!write(STDERR_FILENO, "\n", 1);
  std::abort();
}

void add_files(const std::filesystem::path& path, std::vector<std::filesystem::path>& files) {
  if (!std::filesystem::is_directory(path)) {
    files.push_back(path);
    return;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  std::vector<std::uint8_t> bytes(
      std::filesystem::file_size(path));  // exact: no slack to read into
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

long peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned seconds = 10;
  long megabytes = 2048;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) {
      seconds = static_cast<unsigned>(std::atoi(argv[++i]));
    } else if (argument == "--megabytes" && i + 1 < argc) {
      megabytes = std::atol(argv[++i]);
    } else if (std::filesystem::exists(argument)) {
      add_files(argument, files);
    } else {
      std::fprintf(stderr, "replay: no %s\n", argument.c_str());
      const char* require = std::getenv("COPE_REQUIRE_DATA");
      return require != nullptr && std::strcmp(require, "1") == 0 ? 1 : 77;
    }
  }
  std::sort(files.begin(), files.end());
  std::signal(SIGALRM, report_timeout);
  for (const auto& file : files) {
    std::snprintf(current_file, sizeof current_file, "%s", file.c_str());
    const std::vector<std::uint8_t> bytes = read_file(file);
    const auto start = std::chrono::steady_clock::now();
    alarm(seconds);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    alarm(0);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    std::printf("%8.3f s %6ld MB %s (%zu bytes)\n", elapsed.count(), peak_megabytes(), current_file,
                bytes.size());
    std::fflush(stdout);
    if (peak_megabytes() > megabytes) {
      std::fprintf(stderr, "replay: more than %ld MB after %s\n", megabytes, current_file);
      return 1;
    }
  }
  std::printf("%zu files, no finding\n", files.size());
  return files.empty() ? 1 : 0;
}
