#include "tests/pictures.h"

#include <cstdint>

namespace alexnet::test {

std::string noise_ppm(int width, int height, unsigned seed) {
  std::string file = fmt::format("P6\n{} {}\n255\n", width, height);
  std::uint64_t state = seed + 1u;
  for (int i = 0; i < 3 * width * height; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    file += static_cast<char>(state >> 56);
  }
  return file;
}

}  // namespace alexnet::test
