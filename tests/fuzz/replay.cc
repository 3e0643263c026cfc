// Stands in for libFuzzer where it is not linked: gives the target each file of the folders named on the command line,
// each of its beginnings, and copies with a few bytes changed. The changes depend on nothing but the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kBeginnings = 64;
constexpr int kMutations = 256;

std::size_t inputs = 0;

// A copy of its own each time, so that a read past the end is a read past an allocation.
void give(std::vector<std::uint8_t> input) {
  input.shrink_to_fit();
  LLVMFuzzerTestOneInput(input.data(), input.size());
  ++inputs;
}

void replay(const std::vector<std::uint8_t>& file) {
  give(file);
  const std::size_t step = std::max<std::size_t>(1, file.size() / kBeginnings);
  for (std::size_t size = 0; size < file.size(); size += step) {
    give({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)});
  }
  if (file.empty()) return;
  std::mt19937 random(static_cast<std::uint32_t>(file.size()));
  for (int i = 0; i < kMutations; ++i) {
    auto changed = file;
    for (std::uint32_t edits = 1 + random() % 4; edits > 0; --edits) {
      changed[random() % changed.size()] = static_cast<std::uint8_t>(random());
    }
    give(std::move(changed));
  }
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(arguments[i])) {
      if (!entry.is_regular_file()) continue;
      std::ifstream stream(entry.path(), std::ios::binary);
      replay({std::istreambuf_iterator<char>(stream), {}});
    }
  }
  std::printf("%zu inputs\n", inputs);
  return inputs == 0 ? 1 : 0;
}
