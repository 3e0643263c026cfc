// JPEG through libjpeg-turbo with its default settings, which give the reference's pixels.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include <jpeglib.h>

#include <jerror.h>

#include <fmt/format.h>

#include "image/codec.h"

namespace alexnet {
namespace {

// The library reports failure by calling fail(), which must not return: it jumps out of the library to the setjmp of the
// function that called it. Nothing with a destructor may live between the two.
struct Jpeg {
  jpeg_decompress_struct info;
  jpeg_error_mgr handler;
  jpeg_progress_mgr progress;
  std::jmp_buf escape;
  bool allow_truncated;

  bool truncated;
  int failure;  // the library's message code, or kTooManyScans
  char message[JMSG_LENGTH_MAX];
  char first_warning[JMSG_LENGTH_MAX];
};

// A scan costs the time of the whole picture even when it holds three bytes. Encoders write about 10.
constexpr int kMaxScans = 500;
constexpr int kTooManyScans = -1;

Jpeg& jpeg_of(j_common_ptr info) { return *static_cast<Jpeg*>(info->client_data); }

void fail(j_common_ptr info) {
  Jpeg& jpeg = jpeg_of(info);
  jpeg.failure = info->err->msg_code;
  info->err->format_message(info, jpeg.message);
  std::longjmp(jpeg.escape, 1);
}

void warn(j_common_ptr info, int level) {
  if (level >= 0) return;
  Jpeg& jpeg = jpeg_of(info);
  if (info->err->num_warnings++ == 0) info->err->format_message(info, jpeg.first_warning);
  if (info->err->msg_code != JWRN_JPEG_EOF) return;
  jpeg.truncated = true;
  if (!jpeg.allow_truncated) fail(info);
}

void watch_scans(j_common_ptr info) {
  Jpeg& jpeg = jpeg_of(info);
  if (jpeg.info.input_scan_number <= kMaxScans) return;
  jpeg.failure = kTooManyScans;
  std::longjmp(jpeg.escape, 1);
}

bool read_header(Jpeg& jpeg, const unsigned char* bytes, unsigned long size) {
  jpeg.info.err = jpeg_std_error(&jpeg.handler);
  jpeg.handler.error_exit = fail;
  jpeg.handler.emit_message = warn;
  jpeg.info.client_data = &jpeg;
  if (setjmp(jpeg.escape) != 0) return false;
  jpeg_create_decompress(&jpeg.info);
  jpeg.progress.progress_monitor = watch_scans;
  jpeg.info.progress = &jpeg.progress;
  jpeg_mem_src(&jpeg.info, bytes, size);
  jpeg_save_markers(&jpeg.info, JPEG_APP0 + 2, 4);
  jpeg_read_header(&jpeg.info, TRUE);
  return true;
}

bool find_output_size(Jpeg& jpeg) {
  if (setjmp(jpeg.escape) != 0) return false;
  jpeg_calc_output_dimensions(&jpeg.info);
  return true;
}

// Writes rows of `row_bytes` each.
bool read_pixels(Jpeg& jpeg, std::uint8_t* dst, std::size_t row_bytes) {
  if (setjmp(jpeg.escape) != 0) return false;
  jpeg_start_decompress(&jpeg.info);
  while (jpeg.info.output_scanline < jpeg.info.output_height) {
    JSAMPROW row = dst + jpeg.info.output_scanline * row_bytes;
    jpeg_read_scanlines(&jpeg.info, &row, 1);
  }
  jpeg_finish_decompress(&jpeg.info);
  return true;
}

struct Destroy {
  ~Destroy() { jpeg_destroy_decompress(&jpeg.info); }
  Jpeg& jpeg;
};

ErrorKind kind_of(int code) {
  switch (code) {
    case JERR_OUT_OF_MEMORY: return ErrorKind::resources;
    case JERR_IMAGE_TOO_BIG: return ErrorKind::too_large;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED: return ErrorKind::unsupported;
    default: return ErrorKind::corrupt;
  }
}

[[noreturn]] void report(const PictureReader& reader, const Jpeg& jpeg) {
  if (jpeg.truncated) reader.fail(ErrorKind::truncated, "ends too early", "--allow-truncated decodes what is there");
  if (jpeg.failure == kTooManyScans) reader.fail(ErrorKind::corrupt, fmt::format("has more than {} scans", kMaxScans));
  reader.fail(kind_of(jpeg.failure), fmt::format("can't be decoded: {}", jpeg.message));
}

// Product of two bytes taken as fractions of 255, rounded as the reference does.
int multiplied(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

// The reference inverts what the library returns for CMYK, whatever wrote it, then takes each ink off the black.
void convert_cmyk(const std::vector<std::uint8_t>& cmyk, Image& image) {
  const std::uint8_t* src = cmyk.data();
  for (std::size_t i = 0; i < image.pixels.size(); i += 3, src += 4) {
    for (std::size_t c = 0; c < 3; ++c) {
      image.pixels[i + c] = static_cast<std::uint8_t>(src[3] - multiplied(255 - src[c], src[3]));
    }
  }
}

unsigned shrink_factor(const jpeg_decompress_struct& info, std::int64_t shrink_to) {
  const std::int64_t shorter = std::min(info.image_width, info.image_height);
  unsigned factor = 1;
  while (shrink_to > 0 && factor < 8 && shorter / (2 * factor) >= shrink_to) factor *= 2;
  return factor;
}

bool has_more_frames(const Jpeg& jpeg) {
  for (const auto* marker = jpeg.info.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->data_length == 4 && std::memcmp(marker->data, "MPF", 4) == 0) return true;
  }
  return false;
}

}  // namespace

Decoded decode_jpeg(PictureReader& reader) {
  Jpeg jpeg{};
  jpeg.allow_truncated = reader.options().allow_truncated;
  const Destroy destroy{jpeg};
  const auto bytes = reader.take(reader.left());
  if (!read_header(jpeg, bytes.data(), bytes.size())) report(reader, jpeg);
  reader.check_size(jpeg.info.image_width, jpeg.info.image_height);
  const int components = jpeg.info.num_components;
  if (components != 1 && components != 3 && components != 4) {
    reader.fail(ErrorKind::unsupported, fmt::format("has {} components", components));
  }
  const int width = static_cast<int>(jpeg.info.image_width);
  const int height = static_cast<int>(jpeg.info.image_height);
  jpeg.info.scale_num = 1;
  jpeg.info.scale_denom = shrink_factor(jpeg.info, reader.options().shrink_to);
  if (!find_output_size(jpeg)) report(reader, jpeg);
  Decoded decoded{.image = allocate_image(jpeg.info.output_width, jpeg.info.output_height),
                  .width = width,
                  .height = height,
                  .format = {},
                  .notes = {}};
  if (has_more_frames(jpeg)) decoded.notes.emplace_back("first of several frames");
  const bool cmyk = components == 4;
  jpeg.info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  std::vector<std::uint8_t> inks(cmyk ? decoded.image.pixels.size() / 3 * 4 : 0);
  std::uint8_t* dst = cmyk ? inks.data() : decoded.image.pixels.data();
  if (!read_pixels(jpeg, dst, std::size_t{jpeg.info.output_width} * (cmyk ? 4 : 3))) report(reader, jpeg);
  if (cmyk) convert_cmyk(inks, decoded.image);
  if (const long warnings = jpeg.handler.num_warnings; warnings > 0) {
    decoded.notes.push_back(
        fmt::format("{} decoder warning{}, the first: {}", warnings, warnings == 1 ? "" : "s", jpeg.first_warning));
  }
  return decoded;
}

std::string_view jpeg_decoder() {
  constexpr int kVersion = LIBJPEG_TURBO_VERSION_NUMBER;
  static const std::string kName =
      fmt::format("libjpeg-turbo {}.{}.{}", kVersion / 1'000'000, kVersion / 1000 % 1000, kVersion % 1000);
  return kName;
}

}  // namespace alexnet
