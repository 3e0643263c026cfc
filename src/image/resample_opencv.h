#pragma once

#include "image/resample.h"

namespace alexnet {

// `part` of the picture resized to width x height, which is not its own size, as cv::resize with INTER_LINEAR does it with 8-bit
// pictures (opencv 4 and 5, modules/imgproc/src/resize.cpp): two neighbours along each axis, pixel centres at half integers,
// weights of 11 bits, and the mean of 2 x 2 pixels where both sides are halved. `result` has the part's size.
void resample_opencv(const ImageView& source, int width, int height, const Rectangle& part, Image& result);

}  // namespace alexnet
