// Any bytes as a picture: pixels, as many as the size says, or an Error. Changed PNGs get right checksums again, so that they
// come further than to the first chunk.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "alexnet/error.h"
#include "image/decode.h"
#include "image/jpeg_segments.h"

namespace {

void try_decode(std::span<const std::uint8_t> bytes, bool allow_truncated) {
  constexpr std::size_t kMaxPixels = 1 << 16;
  try {
    const auto decoded =
        alexnet::decode(std::as_bytes(bytes), {.max_pixels = kMaxPixels, .allow_truncated = allow_truncated}, "input");
    const auto pixels = static_cast<std::size_t>(decoded.image.width) * static_cast<std::size_t>(decoded.image.height);
    if (pixels == 0 || pixels > kMaxPixels || decoded.image.pixels.size() != 3 * pixels) std::abort();
  } catch (const alexnet::Error&) {
  }
}

// Of each chunk that lies inside.
void mend_checksums(std::vector<std::uint8_t>& png) {
  constexpr std::size_t kSignature = 8;
  constexpr std::size_t kAroundData = 12;  // size and type before, checksum behind
  for (std::size_t at = kSignature; at + kAroundData <= png.size();) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | png[at + i];
    if (size > png.size() - at - kAroundData) return;
    const auto crc = crc32_z(0, &png[at + 4], size + 4);
    for (std::size_t i = 0; i < 4; ++i) png[at + 8 + size + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    at += kAroundData + size;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  const int orientation = alexnet::exif_orientation(std::as_bytes(bytes));
  if (orientation < 1 || orientation > 8) std::abort();
  for (const bool allow_truncated : {false, true}) try_decode(bytes, allow_truncated);
  constexpr std::string_view kPng = "\x89PNG";
  if (size >= kPng.size() &&
      std::equal(kPng.begin(), kPng.end(), data, [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; })) {
    std::vector<std::uint8_t> mended(bytes.begin(), bytes.end());
    mend_checksums(mended);
    try_decode(mended, false);
  }
  return 0;
}
