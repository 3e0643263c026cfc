#include "image/resample.h"

#include <algorithm>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "image/resample_filter.h"
#include "image/resample_opencv.h"

namespace alexnet {
namespace {

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

std::uint8_t rounded(std::int32_t sum) { return static_cast<std::uint8_t>(std::min(sum >> kWeightBits, 255)); }

void check_size(std::int64_t width, std::int64_t height) {
  constexpr std::int64_t kMaxSide = 1 << 24;
  if (width * height <= kMaxResampledPixels && std::max(width, height) <= kMaxSide) return;
  throw Error(ErrorKind::too_large, "",
              fmt::format("resizing would make a picture of {} x {} pixels; at most {} are allowed, and {} along a side", width,
                          height, kMaxResampledPixels, kMaxSide));
}

Image blank(std::int64_t width, std::int64_t height) {
  check_size(width, height);
  Image image{.width = static_cast<int>(width), .height = static_cast<int>(height), .pixels = {}};
  image.pixels.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  return image;
}

Image copy(const ImageView& source) {
  Image result = blank(source.width, source.height);
  const std::size_t bytes = 3 * static_cast<std::size_t>(source.width);
  for (int y = 0; y < source.height; ++y) {
    std::copy_n(source.row(y), bytes, result.pixels.data() + static_cast<std::size_t>(y) * bytes);
  }
  return result;
}

// Row y of the result is made of row y of the source, whose column 0 is column `left` of the filter's input.
Image horizontal_pass(const ImageView& source, const ResampleFilter& filter, int left) {
  Image result = blank(static_cast<std::int64_t>(filter.taps.size()), source.height);
  std::uint8_t* dst = result.pixels.data();
  for (int y = 0; y < source.height; ++y) {
    const std::uint8_t* row = source.row(y);
    for (const Taps& taps : filter.taps) {
      const std::uint8_t* src = row + 3 * static_cast<std::size_t>(taps.first - left);
      const std::int32_t* weight = filter.weights.data() + taps.weight;
      std::int32_t red = kHalf;
      std::int32_t green = kHalf;
      std::int32_t blue = kHalf;
      for (int j = 0; j < taps.count; ++j, src += 3) {
        red += src[0] * weight[j];
        green += src[1] * weight[j];
        blue += src[2] * weight[j];
      }
      dst[0] = rounded(red);
      dst[1] = rounded(green);
      dst[2] = rounded(blue);
      dst += 3;
    }
  }
  return result;
}

// Column x of the result is made of column x of the source, whose row 0 is row `top` of the filter's input.
Image vertical_pass(const ImageView& source, const ResampleFilter& filter, int top) {
  constexpr std::size_t kBlock = 2048;  // sums of one stretch of a row stay in the first cache
  Image result = blank(source.width, static_cast<std::int64_t>(filter.taps.size()));
  const std::size_t bytes = 3 * static_cast<std::size_t>(source.width);
  std::uint8_t* dst = result.pixels.data();
  std::int32_t sums[kBlock];
  for (const Taps& taps : filter.taps) {
    for (std::size_t begin = 0; begin < bytes; begin += kBlock) {
      const std::size_t count = std::min(kBlock, bytes - begin);
      std::fill_n(sums, count, kHalf);
      for (int j = 0; j < taps.count; ++j) {
        const std::uint8_t* src = source.row(taps.first - top + j) + begin;
        const std::int32_t weight = filter.weights[taps.weight + static_cast<std::size_t>(j)];
        for (std::size_t i = 0; i < count; ++i) sums[i] += src[i] * weight;
      }
      for (std::size_t i = 0; i < count; ++i) dst[begin + i] = rounded(sums[i]);
    }
    dst += bytes;
  }
  return result;
}

bool vertical_goes_first(const ImageView& source, int width, int height, PassOrder order) {
  switch (order) {
    case PassOrder::pillow13:
      return source.height > height && std::int64_t{source.height} - height > 2 * (std::int64_t{source.width} - width);
    case PassOrder::pillow12_2: return source.height > height && source.height > 100 * std::int64_t{source.width};
    case PassOrder::horizontal_first: return false;
  }
  return false;
}

}  // namespace

Image resize_part(const ImageView& source, int width, int height, const Rectangle& part, const ResampleOptions& options) {
  check_size(part.width, part.height);
  const bool keeps_width = source.width == width;
  const bool keeps_height = source.height == height;
  if (options.filter == ResampleFilterKind::opencv_linear && !(keeps_width && keeps_height)) {
    Image result = blank(part.width, part.height);
    resample_opencv(source, width, height, part, result);
    return result;
  }
  const ResampleFilter across = make_resample_filter(source.width, width, part.x, part.width, options.antialias);
  const ResampleFilter down = make_resample_filter(source.height, height, part.y, part.height, options.antialias);
  const int left = keeps_width ? part.x : across.taps.front().first;
  const int top = keeps_height ? part.y : down.taps.front().first;
  const int right = keeps_width ? part.x + part.width : across.taps.back().end();
  const int bottom = keeps_height ? part.y + part.height : down.taps.back().end();
  const ImageView used = source.rectangle(left, top, right - left, bottom - top);
  if (keeps_width && keeps_height) return copy(used);
  if (keeps_width) return vertical_pass(used, down, top);
  if (keeps_height) return horizontal_pass(used, across, left);
  if (vertical_goes_first(source, width, height, options.pass_order)) {
    return horizontal_pass(vertical_pass(used, down, top), across, left);
  }
  return vertical_pass(horizontal_pass(used, across, left), down, top);
}

Image resize(const ImageView& source, int width, int height, const ResampleOptions& options) {
  return resize_part(source, width, height, {.x = 0, .y = 0, .width = width, .height = height}, options);
}

}  // namespace alexnet
