// Pictures made on the spot.
#pragma once

#include <string>

namespace alexnet::test {

// A PPM file (P6) of noise that depends on the seed.
std::string noise_ppm(int width, int height, unsigned seed);

}  // namespace alexnet::test
