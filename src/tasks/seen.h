#pragma once

#include "image/image.h"
#include "image/preprocess.h"

namespace alexnet {

// What the network sees of a picture: the picture after those steps that work on its bytes, resizing and cropping.
Image seen(const Preprocessing& preprocessing, const Image& image);

}  // namespace alexnet
