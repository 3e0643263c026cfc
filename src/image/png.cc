// PNG through stb_image, which checks no CRC, inflates without limit, and reads palette entries that are not there.
// So the chunks are walked and checked here, and it sees a picture of our own making: header, palette of 256, data, end.
#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <zlib.h>

#include <fmt/format.h>

#include "base/text.h"
#include "image/codec.h"
#include "image/stb.h"

namespace alexnet {
namespace {

using namespace std::string_view_literals;

struct Chunk {
  std::string_view type;
  std::span<const std::uint8_t> data;
};

struct Header {
  std::uint64_t width;
  std::uint64_t height;
  std::uint64_t depth;  // bits per sample
  unsigned color;
  std::uint64_t channels;
};

constexpr unsigned kGrey = 0;
constexpr unsigned kPalette = 3;
constexpr std::size_t kPaletteBytes = 3 * 256;

struct Parts {
  Header header{};
  std::span<const std::uint8_t> header_data;
  std::vector<std::uint8_t> palette;
  std::vector<std::uint8_t> data;
  std::uint32_t frames = 1;
  bool has_end = false;
};

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Chunk next_chunk(PictureReader& reader) {
  const std::size_t begin = reader.position();
  const std::uint32_t size = reader.u32_big();
  const auto type = reader.take(4);
  const auto data = reader.take(size);
  const std::uint32_t wanted = reader.u32_big();
  // Type and data lie next to each other.
  const auto found = crc32_z(0, type.data(), type.size() + data.size());
  if (found != wanted) {
    reader.fail(ErrorKind::corrupt, fmt::format("has a wrong CRC in chunk {} at byte {}", shown(text_of(type)), begin));
  }
  return {text_of(type), data};
}

Header read_header(const PictureReader& reader, const Chunk& chunk) {
  if (chunk.type != "IHDR" || chunk.data.size() != 13) reader.fail(ErrorKind::corrupt, "does not begin with a header of 13 bytes");
  const auto big = [&](std::size_t at) {
    return std::uint32_t{chunk.data[at]} << 24 | std::uint32_t{chunk.data[at + 1]} << 16 | std::uint32_t{chunk.data[at + 2]} << 8 |
           chunk.data[at + 3];
  };
  Header header{.width = big(0), .height = big(4), .depth = chunk.data[8], .color = chunk.data[9], .channels = 0};
  reader.check_size(header.width, header.height);
  struct Kind {
    unsigned color;
    std::uint64_t channels;
    std::string_view depths;
  };
  constexpr std::array kKinds{Kind{kGrey, 1, "\1\2\4\x08\x10"}, Kind{2, 3, "\x08\x10"}, Kind{kPalette, 1, "\1\2\4\x08"},
                              Kind{4, 2, "\x08\x10"}, Kind{6, 4, "\x08\x10"}};
  const auto kind = std::ranges::find(kKinds, header.color, &Kind::color);
  if (kind == kKinds.end() || kind->depths.find(static_cast<char>(header.depth)) == kind->depths.npos) {
    reader.fail(ErrorKind::corrupt, fmt::format("has colour type {} with {} bits", header.color, header.depth));
  }
  if (chunk.data[10] != 0 || chunk.data[11] != 0 || chunk.data[12] > 1) {
    reader.fail(ErrorKind::unsupported, fmt::format("has compression {}, filter {} and interlacing {}; known are 0, 0 and 0 or 1",
                                                    chunk.data[10], chunk.data[11], chunk.data[12]));
  }
  header.channels = kind->channels;
  return header;
}

bool is_critical(std::string_view type) { return (type[0] & 0x20) == 0; }

Parts read_parts(PictureReader& reader) {
  reader.skip(8);
  Parts parts;
  const Chunk first = next_chunk(reader);
  parts.header = read_header(reader, first);
  parts.header_data = first.data;
  // A file that ends between two chunks may still hold all of the picture, which is all that the reference asks for.
  while (!parts.has_end && (reader.left() > 0 || parts.data.empty())) {
    const Chunk chunk = next_chunk(reader);
    if (chunk.type == "IDAT") {
      if (parts.header.color == kPalette && parts.palette.empty())
        reader.fail(ErrorKind::corrupt, "has no palette before its data");
      parts.data.insert(parts.data.end(), chunk.data.begin(), chunk.data.end());
    } else if (chunk.type == "PLTE") {
      if (chunk.data.size() % 3 != 0 || chunk.data.size() > kPaletteBytes || chunk.data.empty() || !parts.palette.empty()) {
        reader.fail(ErrorKind::corrupt, fmt::format("has a palette of {} bytes", chunk.data.size()));
      }
      parts.palette.assign(chunk.data.begin(), chunk.data.end());
    } else if (chunk.type == "IEND") {
      parts.has_end = true;
    } else if (chunk.type == "acTL" && chunk.data.size() == 8) {
      const auto b = chunk.data;
      parts.frames = std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
    } else if (is_critical(chunk.type)) {
      reader.fail(chunk.type == "IHDR" ? ErrorKind::corrupt : ErrorKind::unsupported,
                  fmt::format("has an unexpected critical chunk {}", shown(chunk.type)));
    }
  }
  if (parts.data.empty()) reader.fail(ErrorKind::corrupt, "holds no picture data");
  return parts;
}

// stb_image does not look at CRCs.
void append_chunk(std::vector<std::uint8_t>& file, std::string_view type, std::span<const std::uint8_t> data) {
  for (int shift = 24; shift >= 0; shift -= 8) file.push_back(static_cast<std::uint8_t>(data.size() >> shift));
  file.insert(file.end(), type.begin(), type.end());
  file.insert(file.end(), data.begin(), data.end());
  file.insert(file.end(), 4, 0);
}

std::vector<std::uint8_t> plain_file(Parts& parts) {
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  std::vector<std::uint8_t> file(kSignature.begin(), kSignature.end());
  file.reserve(parts.data.size() + 1024);
  append_chunk(file, "IHDR", parts.header_data);
  if (parts.header.color == kPalette) {
    parts.palette.resize(kPaletteBytes);  // colours that the file does not name are black
    append_chunk(file, "PLTE", parts.palette);
  }
  append_chunk(file, "IDAT", parts.data);
  append_chunk(file, "IEND", {});
  return file;
}

// What decoding an honest file needs at most in one block. Inflation may need twice its first guess: the passes of an
// interlaced picture have more rows, with a filter byte each.
std::size_t largest_block(const Header& header, std::size_t file_bytes) {
  const auto row = (header.width * header.depth + 7) / 8 * header.channels + 1;
  const auto pixel = std::max<std::uint64_t>(3, header.channels * (header.depth == 16 ? 2 : 1));
  return std::max({2 * row * header.height, pixel * header.width * header.height, 2 * std::uint64_t{file_bytes}}) + 4096;
}

template <typename Sample>
void require(const PictureReader& reader, const StbPicture<Sample>& picture, const Parts& parts) {
  if (picture.samples != nullptr) return;
  if (!parts.has_end) reader.fail(ErrorKind::truncated, "ends too early");
  if (picture.memory_ended) reader.fail(ErrorKind::corrupt, "inflates to more than twice what its header announces");
  reader.fail(ErrorKind::corrupt, fmt::format("can't be decoded: {}", picture.failure));
}

}  // namespace

Decoded decode_png(PictureReader& reader) {
  if (reader.left() > INT32_MAX / 2) reader.fail(ErrorKind::too_large, "is a file of more than 1 GB");
  Parts parts = read_parts(reader);
  const auto file = plain_file(parts);
  const std::size_t block = largest_block(parts.header, file.size());
  Decoded decoded;
  if (parts.header.color == kGrey && parts.header.depth == 16) {
    const auto picture = stb_grey16(file, block);
    require(reader, picture, parts);
    decoded.image = allocate_image(parts.header.width, parts.header.height);
    auto dst = decoded.image.pixels.begin();
    for (std::size_t i = 0; i < decoded.image.pixels.size() / 3; ++i) {
      dst = std::fill_n(dst, 3, static_cast<std::uint8_t>(std::min<unsigned>(picture.samples[i], 255)));  // clipped, not scaled
    }
  } else {
    const auto picture = stb_rgb(file, block);
    require(reader, picture, parts);
    const auto* samples = picture.samples.get();
    decoded.image = {static_cast<int>(parts.header.width), static_cast<int>(parts.header.height), {}};
    decoded.image.pixels.assign(samples, samples + 3 * parts.header.width * parts.header.height);
  }
  if (parts.frames > 1) decoded.notes.push_back(fmt::format("first of {} frames", parts.frames));
  return decoded;
}

}  // namespace alexnet
