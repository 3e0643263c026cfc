// GIF by hand: stb_image takes an incomplete picture for a whole one, refuses tables left full for long, and leaves
// transparent pixels black, where the reference shows their colour.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "image/codec.h"

namespace alexnet {
namespace {

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;

struct Frame {
  std::uint32_t x;
  std::uint32_t y;
  std::uint32_t width;
  std::uint32_t height;
  bool interlaced;
};

// Colours that the file does not name are black; a table whose entries are their own grey is no table at all, and every
// index is then a grey.
Palette read_palette(PictureReader& reader, unsigned flags) {
  const auto entries = reader.take(std::size_t{6} << (flags & 7));
  Palette palette{};
  bool identity = true;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    palette[i / 3][i % 3] = entries[i];
    identity = identity && entries[i] == i / 3;
  }
  if (identity) {
    for (std::size_t i = 0; i < palette.size(); ++i) palette[i].fill(static_cast<std::uint8_t>(i));
  }
  return palette;
}

void skip_blocks(PictureReader& reader) {
  while (const std::size_t size = reader.u8()) reader.skip(size);
}

// Reads the code stream of a frame (Welch 1984, with codes that grow from 3 to 12 bits, lowest bit first).
class CodeReader {
 public:
  explicit CodeReader(PictureReader& reader) : reader_(reader) {}

  // Nothing after the last block.
  std::optional<unsigned> next(unsigned bits) {
    while (available_ < bits) {
      if (block_.empty()) {
        const std::size_t size = ended_ ? 0 : reader_.u8();
        ended_ = size == 0;
        if (ended_) return std::nullopt;
        block_ = reader_.take(size);
      }
      pending_ |= std::uint32_t{block_[0]} << available_;
      available_ += 8;
      block_ = block_.subspan(1);
    }
    const unsigned code = pending_ & ((1u << bits) - 1);
    pending_ >>= bits;
    available_ -= bits;
    return code;
  }

 private:
  PictureReader& reader_;
  std::span<const std::uint8_t> block_;
  std::uint32_t pending_ = 0;
  unsigned available_ = 0;
  bool ended_ = false;
};

class Table {
 public:
  static constexpr unsigned kMaxCodes = 4096;

  explicit Table(unsigned bits) : clear_(1u << bits), first_bits_(bits + 1) {
    for (unsigned i = 0; i < clear_; ++i) last_[i] = static_cast<std::uint8_t>(i);
    reset();
  }

  unsigned clear() const { return clear_; }
  unsigned end() const { return clear_ + 1; }
  unsigned bits() const { return bits_; }
  unsigned size() const { return size_; }

  void reset() {
    size_ = clear_ + 2;
    bits_ = first_bits_;
  }

  void add(unsigned prefix, std::uint8_t last) {
    if (size_ == kMaxCodes) return;
    prefix_[size_] = static_cast<std::uint16_t>(prefix);
    last_[size_] = last;
    ++size_;
    if (size_ == 1u << bits_ && bits_ < 12) ++bits_;
  }

  // The indices that the code stands for, last one first.
  void spell(unsigned code, std::vector<std::uint8_t>& reversed) const {
    for (; code > end(); code = prefix_[code]) reversed.push_back(last_[code]);
    reversed.push_back(last_[code]);
  }

 private:
  unsigned clear_;
  unsigned first_bits_;
  unsigned bits_ = 0;
  unsigned size_ = 0;
  std::array<std::uint16_t, kMaxCodes> prefix_{};
  std::array<std::uint8_t, kMaxCodes> last_{};
};

std::vector<std::uint8_t> read_indices(PictureReader& reader, std::size_t count) {
  const unsigned bits = reader.u8();
  if (bits < 1 || bits > 8) reader.fail(ErrorKind::corrupt, fmt::format("has codes of {} bits", bits));
  std::vector<std::uint8_t> indices;
  indices.reserve(count);
  Table table(bits);
  CodeReader codes(reader);
  std::vector<std::uint8_t> reversed;
  constexpr unsigned kNone = Table::kMaxCodes;
  unsigned previous = kNone;
  while (indices.size() < count) {
    const auto code = codes.next(table.bits());
    if (!code || *code == table.end()) {
      reader.fail(ErrorKind::truncated, fmt::format("ends after {} of {} pixels", indices.size(), count));
    }
    if (*code == table.clear()) {
      table.reset();
      previous = kNone;
      continue;
    }
    // A code just being defined begins and ends with the first index of the one before it.
    const bool defines_itself = previous != kNone && *code == table.size() && table.size() < Table::kMaxCodes;
    if (!defines_itself && (*code >= table.size() || (previous == kNone && *code > table.end()))) {
      reader.fail(ErrorKind::corrupt, fmt::format("uses code {} before defining it", *code));
    }
    reversed.assign(defines_itself ? 1 : 0, 0);
    table.spell(defines_itself ? previous : *code, reversed);
    const std::uint8_t first = reversed.back();
    if (defines_itself) reversed.front() = first;
    if (previous != kNone) table.add(previous, first);
    previous = *code;
    const std::size_t used = std::min(reversed.size(), count - indices.size());
    indices.insert(indices.end(), reversed.rbegin(), reversed.rbegin() + static_cast<std::ptrdiff_t>(used));
  }
  return indices;
}

// The rows of an interlaced frame come in four passes.
std::vector<std::uint32_t> row_order(const Frame& frame) {
  std::vector<std::uint32_t> order;
  order.reserve(frame.height);
  const auto every = [&](std::uint32_t first, std::uint32_t step) {
    for (std::uint32_t y = first; y < frame.height; y += step) order.push_back(y);
  };
  if (frame.interlaced) {
    every(0, 8);
    every(4, 8);
    every(2, 4);
    every(1, 2);
  } else {
    every(0, 1);
  }
  return order;
}

struct Introduction {
  Frame frame;
  Palette palette;
  std::uint8_t background = 0;  // index of the pixels that the frame does not cover
};

// Everything up to the first frame's codes.
Introduction read_introduction(PictureReader& reader, std::uint32_t& width, std::uint32_t& height) {
  reader.skip(6);
  width = reader.u16_little();
  height = reader.u16_little();
  const unsigned screen_flags = reader.u8();
  reader.skip(2);
  Introduction intro{};
  for (std::size_t i = 0; i < 256; ++i) intro.palette[i].fill(static_cast<std::uint8_t>(i));
  if ((screen_flags & 0x80) != 0) intro.palette = read_palette(reader, screen_flags);
  for (;;) {
    const unsigned block = reader.u8();
    if (block == ',') break;
    if (block == ';') reader.fail(ErrorKind::corrupt, "holds no frame");
    if (block != '!') continue;  // stray bytes between blocks are skipped, as the reference does
    const unsigned label = reader.u8();
    const std::size_t size = reader.u8();
    const auto data = reader.take(size);
    if (label == 0xf9 && size >= 4 && (data[0] & 1) != 0) intro.background = data[3];
    if (size > 0) skip_blocks(reader);
  }
  Frame& frame = intro.frame;
  frame.x = reader.u16_little();
  frame.y = reader.u16_little();
  frame.width = reader.u16_little();
  frame.height = reader.u16_little();
  const unsigned flags = reader.u8();
  frame.interlaced = (flags & 0x40) != 0;
  if ((flags & 0x80) != 0) intro.palette = read_palette(reader, flags);
  width = std::max(width, frame.x + frame.width);
  height = std::max(height, frame.y + frame.height);
  return intro;
}

// How many frames follow what is left of this one; a file that breaks off or goes wrong among them has those before.
int count_frames(PictureReader& reader) {
  int count = 0;
  try {
    skip_blocks(reader);
    for (unsigned block = reader.u8(); block != ';'; block = reader.u8()) {
      if (block == '!') {
        reader.skip(1);
        skip_blocks(reader);
      } else if (block == ',') {
        reader.skip(8);
        const unsigned flags = reader.u8();
        if ((flags & 0x80) != 0) reader.skip(std::size_t{6} << (flags & 7));
        reader.skip(1);
        skip_blocks(reader);
        ++count;
      }
    }
  } catch (const Error&) {
    return count;
  }
  return count;
}

}  // namespace

Decoded decode_gif(PictureReader& reader) {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  const Introduction intro = read_introduction(reader, width, height);
  const Frame& frame = intro.frame;
  reader.check_size(width, height);
  reader.check_size(frame.width, frame.height);
  const auto indices = read_indices(reader, std::size_t{frame.width} * frame.height);

  Decoded decoded{.image = allocate_image(width, height), .format = {}, .notes = {}};
  auto& pixels = decoded.image.pixels;
  for (auto at = pixels.begin(); at != pixels.end();) at = std::ranges::copy(intro.palette[intro.background], at).out;
  auto index = indices.begin();
  for (const std::size_t row : row_order(frame)) {
    auto dst = pixels.begin() + static_cast<std::ptrdiff_t>(3 * ((frame.y + row) * width + frame.x));
    for (std::uint32_t x = 0; x < frame.width; ++x) dst = std::ranges::copy(intro.palette[*index++], dst).out;
  }
  if (const int more = count_frames(reader); more > 0) decoded.notes.push_back(fmt::format("first of {} frames", 1 + more));
  return decoded;
}

}  // namespace alexnet
