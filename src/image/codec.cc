#include "image/codec.h"

#include <utility>

#include <fmt/format.h>

namespace alexnet {

void PictureReader::seek(std::size_t position) {
  if (position > bytes_.size()) fail(ErrorKind::truncated, "ends too early");
  position_ = position;
}

std::span<const std::uint8_t> PictureReader::take(std::size_t count) {
  if (count > left()) fail(ErrorKind::truncated, "ends too early");
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes_.data()) + position_;
  position_ += count;
  return {begin, count};
}

std::uint32_t PictureReader::little(std::size_t count) {
  const auto b = take(count);
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value |= std::uint32_t{b[i]} << 8 * i;
  return value;
}

std::uint32_t PictureReader::big(std::size_t count) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : take(count)) value = value << 8 | byte;
  return value;
}

void PictureReader::fail(ErrorKind kind, const std::string& message, std::string hint) const {
  throw Error(kind, where_, fmt::format("the {} picture {}", format_, message), std::move(hint));
}

void PictureReader::check_size(std::uint64_t width, std::uint64_t height) const {
  constexpr std::uint64_t kMaxSide = 1 << 24;
  if (width == 0 || height == 0) fail(ErrorKind::corrupt, fmt::format("has no pixels: {} x {}", width, height));
  if (width > kMaxSide || height > kMaxSide) {
    fail(ErrorKind::too_large, fmt::format("has {} x {} pixels; a side may have {}", width, height, kMaxSide));
  }
  if (width * height > options_.max_pixels) {
    fail(ErrorKind::too_large, fmt::format("has {} x {} pixels, more than {}", width, height, options_.max_pixels),
         "--max-pixels sets the limit");
  }
}

Image allocate_image(std::uint64_t width, std::uint64_t height) {
  Image image{.width = static_cast<int>(width), .height = static_cast<int>(height), .pixels = {}};
  image.pixels.resize(3 * width * height);
  return image;
}

}  // namespace alexnet
