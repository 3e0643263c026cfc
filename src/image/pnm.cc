// PNM by hand: a line of text, then the samples (netpbm's pbm, pgm, ppm; plain and raw).
#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "image/codec.h"

namespace alexnet {
namespace {

bool is_space(std::uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

void skip_comment(PictureReader& reader) {
  for (std::uint8_t byte = 0; byte != '\n' && byte != '\r';) byte = reader.u8();
}

// The next number; of what follows, one byte of white space is consumed.
std::uint32_t read_number(PictureReader& reader) {
  constexpr std::size_t kMaxDigits = 9;
  std::string digits;
  for (;;) {
    // The last number of a plain picture may end with the file.
    if (reader.left() == 0 && !digits.empty()) break;
    const std::uint8_t byte = reader.u8();
    if (byte == '#') {
      skip_comment(reader);
    } else if (!is_space(byte)) {
      digits += static_cast<char>(byte);
      if (byte < '0' || byte > '9' || digits.size() > kMaxDigits) {
        reader.fail(ErrorKind::corrupt, fmt::format("has {} where a number is due", shown(digits)));
      }
    } else if (!digits.empty()) {
      break;
    }
  }
  return static_cast<std::uint32_t>(*parse_integer(digits));
}

// In plain bitmaps nothing need stand between the digits.
bool read_bit(PictureReader& reader) {
  for (;;) {
    const std::uint8_t byte = reader.u8();
    if (byte == '0' || byte == '1') return byte == '1';
    if (byte == '#') {
      skip_comment(reader);
    } else if (!is_space(byte)) {
      reader.fail(ErrorKind::corrupt,
                  fmt::format("has {} where a bit is due", shown(std::string_view(reinterpret_cast<const char*>(&byte), 1))));
    }
  }
}

// Bytes for samples of 0 to `largest`. The reference scales to 255 and rounds halves to even; grey of more than 8 bits it
// scales to 65535 and then clips.
std::vector<std::uint8_t> scale_table(std::uint32_t largest, bool grey) {
  const double whole = grey && largest > 255 ? 65535 : 255;
  std::vector<std::uint8_t> table(largest + 1);
  for (std::uint32_t i = 0; i <= largest; ++i) {
    table[i] = static_cast<std::uint8_t>(std::min(255.0, std::nearbyint(static_cast<double>(i) / largest * whole)));
  }
  return table;
}

struct Form {
  std::uint64_t width;
  std::uint64_t height;
  bool plain;
  bool color;
};

// Black is 1.
void read_bitmap(PictureReader& reader, const Form& form, Image& image) {
  auto dst = image.pixels.begin();
  for (std::uint64_t y = 0; y < form.height; ++y) {
    std::uint8_t packed = 0;
    for (std::uint64_t x = 0; x < form.width; ++x) {
      if (!form.plain && x % 8 == 0) packed = reader.u8();
      const bool black = form.plain ? read_bit(reader) : (packed >> (7 - x % 8) & 1) != 0;
      dst = std::fill_n(dst, 3, static_cast<std::uint8_t>(black ? 0 : 255));
    }
  }
}

void read_samples(PictureReader& reader, const Form& form, std::uint32_t largest, Image& image) {
  const auto table = scale_table(largest, !form.color);
  const bool wide = largest > 255;
  const auto next = [&] {
    const std::uint32_t sample = form.plain ? read_number(reader) : wide ? reader.u16_big() : reader.u8();
    if (sample > largest && form.plain) {
      reader.fail(ErrorKind::corrupt, fmt::format("has a sample {} above its largest value, {}", sample, largest));
    }
    return table[std::min(sample, largest)];
  };
  for (auto dst = image.pixels.begin(); dst != image.pixels.end();) dst = std::fill_n(dst, form.color ? 1 : 3, next());
}

}  // namespace

Decoded decode_pnm(PictureReader& reader) {
  reader.skip(1);
  const unsigned kind = reader.u8() - '0';
  const bool bitmap = kind == 1 || kind == 4;
  const Form form{.width = read_number(reader), .height = read_number(reader), .plain = kind <= 3, .color = kind == 3 || kind == 6};
  reader.check_size(form.width, form.height);
  const std::uint32_t largest = bitmap ? 1 : read_number(reader);
  if (largest == 0 || largest > 65535)
    reader.fail(ErrorKind::corrupt, fmt::format("has the largest value {}; 1 to 65535 are known", largest));

  // A sample takes at least a bit, or a digit: no room is made for a picture that can't be there.
  const std::uint64_t samples = form.width * form.height * (form.color ? 3 : 1);
  const std::uint64_t least = kind == 4 ? (form.width + 7) / 8 * form.height : form.plain || largest <= 255 ? samples : 2 * samples;
  if (reader.left() < least) reader.fail(ErrorKind::truncated, "ends too early");
  Decoded decoded{.image = allocate_image(form.width, form.height), .format = {}, .notes = {}};
  if (bitmap) {
    read_bitmap(reader, form, decoded.image);
  } else {
    read_samples(reader, form, largest, decoded.image);
  }
  return decoded;
}

}  // namespace alexnet
