#include "formats/code_points.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/text.h"

namespace alexnet {

char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  char32_t point = byte(0) < 0x80 ? byte(0) : 0xdc00u + byte(0);
  std::size_t length = 1;
  for (std::size_t candidate = 2; candidate <= std::min<std::size_t>(4, text.size()); ++candidate) {
    if (byte(0) < 0xc0 || !is_utf8(text.substr(0, candidate))) continue;
    length = candidate;
    point = byte(0) & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) point = point << 6 | (byte(i) & 63u);
    break;
  }
  text.remove_prefix(length);
  return point;
}

bool append_code_point(std::string& text, char32_t point) {
  const auto put = [&](char32_t value) { text += static_cast<char>(static_cast<unsigned char>(value)); };
  const auto put_rest = [&](int bits) {
    for (int shift = bits - 6; shift >= 0; shift -= 6) put(0x80 | (point >> shift & 63));
  };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put_rest(6);
  } else if (point >= 0xdc80 && point < 0xdd00) {
    put(point - 0xdc00);
  } else if (point < 0x10000 && (point < 0xd800 || point >= 0xe000)) {
    put(0xe0 | point >> 12);
    put_rest(12);
  } else if (point >= 0x10000 && point < 0x110000) {
    put(0xf0 | point >> 18);
    put_rest(18);
  } else {
    return false;
  }
  return true;
}

}  // namespace alexnet
