// Bilinear resampling of 8-bit pictures, bit for bit as Pillow or OpenCV does it.
#pragma once

#include <cstdint>

#include "image/image.h"

namespace alexnet {

// Which axis is resampled first. Between the passes pixels are rounded to 8 bits, so the order changes about a quarter of
// the bytes of a noisy picture by 1.
enum class PassOrder {
  pillow13,          // vertical first if the height shrinks, and by more than twice what the width shrinks (Pillow 13.0)
  pillow12_2,        // vertical first if the picture is over 100 times taller than wide and shrinks in height (Pillow 12.2, 12.3)
  horizontal_first,  // Pillow 12.1 and older
};

enum class ResampleFilterKind {
  bilinear,       // Pillow's, as the options below say
  opencv_linear,  // OpenCV's INTER_LINEAR, which has no options (resample_opencv.h)
};

struct ResampleOptions {
  ResampleFilterKind filter = ResampleFilterKind::bilinear;
  // Widen the filter with the reduction factor, as Pillow always does. Without, each pixel is interpolated between its
  // two nearest neighbours along each axis (pixel centres at half integers): within 1 of OpenCV's INTER_LINEAR.
  bool antialias = true;
  PassOrder pass_order = PassOrder::pillow13;
};

struct Rectangle {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// A picture of more pixels than this is not made, nor one with a side of more than 2^24.
inline constexpr std::int64_t kMaxResampledPixels = 178'956'970;

// Enlarges or shrinks the picture to width x height; an axis that keeps its size is copied. Throws Error of kind too_large
// if the result, or the picture between the passes, would be larger than that.
Image resize(const ImageView& source, int width, int height, const ResampleOptions& options = {});

// The same bytes as `part` of resize(source, width, height), at the cost of that part alone. The part must lie inside.
Image resize_part(const ImageView& source, int width, int height, const Rectangle& part, const ResampleOptions& options = {});

}  // namespace alexnet
