// Picture files to pixels, as the reference (Pillow 13, then conversion to RGB) reads them.
//
// | format | read bit for bit as the reference                             | refused as `unsupported`                   |
// |--------|---------------------------------------------------------------|--------------------------------------------|
// | JPEG   | baseline, progressive, arithmetic; grey, RGB, CMYK and YCCK   | lossless, 12 bits, 2 components            |
// | PNG    | all colour types, 1 to 16 bits, interlaced; first of an APNG  | unknown critical chunks                    |
// | GIF    | first frame, interlaced, transparent, smaller than its screen |                                            |
// | BMP    | 1, 4, 8 bits with palette; 16 (555, 565), 24, 32 bits         | run lengths, JPEG or PNG inside, other     |
// |        |                                                               | numbers of bits and bit fields             |
// | PNM    | P1 to P6, plain and raw, any largest value                    | (P7 and PFM are unknown formats)           |
//
// Alpha is dropped, not blended; 16-bit grey is clipped, not scaled; EXIF orientation, colour profiles and gamma are
// ignored. JPEG without libjpeg-turbo (see jpeg_decoder) differs from the reference by up to 3 in some bytes.
//
// Memory beyond the input: 3 bytes a pixel for the result, and while decoding at most 13 bytes a pixel more for JPEG, 1 for
// GIF, none for BMP and PNM; for PNG three times the size of the inflated data (9 bytes a pixel for 8-bit RGB, 24 for 16-bit
// RGBA) and three times the file's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/image.h"

namespace alexnet {

struct DecodeOptions {
  // The largest product of width and height, checked from the header before anything is allocated. No side may exceed 2^24.
  std::uint64_t max_pixels = 178'956'970;
  // Decode what is there of a JPEG that ends too early, instead of refusing it.
  bool allow_truncated = false;
  // Not 0: take a JPEG at a half, a quarter or an eighth of its size as long as its shorter side stays this long. That leaves out
  // what is finer before the picture is put together: quicker, and not the reference's pixels. Only with libjpeg-turbo.
  std::int64_t shrink_to = 0;
};

struct Decoded {
  Image image;
  int width = 0;  // in the file; the image's own unless it was shrunk
  int height = 0;
  std::string format;              // "JPEG", "PNG", "BMP", "GIF" or "PNM"
  std::vector<std::string> notes;  // what a curious user may want to know: warnings of the decoder, frames left out
};

// The format is found from the bytes. Throws Error, with `where` naming the file: empty, unknown_format, unsupported,
// truncated, corrupt, too_large; resources when memory runs out. Thread-safe.
Decoded decode(std::span<const std::byte> bytes, const DecodeOptions& options, const std::string& where);

// What decodes JPEG in this build: "libjpeg-turbo 2.1.5" or "stb_image".
std::string_view jpeg_decoder();

}  // namespace alexnet
