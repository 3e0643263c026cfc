// What the decoders of the single formats share; decode() is the way in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "alexnet/error.h"
#include "image/decode.h"

namespace alexnet {

// A file being decoded, read from front to back. Reading past the end throws Error of kind truncated.
class PictureReader {
 public:
  PictureReader(std::span<const std::byte> bytes, const DecodeOptions& options, const std::string& where, std::string_view format)
      : bytes_(bytes), options_(options), where_(where), format_(format) {}

  std::span<const std::byte> bytes() const { return bytes_; }
  const DecodeOptions& options() const { return options_; }

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }
  void seek(std::size_t position);
  std::span<const std::uint8_t> take(std::size_t count);
  void skip(std::size_t count) { take(count); }

  std::uint8_t u8() { return take(1)[0]; }
  std::uint32_t u16_little() { return little(2); }
  std::uint32_t u32_little() { return little(4); }
  std::uint32_t u16_big() { return big(2); }
  std::uint32_t u32_big() { return big(4); }

  // Throws Error naming the file and, in front of the message, the format.
  [[noreturn]] void fail(ErrorKind kind, const std::string& message, std::string hint = {}) const;

  // Throws unless a picture of this size may be decoded: corrupt for no pixels, too_large beyond the options' limit.
  void check_size(std::uint64_t width, std::uint64_t height) const;

 private:
  std::uint32_t little(std::size_t count);
  std::uint32_t big(std::size_t count);

  std::span<const std::byte> bytes_;
  const DecodeOptions& options_;
  const std::string& where_;
  std::string_view format_;
  std::size_t position_ = 0;
};

// Room for a picture whose size was checked.
Image allocate_image(std::uint64_t width, std::uint64_t height);

Decoded decode_jpeg(PictureReader& reader);
Decoded decode_png(PictureReader& reader);
Decoded decode_gif(PictureReader& reader);
Decoded decode_bmp(PictureReader& reader);
Decoded decode_pnm(PictureReader& reader);

}  // namespace alexnet
