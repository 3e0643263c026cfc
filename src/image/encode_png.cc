#include "image/encode_png.h"

#include <cstdint>
#include <string_view>

#include <zlib.h>

#include "alexnet/error.h"

namespace alexnet {
namespace {

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

// Length, type, content, CRC of type and content (PNG specification, 5.3).
std::string chunk(std::string_view type, std::string_view content) {
  const std::string body = std::string(type) + std::string(content);
  const auto crc = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(content.size())) + body + big_endian(static_cast<std::uint32_t>(crc));
}

std::string deflated(const std::string& bytes) {
  uLongf size = ::compressBound(bytes.size());
  std::string result(size, '\0');
  if (::compress(reinterpret_cast<Bytef*>(result.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) !=
      Z_OK) {
    throw Error(ErrorKind::resources, "", "memory ran out while compressing a picture");
  }
  result.resize(size);
  return result;
}

}  // namespace

std::string encode_png(const Image& image) {
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  constexpr char kNoFilter = 0;
  const auto row_bytes = 3 * static_cast<std::size_t>(image.width);
  std::string rows;
  rows.reserve((row_bytes + 1) * static_cast<std::size_t>(image.height));
  for (int y = 0; y < image.height; ++y) {
    rows += kNoFilter;
    rows.append(reinterpret_cast<const char*>(image.pixels.data()) + static_cast<std::size_t>(y) * row_bytes, row_bytes);
  }
  // 8 bits, colour type 2 (RGB), and the only compression, filter method and no interlacing.
  const std::string header = big_endian(static_cast<std::uint32_t>(image.width)) +
                             big_endian(static_cast<std::uint32_t>(image.height)) + std::string("\x08\x02\x00\x00\x00", 5);
  return std::string(kSignature) + chunk("IHDR", header) + chunk("IDAT", deflated(rows)) + chunk("IEND", "");
}

}  // namespace alexnet
