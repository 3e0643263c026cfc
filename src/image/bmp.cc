// BMP by hand: its rows are almost the result, and 16-bit colours are scaled as the reference scales them.
#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>

#include "image/codec.h"

namespace alexnet {
namespace {

constexpr std::size_t kFileHeaderBytes = 14;
constexpr std::uint32_t kOldHeaderBytes = 12;  // OS/2 1.x: 16-bit sizes, palette entries of 3 bytes
constexpr std::uint32_t kUncompressed = 0;
constexpr std::uint32_t kBitFields = 3;

using Masks = std::array<std::uint32_t, 3>;  // red, green, blue

struct Header {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  bool top_down = false;
  std::uint32_t bits = 0;  // per pixel
  std::uint32_t colors = 0;
  std::size_t color_bytes = 4;
  std::size_t pixels_at = 0;
  Masks masks{};
};

void read_masks(PictureReader& reader, Header& header) {
  Masks masks{};
  for (auto& mask : masks) mask = reader.u32_little();
  const bool whole_bytes = std::ranges::all_of(masks, [](std::uint32_t mask) {
    return mask != 0 && std::countr_zero(mask) % 8 == 0 && mask >> std::countr_zero(mask) == 0xff;
  });
  const bool distinct = (masks[0] & masks[1]) == 0 && (masks[0] & masks[2]) == 0 && (masks[1] & masks[2]) == 0;
  const bool known = header.bits == 16   ? masks == Masks{0x7c00, 0x3e0, 0x1f} || masks == Masks{0xf800, 0x7e0, 0x1f}
                     : header.bits == 24 ? masks == Masks{0xff0000, 0xff00, 0xff}
                     : header.bits == 32 ? (whole_bytes && distinct) || masks == Masks{}
                                         : false;
  if (!known) {
    reader.fail(ErrorKind::unsupported,
                fmt::format("has bit fields {:x}, {:x}, {:x} in {} bits", masks[0], masks[1], masks[2], header.bits));
  }
  if (masks != Masks{}) header.masks = masks;
}

Header read_header(PictureReader& reader) {
  Header header;
  reader.seek(10);
  header.pixels_at = reader.u32_little();
  const std::uint32_t size = reader.u32_little();
  std::uint32_t compression = kUncompressed;
  if (size == kOldHeaderBytes) {
    header.width = reader.u16_little();
    header.height = reader.u16_little();
    header.color_bytes = 3;
    reader.skip(2);
    header.bits = reader.u16_little();
  } else {
    header.width = reader.u32_little();
    const std::uint32_t height = reader.u32_little();
    header.top_down = height >> 31 != 0;
    header.height = header.top_down ? 0u - height : height;
    reader.skip(2);
    header.bits = reader.u16_little();
    compression = reader.u32_little();
    reader.skip(12);
    header.colors = reader.u32_little();
    reader.skip(4);
  }
  reader.check_size(header.width, header.height);
  constexpr std::array<std::uint32_t, 6> kBits{1, 4, 8, 16, 24, 32};
  if (std::ranges::find(kBits, header.bits) == kBits.end()) {
    reader.fail(ErrorKind::unsupported, fmt::format("has {} bits a pixel", header.bits));
  }
  header.masks = header.bits == 16 ? Masks{0x7c00, 0x3e0, 0x1f} : Masks{0xff0000, 0xff00, 0xff};
  if (compression == kBitFields) {
    read_masks(reader, header);
  } else if (compression != kUncompressed) {
    reader.fail(ErrorKind::unsupported, fmt::format("has compression {}", compression));
  }
  if (header.bits <= 8) {
    if (header.colors == 0) header.colors = 1u << header.bits;
    if (header.colors > 256) reader.fail(ErrorKind::corrupt, fmt::format("has a palette of {} colours", header.colors));
    // The masks of a larger header lie between what was read above and the palette.
    reader.seek(std::max(reader.position(), kFileHeaderBytes + size));
    // Some writers forget their palette when they say where the pixels begin.
    if (header.pixels_at == kFileHeaderBytes + size) header.pixels_at += header.colors * header.color_bytes;
  }
  return header;
}

std::uint8_t scaled(std::uint32_t pixel, std::uint32_t mask) {
  const int shift = std::countr_zero(mask);
  return static_cast<std::uint8_t>(((pixel & mask) >> shift) * 255 / (mask >> shift));
}

// One row of palette indices, highest bits first.
void write_indexed(std::span<const std::uint8_t> row, std::span<const std::array<std::uint8_t, 3>, 256> palette, std::uint32_t bits,
                   std::span<std::uint8_t> dst) {
  for (std::size_t x = 0; x < dst.size() / 3; ++x) {
    const std::size_t bit = x * bits;
    const unsigned index = row[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1);
    std::ranges::copy(palette[index], dst.begin() + static_cast<std::ptrdiff_t>(3 * x));
  }
}

void write_masked(std::span<const std::uint8_t> row, const Header& header, std::span<std::uint8_t> dst) {
  const std::size_t bytes = header.bits / 8;
  for (std::size_t x = 0; x < dst.size() / 3; ++x) {
    std::uint32_t pixel = 0;
    for (std::size_t i = 0; i < bytes; ++i) pixel |= std::uint32_t{row[x * bytes + i]} << 8 * i;
    for (std::size_t c = 0; c < 3; ++c) dst[3 * x + c] = scaled(pixel, header.masks[c]);
  }
}

}  // namespace

Decoded decode_bmp(PictureReader& reader) {
  const Header header = read_header(reader);
  std::array<std::array<std::uint8_t, 3>, 256> palette{};  // colours that the file does not name are black
  for (std::uint32_t i = 0; header.bits <= 8 && i < header.colors; ++i) {
    const auto entry = reader.take(header.color_bytes);
    palette[i] = {entry[2], entry[1], entry[0]};
  }
  if (header.pixels_at != 0) reader.seek(header.pixels_at);

  // Rows are padded to four bytes; of the last one the padding may be missing.
  const std::size_t row_bytes = (header.width * header.bits + 7) / 8;
  const std::size_t padding = (4 - row_bytes % 4) % 4;
  if (reader.left() < (row_bytes + padding) * header.height - padding) reader.fail(ErrorKind::truncated, "ends too early");
  Decoded decoded{.image = allocate_image(header.width, header.height), .format = {}, .notes = {}};
  const std::span<std::uint8_t> pixels(decoded.image.pixels);
  for (std::uint64_t i = 0; i < header.height; ++i) {
    const auto row = reader.take(row_bytes);
    if (i + 1 < header.height) reader.skip(padding);
    const std::uint64_t y = header.top_down ? i : header.height - 1 - i;
    const auto dst = pixels.subspan(3 * y * header.width, 3 * header.width);
    if (header.bits <= 8) {
      write_indexed(row, palette, header.bits, dst);
    } else {
      write_masked(row, header, dst);
    }
  }
  return decoded;
}

}  // namespace alexnet
