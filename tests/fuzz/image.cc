// Any bytes as a picture: pixels, as many as the size says, or an Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "alexnet/error.h"
#include "image/decode.h"
#include "image/jpeg_segments.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const int orientation = alexnet::exif_orientation(bytes);
  if (orientation < 1 || orientation > 8) std::abort();
  for (const bool allow_truncated : {false, true}) {
    try {
      const auto decoded = alexnet::decode(bytes, {.max_pixels = 1 << 16, .allow_truncated = allow_truncated}, "input");
      const auto pixels = static_cast<std::size_t>(decoded.image.width) * static_cast<std::size_t>(decoded.image.height);
      if (pixels == 0 || pixels > 1 << 16 || decoded.image.pixels.size() != 3 * pixels) std::abort();
    } catch (const alexnet::Error&) {
    }
  }
  return 0;
}
