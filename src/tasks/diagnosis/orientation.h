#pragma once

#include "image/image.h"

namespace alexnet {

// The picture as a viewer shows it whose EXIF orientation is this (1 to 8: JEITA CP-3451, table 6).
Image oriented(const Image& image, int orientation);

}  // namespace alexnet
