// A folder with a small model and pictures of noise, and the command run on them.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/cli/command.h"
#include "tests/pictures.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet::test {

// Sanitizers take memory of their own and time.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

class CommandTest : public testing::Test {
 protected:
  CommandTest() : model_(write_tiny_model(folder_.path()).string()) { std::filesystem::create_directory(folder_.path() / "in"); }

  // in/00.ppm and so on.
  void write_pictures(int count) {
    for (int i = 0; i < count; ++i)
      folder_.write(fmt::format("in/{:02}.ppm", i), noise_ppm(40 + i % 9, 50 - i % 7, static_cast<unsigned>(i)));
  }

  // In the folder, with the small model.
  Surroundings here(Surroundings around = {}) const {
    if (around.folder.empty()) around.folder = folder_.path();
    around.environment.insert(around.environment.begin(), {"ALEXNET_MODEL", model_});
    return around;
  }
  Result alexnet(std::vector<std::string> arguments, Surroundings around = {}) const {
    return run(std::move(arguments), here(std::move(around)));
  }

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder_;
  std::string model_;
};

}  // namespace alexnet::test
