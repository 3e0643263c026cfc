// JPEG through stb_image, for builds without libjpeg-turbo. Bytes differ from the reference by up to 3. Memory: stb_image
// keeps each component at its full size, and of progressive files the coefficients too.
#include <fmt/format.h>

#include "image/codec.h"
#include "image/jpeg_segments.h"
#include "image/stb.h"

namespace alexnet {
namespace {

struct Frame {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  int segments = 0;  // frame headers seen
  bool whole = false;
};

bool is_frame_header(std::uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

Frame find_frame(std::span<const std::byte> bytes) {
  Frame frame;
  frame.whole = visit_jpeg_segments(bytes, [&](std::uint8_t marker, std::span<const std::uint8_t> payload) {
    if (!is_frame_header(marker) || payload.size() < 5) return true;
    ++frame.segments;
    frame.height = std::uint64_t{payload[1]} << 8 | payload[2];
    frame.width = std::uint64_t{payload[3]} << 8 | payload[4];
    return true;
  });
  return frame;
}

}  // namespace

Decoded decode_jpeg(PictureReader& reader) {
  const Frame frame = find_frame(reader.bytes());
  const bool truncated = !frame.whole;
  if (truncated && (frame.segments == 0 || !reader.options().allow_truncated)) {
    reader.fail(ErrorKind::truncated, "ends too early", "--allow-truncated decodes what is there");
  }
  if (frame.segments != 1) reader.fail(ErrorKind::corrupt, fmt::format("has {} frame headers", frame.segments));
  reader.check_size(frame.width, frame.height);
  const auto bytes = reader.take(reader.left());
  if (bytes.size() > INT32_MAX) reader.fail(ErrorKind::too_large, "is a file of more than 2 GB");

  // Sides are rounded up to whole blocks of the coarsest sampling, and coefficients take 2 bytes.
  constexpr std::uint64_t kBlockSide = 8 * 4;
  const std::uint64_t component = (frame.width + kBlockSide) * (frame.height + kBlockSide);
  const auto picture = stb_rgb(bytes, 3 * component + 65536);
  if (picture.samples == nullptr || picture.width != static_cast<int>(frame.width) ||
      picture.height != static_cast<int>(frame.height)) {
    reader.fail(ErrorKind::corrupt, fmt::format("can't be decoded: {}", picture.failure));
  }
  Decoded decoded{.image = {picture.width, picture.height, {}}, .format = {}, .notes = {}};
  decoded.image.pixels.assign(picture.samples.get(), picture.samples.get() + 3 * frame.width * frame.height);
  if (truncated) decoded.notes.emplace_back("ends too early");
  return decoded;
}

std::string_view jpeg_decoder() { return "stb_image"; }

}  // namespace alexnet
