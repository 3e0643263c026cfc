#pragma once

#include <string>

#include "image/image.h"

namespace alexnet {

// The picture as the bytes of a PNG file: 8-bit RGB, not interlaced, without metadata.
std::string encode_png(const Image& image);

}  // namespace alexnet
