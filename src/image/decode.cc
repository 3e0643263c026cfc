#include "image/decode.h"

#include <algorithm>
#include <array>
#include <new>

#include <fmt/format.h>

#include "base/text.h"
#include "image/codec.h"

namespace alexnet {
namespace {

using namespace std::string_view_literals;

struct Format {
  std::string_view name;
  bool (*begins)(std::string_view text);
  Decoded (*decode)(PictureReader& reader);
};

bool begins_bmp(std::string_view text) {
  if (!text.starts_with("BM") || text.size() < 18) return false;
  constexpr std::array kHeaderSizes{12, 40, 52, 56, 64, 108, 124};
  return std::ranges::find(kHeaderSizes, text[14]) != kHeaderSizes.end() && text.substr(15, 3) == "\0\0\0"sv;
}

bool begins_pnm(std::string_view text) {
  return text.size() > 2 && text[0] == 'P' && text[1] >= '1' && text[1] <= '6' && " \t\n\v\f\r"sv.find(text[2]) != text.npos;
}

constexpr std::array kFormats{
    Format{"JPEG", [](std::string_view text) { return text.starts_with("\xff\xd8\xff"); }, decode_jpeg},
    Format{"PNG", [](std::string_view text) { return text.starts_with("\x89PNG\r\n\x1a\n"); }, decode_png},
    Format{"GIF", [](std::string_view text) { return text.starts_with("GIF87a") || text.starts_with("GIF89a"); }, decode_gif},
    Format{"BMP", begins_bmp, decode_bmp},
    Format{"PNM", begins_pnm, decode_pnm},
};

// Formats that people take for pictures we might read, by the bytes at an offset.
struct Stranger {
  std::size_t offset;
  std::string_view magic;
  std::string_view name;
};
constexpr std::array kStrangers{
    Stranger{0, "II*\0"sv, "a TIFF picture"},       Stranger{0, "MM\0*"sv, "a TIFF picture"},
    Stranger{8, "WEBP"sv, "a WebP picture"},        Stranger{4, "ftyphei"sv, "a HEIC picture"},
    Stranger{4, "ftypmif1"sv, "a HEIF picture"},    Stranger{4, "ftypavif"sv, "an AVIF picture"},
    Stranger{0, "\xff\x0a"sv, "a JPEG XL picture"}, Stranger{4, "JXL "sv, "a JPEG XL picture"},
    Stranger{4, "jP  "sv, "a JPEG 2000 picture"},   Stranger{0, "P7\n"sv, "a PAM picture"},
    Stranger{0, "PF\n"sv, "a PFM picture"},         Stranger{0, "Pf\n"sv, "a PFM picture"},
    Stranger{0, "%PDF"sv, "a PDF document"},        Stranger{0, "8BPS"sv, "a Photoshop picture"},
};

[[noreturn]] void refuse(std::string_view text, const std::string& where) {
  std::string message = fmt::format("is not a picture: it begins with {}", shown(text.substr(0, 16)));
  for (const auto& stranger : kStrangers) {
    if (text.size() >= stranger.offset && text.substr(stranger.offset).starts_with(stranger.magic)) {
      message = fmt::format("is {}, which is not read", stranger.name);
      break;
    }
  }
  throw Error(ErrorKind::unknown_format, where, std::move(message), "JPEG, PNG, GIF, BMP and PNM are");
}

}  // namespace

Decoded decode(std::span<const std::byte> bytes, const DecodeOptions& options, const std::string& where) {
  if (bytes.empty()) throw Error(ErrorKind::empty, where, "is empty");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto format = std::ranges::find_if(kFormats, [&](const Format& f) { return f.begins(text); });
  if (format == kFormats.end()) refuse(text, where);
  PictureReader reader(bytes, options, where, format->name);
  try {
    Decoded decoded = format->decode(reader);
    decoded.format = format->name;
    if (decoded.width == 0) {
      decoded.width = decoded.image.width;
      decoded.height = decoded.image.height;
    }
    return decoded;
  } catch (const std::bad_alloc&) {
    reader.fail(ErrorKind::resources, "does not fit into memory");
  }
}

}  // namespace alexnet
