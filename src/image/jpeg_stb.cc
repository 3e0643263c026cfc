// JPEG through stb_image, for builds without libjpeg-turbo. Bytes differ from the reference by up to 3, and arithmetic coding
// is unknown. stb_image keeps each component at its full size, and of progressive files the coefficients too.
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "image/codec.h"
#include "image/jpeg_segments.h"
#include "image/stb.h"

namespace alexnet {
namespace {

struct Frame {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  std::uint8_t marker = 0;
  int headers = 0;
  bool whole_tables = true;  // Huffman tables of at most 256 symbols, all there: stb_image has room for no more
  JpegEnd end = JpegEnd::marker;
};

constexpr std::uint8_t kProgressive = 0xc2;  // after baseline, 0xc0, and extended, 0xc1
constexpr std::uint8_t kHuffmanTables = 0xc4;

bool is_frame_header(std::uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

// Of each table there are a byte for its place, the counts of symbols by the length of their codes, and the symbols.
bool are_whole_tables(std::span<const std::uint8_t> tables) {
  constexpr std::size_t kLengths = 16;
  while (tables.size() > kLengths) {
    const auto counts = tables.subspan(1, kLengths);
    const std::size_t symbols = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
    if (symbols > 256 || 1 + kLengths + symbols > tables.size()) return false;
    tables = tables.subspan(1 + kLengths + symbols);
  }
  return tables.empty();
}

Frame find_frame(std::span<const std::byte> bytes) {
  Frame frame;
  frame.end = visit_jpeg_segments(bytes, [&](std::uint8_t marker, std::span<const std::uint8_t> payload) {
    if (marker == kHuffmanTables && !are_whole_tables(payload)) frame.whole_tables = false;
    if (!is_frame_header(marker) || payload.size() < 5) return true;
    ++frame.headers;
    frame.marker = marker;
    frame.height = std::uint64_t{payload[1]} << 8 | payload[2];
    frame.width = std::uint64_t{payload[3]} << 8 | payload[4];
    return true;
  });
  return frame;
}

}  // namespace

Decoded decode_jpeg(PictureReader& reader) {
  const Frame frame = find_frame(reader.bytes());
  const bool truncated = frame.end != JpegEnd::marker;
  const bool usable = frame.end == JpegEnd::data && frame.headers > 0 && reader.options().allow_truncated;
  if (truncated && !usable) {
    reader.fail(ErrorKind::truncated, "ends too early", "--allow-truncated decodes what is there");
  }
  if (frame.headers != 1) reader.fail(ErrorKind::corrupt, fmt::format("has {} frame headers", frame.headers));
  reader.check_size(frame.width, frame.height);
  if (frame.marker > kProgressive) {
    reader.fail(ErrorKind::unsupported, fmt::format("has the frame marker {:02x}, which this build does not decode", frame.marker));
  }
  if (!frame.whole_tables) reader.fail(ErrorKind::corrupt, "has a Huffman table that is too long or cut off");
  if (reader.left() > INT32_MAX / 2) reader.fail(ErrorKind::too_large, "is a file of more than 1 GB");
  auto bytes = reader.take(reader.left());
  std::vector<std::uint8_t> ended;
  if (truncated) {
    ended.assign(bytes.begin(), bytes.end());
    ended.insert(ended.end(), {0xff, 0xd9});
    bytes = ended;
  }

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
