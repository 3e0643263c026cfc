// What files get that are broken, lie, or mean harm: one error line each, or the pixels that are really there.
#include "image/decode.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "alexnet/error.h"
#include "image/jpeg_segments.h"
#include "image/stb.h"
#include "tests/image/golden.h"
#include "tests/image/picture.h"

namespace alexnet {
namespace {

using namespace std::string_literals;
using test::golden_file;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string file(const std::string& name) { return text_of(golden_file(name)); }

// "KIND: what()", or what was decoded.
std::string outcome(const std::string& data, const DecodeOptions& options = {}) {
  try {
    const Decoded decoded = decode(bytes_of(data), options, "x");
    return fmt::format("{} {} x {}", decoded.format, decoded.image.width, decoded.image.height);
  } catch (const Error& error) {
    return fmt::format("{}: {}", name(error.kind()), error.what());
  }
}

struct Case {
  const char* attack;
  std::string data;
  const char* outcome;  // how it begins
};

void expect_outcomes(std::span<const Case> cases) {
  for (const Case& c : cases) EXPECT_THAT(outcome(c.data), StartsWith(c.outcome)) << c.attack;
}

std::string big(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string little(std::uint32_t value, int count = 4) {
  std::string text;
  for (int i = 0; i < count; ++i) text += static_cast<char>(value >> 8 * i);
  return text;
}

std::string replaced(std::string data, std::size_t at, const std::string& bytes) { return data.replace(at, bytes.size(), bytes); }

TEST(Decode, RefusesWhatIsNoPicture) {
  const Case cases[] = {
      {"empty", "", "empty: x: is empty"},
      {"one byte", "\xff", "unknown_format: x: is not a picture: it begins with '\\xff' (JPEG, PNG, GIF, BMP and PNM are)"},
      {"text named .jpg", "Dear reader,\n", "unknown_format: x: is not a picture: it begins with 'Dear reader,\\x0a'"},
      {"text like BMP", "BM is a town in the north", "unknown_format: x: is not a picture"},
      {"text like PNM", "P5 is a road", "corrupt: x: the PNM picture has 'i' where a number is due"},
      {"TIFF", "II*\0\10\0\0\0"s, "unknown_format: x: is a TIFF picture, which is not read (JPEG, PNG, GIF, BMP and PNM are)"},
      {"HEIC", "\0\0\0\30ftypheic\0\0\0\0"s, "unknown_format: x: is a HEIC picture"},
      {"WebP", "RIFF\0\0\0\0WEBPVP8 "s, "unknown_format: x: is a WebP picture"},
      {"PDF named .png", "%PDF-1.7\n", "unknown_format: x: is a PDF document"},
      {"signature alone, PNG", "\x89PNG\r\n\x1a\n", "truncated: x: the PNG picture ends too early"},
      {"signature alone, GIF", "GIF89a", "truncated: x: the GIF picture ends too early"},
      {"signature alone, PNM", "P6 ", "truncated: x: the PNM picture ends too early"},
  };
  expect_outcomes(cases);
}

// JPEG

std::size_t frame_header(const std::string& jpeg) { return jpeg.find("\xff\xc0") + 2; }
std::string jpeg_of_size(std::uint32_t width, std::uint32_t height) {
  const std::string jpeg = file("420.jpg");
  return replaced(jpeg, frame_header(jpeg) + 3, big(height << 16 | width));
}

TEST(Decode, RefusesEveryTruncatedJpeg) {
  for (const char* source : {"420.jpg", "progressive.jpg", "restart.jpg", "cmyk.jpg"}) {
    const std::string whole = file(source);
    for (std::size_t size = 3; size < whole.size(); ++size) {
      ASSERT_THAT(outcome(whole.substr(0, size)),
                  StartsWith("truncated: x: the JPEG picture ends too early (--allow-truncated decodes what is there)"))
          << source << " cut to " << size << " of " << whole.size() << " bytes";
    }
  }
}

TEST(Decode, DecodesWhatIsThereOfATruncatedJpegWhenAllowed) {
  const std::string whole = file("fine.jpg");
  const Decoded cut = decode(bytes_of(whole.substr(0, whole.size() * 3 / 4)), {.allow_truncated = true}, "x");
  const Decoded all = decode(bytes_of(whole), {}, "x");
  ASSERT_EQ(cut.image.pixels.size(), all.image.pixels.size());
  const auto first_rows = static_cast<std::ptrdiff_t>(3 * 45 * 6);
  EXPECT_TRUE(std::equal(all.image.pixels.begin(), all.image.pixels.begin() + first_rows, cut.image.pixels.begin()));
  EXPECT_NE(cut.image.pixels, all.image.pixels);
  EXPECT_THAT(cut.notes, testing::Not(IsEmpty()));
  EXPECT_THAT(all.notes, IsEmpty());
  // Not even a header.
  EXPECT_THAT(outcome(whole.substr(0, 100), {.allow_truncated = true}), StartsWith("truncated: x"));
}

TEST(Decode, CountsTheWarningsOfADamagedJpeg) {
  if (!jpeg_decoder().starts_with("libjpeg-turbo")) GTEST_SKIP() << "needs libjpeg-turbo";
  std::string jpeg = file("420.jpg");
  jpeg.replace(jpeg.size() - 60, 40, std::string(40, '\x7f'));
  const Decoded decoded = decode(bytes_of(jpeg), {}, "x");
  ASSERT_EQ(decoded.notes.size(), 1u);
  EXPECT_THAT(decoded.notes[0], testing::MatchesRegex("[0-9]+ decoder warnings?, the first: Corrupt JPEG data: .*"));
}

// The mean of each square of `factor` pixels, which is what leaving out the finer coefficients comes to.
double mean_difference(const Image& small, const Image& full, int factor) {
  double sum = 0;
  const int width = full.width / factor;
  const int height = full.height / factor;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < 3 * width; ++x) {
      double mean = 0;
      for (int i = 0; i < factor * factor; ++i) {
        const int row = y * factor + i / factor;
        const int column = x / 3 * factor + i % factor;
        mean += full.pixels[static_cast<std::size_t>((row * full.width + column) * 3 + x % 3)];
      }
      sum += std::abs(small.pixels[static_cast<std::size_t>(y * small.width * 3 + x)] - mean / (factor * factor));
    }
  }
  return sum / (3 * width * height);
}

TEST(Decode, ShrinksAJpegWhileItsShorterSideStaysLongEnough) {
  if (!jpeg_decoder().starts_with("libjpeg-turbo")) GTEST_SKIP() << "needs libjpeg-turbo";
  const std::string jpeg = text_of(read_file(test::source_path("data/rocket.jpg")));
  const Image full = decode(bytes_of(jpeg), {}, "x").image;
  ASSERT_EQ(full.height, 427);
  const std::pair<std::int64_t, int> factors[] = {{0, 1}, {427, 1}, {214, 1}, {213, 2}, {106, 4}, {53, 8}, {1, 8}};
  for (const auto& [shrink_to, factor] : factors) {
    const Decoded decoded = decode(bytes_of(jpeg), {.shrink_to = shrink_to}, "x");
    EXPECT_EQ(decoded.image.height, (full.height + factor - 1) / factor) << shrink_to;
    EXPECT_EQ(decoded.image.width, (full.width + factor - 1) / factor) << shrink_to;
    EXPECT_EQ(decoded.width, full.width) << shrink_to;
    EXPECT_EQ(decoded.height, full.height) << shrink_to;
    EXPECT_LT(mean_difference(decoded.image, full, factor), factor == 1 ? 1e-9 : 2.5) << shrink_to;
  }
}

TEST(Decode, RefusesBrokenAndUnknownJpegs) {
  if (!jpeg_decoder().starts_with("libjpeg-turbo")) GTEST_SKIP() << "needs libjpeg-turbo";
  const std::string jpeg = file("420.jpg");
  const std::size_t header = frame_header(jpeg);
  const std::string progressive = file("progressive.jpg");
  const std::size_t scan = progressive.find("\xff\xda");
  const std::size_t scan_end = progressive.find("\xff\xc4", scan);
  std::string scans = progressive.substr(0, scan);
  for (int i = 0; i < 501; ++i) scans += progressive.substr(scan, scan_end - scan);
  const Case cases[] = {
      {"a 200-byte file that announces 65500 x 65500", jpeg_of_size(65500, 65500).substr(0, 200), "truncated"},
      {"announces 65500 x 65500", jpeg_of_size(65500, 65500),
       "too_large: x: the JPEG picture has 65500 x 65500 pixels, more than 178956970 (--max-pixels sets the limit)"},
      {"announces more than the format allows", jpeg_of_size(65535, 65535), "too_large: x: the JPEG picture can't be decoded: "},
      {"no height", jpeg_of_size(45, 0), "corrupt: x: the JPEG picture can't be decoded: "},
      {"12 bits", replaced(jpeg, header + 2, "\x0c"), "unsupported: x: the JPEG picture can't be decoded: "},
      {"lossless", replaced(jpeg, header - 1, "\xc3"), "unsupported: x: the JPEG picture can't be decoded: "},
      {"2 components", "\xff\xd8\xff\xc0\0\x0e\x08\0\x08\0\x08\2\1\x11\0\2\x11\0\xff\xda\0\x0a\2\1\0\2\0\0\x3f\0"s,
       "unsupported: x: the JPEG picture has 2 components"},
      {"no tables", "\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\x08\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\0\0\xff\xd9"s,
       "corrupt: x: the JPEG picture can't be decoded: Quantization table"},
      {"an end without a picture", "\xff\xd8\xff\xd9"s, "corrupt: x: the JPEG picture can't be decoded: "},
      {"501 scans", scans, "corrupt: x: the JPEG picture has more than 500 scans"},
  };
  expect_outcomes(cases);
}

TEST(Decode, RefusesHuffmanTablesOfMoreSymbolsThanBytesHaveValues) {
  std::string jpeg = file("444.jpg");
  const std::string table = "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff"s;
  jpeg.insert(jpeg.find("\xff\xda"), "\xff\xc4" + big(2 + 17 + 510).substr(2) + table + std::string(510, 'a'));
  EXPECT_THAT(outcome(jpeg), StartsWith("corrupt: x: the JPEG picture "));
}

TEST(ExifOrientation, SurvivesLies) {
  const std::string tiff = "II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"s;
  const auto jpeg = [](const std::string& payload) {
    const auto size = static_cast<std::uint32_t>(payload.size() + 8);
    return "\xff\xd8\xff\xe1" + big(size).substr(2) + "Exif\0\0"s + payload;
  };
  const std::string turned = "MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0\3\0\0"s;
  EXPECT_EQ(exif_orientation(bytes_of(jpeg(tiff))), 6);
  EXPECT_EQ(exif_orientation(bytes_of(jpeg(turned))), 3);
  EXPECT_EQ(exif_orientation(bytes_of(jpeg(replaced(tiff, 18, "\11")))), 1) << "9 is no orientation";
  EXPECT_EQ(exif_orientation(bytes_of(jpeg(replaced(tiff, 4, "\xff\xff\xff\xff")))), 1) << "directory outside the file";
  EXPECT_EQ(exif_orientation(bytes_of(jpeg(replaced(tiff, 8, "\xff\xff").substr(0, 10)))), 1) << "65535 entries, none there";
  EXPECT_EQ(exif_orientation(bytes_of(jpeg(""))), 1);
  const std::string whole = jpeg(tiff);
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(exif_orientation(bytes_of(whole.substr(0, size))), 1) << size;
}

// PNG

std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big(static_cast<std::uint32_t>(data.size())) + body + big(static_cast<std::uint32_t>(crc));
}

std::string deflated(const std::string& data) {
  uLongf size = compressBound(data.size());
  std::string result(size, '\0');
  compress(reinterpret_cast<Bytef*>(result.data()), &size, reinterpret_cast<const Bytef*>(data.data()), data.size());
  return result.substr(0, size);
}

const std::string kPngSignature = "\x89PNG\r\n\x1a\n";
const std::string kPngEnd = png_chunk("IEND", "");

std::string png_header(std::uint32_t width, std::uint32_t height, const std::string& kind) {
  return kPngSignature + png_chunk("IHDR", big(width) + big(height) + kind);
}

// Of `kind`: bits, colour type, compression, filter, interlacing.
std::string png(std::uint32_t width, std::uint32_t height, const std::string& kind, const std::string& rows,
                const std::string& chunks = "") {
  return png_header(width, height, kind) + chunks + png_chunk("IDAT", deflated(rows)) + kPngEnd;
}

const std::string kGrey8 = "\x08\0\0\0\0"s;
const std::string kPalette8 = "\x08\3\0\0\0"s;

TEST(Decode, RefusesBrokenAndUnknownPngs) {
  const std::string row = "\0a"s;
  const std::string idat = png_chunk("IDAT", deflated(row));
  const std::string palette = png_chunk("PLTE", "abc");
  const Case cases[] = {
      {"control", png(1, 1, kGrey8, row), "PNG 1 x 1"},
      {"announces 65500 x 65500", png(65500, 65500, kGrey8, row),
       "too_large: x: the PNG picture has 65500 x 65500 pixels, more than 178956970 (--max-pixels sets the limit)"},
      {"announces a side of 2^32 - 1", png(0xffffffff, 1, kGrey8, row),
       "too_large: x: the PNG picture has 4294967295 x 1 pixels; a side may have 16777216"},
      {"no pixels", png(0, 1, kGrey8, row), "corrupt: x: the PNG picture has no pixels: 0 x 1"},
      {"bad CRC of the header", replaced(png(1, 1, kGrey8, row), 29, "?"),
       "corrupt: x: the PNG picture has a wrong CRC in chunk 'IHDR' at byte 8"},
      {"bad CRC of the data", replaced(png(1, 1, kGrey8, row), 45, "?"),
       "corrupt: x: the PNG picture has a wrong CRC in chunk 'IDAT' at byte 33"},
      {"bad CRC of a comment", png(1, 1, kGrey8, row, replaced(png_chunk("tEXt", "a"), 9, "?")),
       "corrupt: x: the PNG picture has a wrong CRC in chunk 'tEXt' at byte 33"},
      {"zlib bomb", png(1, 1, kGrey8, std::string(64 << 20, '\0')),
       "corrupt: x: the PNG picture inflates to more than twice what its header announces"},
      {"more data than pixels, a little", png(1, 1, kGrey8, row + "bc"), "PNG 1 x 1"},
      {"fewer rows than announced", png(1, 9, kGrey8, row), "corrupt: x: the PNG picture can't be decoded: not enough pixels"},
      {"data that is not deflated", png_header(1, 1, kGrey8) + png_chunk("IDAT", "garbage") + kPngEnd,
       "corrupt: x: the PNG picture can't be decoded: "},
      {"unknown filter", png(1, 1, kGrey8, "\5a"), "corrupt: x: the PNG picture can't be decoded: invalid filter"},
      {"no header", kPngSignature + idat + kPngEnd, "corrupt: x: the PNG picture does not begin with a header of 13 bytes"},
      {"two headers", png(1, 1, kGrey8, row, png_chunk("IHDR", big(9) + big(9) + kGrey8)),
       "corrupt: x: the PNG picture has an unexpected critical chunk 'IHDR'"},
      {"no data", png_header(1, 1, kGrey8) + kPngEnd, "corrupt: x: the PNG picture holds no picture data"},
      {"empty data", png_header(1, 1, kGrey8) + png_chunk("IDAT", "") + kPngEnd,
       "corrupt: x: the PNG picture holds no picture data"},
      {"3 bits", png(1, 1, "\3\0\0\0\0"s, row), "corrupt: x: the PNG picture has colour type 0 with 3 bits"},
      {"colour type 5", png(1, 1, "\x08\5\0\0\0"s, row), "corrupt: x: the PNG picture has colour type 5 with 8 bits"},
      {"interlacing 2", png(1, 1, "\x08\0\0\0\2"s, row),
       "unsupported: x: the PNG picture has compression 0, filter 0 and interlacing 2; known are 0, 0 and 0 or 1"},
      {"an unknown critical chunk", png(1, 1, kGrey8, row, png_chunk("CgBI", "abcd")),
       "unsupported: x: the PNG picture has an unexpected critical chunk 'CgBI'"},
      {"no palette", png(1, 1, kPalette8, "\0\0"s), "corrupt: x: the PNG picture has no palette before its data"},
      {"a palette of 257", png(1, 1, kPalette8, "\0\0"s, png_chunk("PLTE", std::string(771, 'a'))),
       "corrupt: x: the PNG picture has a palette of 771 bytes"},
      {"two palettes", png(1, 1, kPalette8, "\0\0"s, palette + palette), "corrupt: x: the PNG picture has a palette of 3 bytes"},
      {"a chunk longer than the file", png_header(1, 1, kGrey8) + big(0x7fffffff) + "IDAT",
       "truncated: x: the PNG picture ends too early"},
      {"the end is missing, the picture is not", png_header(1, 1, kGrey8) + idat, "PNG 1 x 1"},
  };
  expect_outcomes(cases);
}

TEST(Decode, RefusesEveryTruncatedPng) {
  // Of the second the last chunk of data holds nothing but the checksum of what was inflated.
  const std::size_t checksum_chunk = 16;
  for (const auto& [source, spare] : {std::pair{"rgb8.png", kPngEnd.size()},
                                      {"many_data_chunks.png", checksum_chunk + kPngEnd.size()},
                                      {"palette4_interlaced.png", kPngEnd.size()}}) {
    const std::string whole = file(source);
    const std::size_t needed = whole.size() - spare;
    for (std::size_t size = 8; size < needed; ++size) {
      ASSERT_THAT(outcome(whole.substr(0, size)), StartsWith("truncated: x: the PNG picture ends too early"))
          << source << " cut to " << size << " of " << whole.size() << " bytes";
    }
    EXPECT_THAT(outcome(whole.substr(0, needed)), StartsWith("PNG")) << source;
  }
}

TEST(Stb, GetsNoBlockLargerThanAllowed) {
  const std::string bomb = png(1, 1, kGrey8, std::string(1 << 20, '\0'));
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(bomb.data()), bomb.size());
  const auto refused = stb_rgb(bytes, 1 << 19);
  EXPECT_EQ(refused.samples, nullptr);
  EXPECT_TRUE(refused.memory_ended);
  EXPECT_EQ(refused.failure, "outofmem");
  EXPECT_NE(stb_rgb(bytes, 1 << 22).samples, nullptr);
}

// GIF

// A screen of 2 x 2 with four colours; `codes` are the blocks that follow the number of bits.
std::string gif(const std::string& codes, const std::string& frame = "\0\0\0\0\2\0\2\0\0"s, char bits = 2) {
  return "GIF89a\2\0\2\0\x81\0\0abcdefghijkl,"s + frame + bits + codes;
}

TEST(Decode, RefusesBrokenGifs) {
  // Clear, 0, 1, clear, 2, 3, end in codes of 3 bits.
  const std::string codes = "\3\x44\xb8\x14\0;"s;
  const std::string whole = gif(codes);
  const Case cases[] = {
      {"control", whole, "GIF 2 x 2"},
      {"announces 65535 x 65535", replaced(whole, 6, "\xff\xff\xff\xff"),
       "too_large: x: the GIF picture has 65535 x 65535 pixels, more than 178956970"},
      {"a frame that makes the screen too large", gif(codes, "\xff\xff\xff\xff\2\0\2\0\0"s),
       "too_large: x: the GIF picture has 65537 x 65537 pixels"},
      {"a frame without pixels", gif(codes, "\0\0\0\0\0\0\2\0\0"s), "corrupt: x: the GIF picture has no pixels: 0 x 2"},
      {"no frame", "GIF89a\2\0\2\0\0\0\0;"s, "corrupt: x: the GIF picture holds no frame"},
      {"codes of 9 bits", gif(codes, "\0\0\0\0\2\0\2\0\0"s, 9), "corrupt: x: the GIF picture has codes of 9 bits"},
      {"codes of 0 bits", gif(codes, "\0\0\0\0\2\0\2\0\0"s, 0), "corrupt: x: the GIF picture has codes of 0 bits"},
      // Clear, 0, 7.
      {"a code before its definition", gif("\2\xc4\1\0;"s), "corrupt: x: the GIF picture uses code 7 before defining it"},
      // Clear, 6.
      {"a first code that stands for nothing", gif("\1\x34\0;"s), "corrupt: x: the GIF picture uses code 6 before defining it"},
      // Clear, 0, end.
      {"an end before the last pixel", gif("\2\x44\1\0;"s), "truncated: x: the GIF picture ends after 1 of 4 pixels"},
      {"no codes", gif("\0;"s), "truncated: x: the GIF picture ends after 0 of 4 pixels"},
      {"nothing behind the last pixel", whole.substr(0, whole.size() - 2), "GIF 2 x 2"},
  };
  expect_outcomes(cases);
}

TEST(Decode, RefusesEveryTruncatedGif) {
  for (const char* source : {"four_colours.gif", "interlaced.gif", "local_table.gif"}) {
    const std::string whole = file(source);
    // The last block holds the end code and is followed by an empty one and the trailer.
    for (std::size_t size = 6; size < whole.size() - 4; ++size) {
      ASSERT_THAT(outcome(whole.substr(0, size)), StartsWith("truncated: x: the GIF picture ends"))
          << source << " cut to " << size << " of " << whole.size() << " bytes";
    }
  }
}

// BMP

std::string bmp(std::uint32_t width, std::uint32_t height, std::uint32_t bits, std::uint32_t compression, std::uint32_t colors,
                const std::string& rest) {
  return "BM" + little(0) + little(0) + little(0) + little(40) + little(width) + little(height) + little(1, 2) + little(bits, 2) +
         little(compression) + little(0) + little(0) + little(0) + little(colors) + little(0) + rest;
}

TEST(Decode, RefusesBrokenAndUnknownBmps) {
  const std::string palette(1024, 'a');
  const std::string odd_masks = little(0xff0) + little(0xf) + little(0xfff000);
  const std::string pixels = "abc\0"s;
  const Case cases[] = {
      {"control", bmp(1, 1, 24, 0, 0, pixels), "BMP 1 x 1"},
      {"run lengths of 8 bits", bmp(1, 1, 8, 1, 0, palette + "\1\0\0\1"s), "unsupported: x: the BMP picture has compression 1"},
      {"run lengths of 4 bits", bmp(1, 1, 4, 2, 0, palette + "\1\0\0\1"s), "unsupported: x: the BMP picture has compression 2"},
      {"an embedded JPEG", bmp(1, 1, 24, 4, 0, pixels), "unsupported: x: the BMP picture has compression 4"},
      {"2 bits", bmp(1, 1, 2, 0, 0, palette), "unsupported: x: the BMP picture has 2 bits a pixel"},
      {"odd bit fields", bmp(1, 1, 32, 3, 0, odd_masks + pixels),
       "unsupported: x: the BMP picture has bit fields ff0, f, fff000 in 32 bits"},
      {"bit fields for a palette", bmp(1, 1, 8, 3, 0, odd_masks + palette), "unsupported: x: the BMP picture has bit fields"},
      {"announces 65500 x 65500", bmp(65500, 65500, 24, 0, 0, pixels),
       "too_large: x: the BMP picture has 65500 x 65500 pixels, more than 178956970"},
      {"a height of -2^31", bmp(1, 0x80000000, 24, 0, 0, pixels),
       "too_large: x: the BMP picture has 1 x 2147483648 pixels; a side may have 16777216"},
      {"a negative width", bmp(0xffffffff, 1, 24, 0, 0, pixels), "too_large: x: the BMP picture has 4294967295 x 1 pixels"},
      {"no pixels", bmp(1, 0, 24, 0, 0, pixels), "corrupt: x: the BMP picture has no pixels: 1 x 0"},
      {"announces 10000 x 10000 pixels that are not there", bmp(10000, 10000, 24, 0, 0, pixels),
       "truncated: x: the BMP picture ends too early"},
      {"a palette of 300", bmp(1, 1, 8, 0, 300, palette + palette), "corrupt: x: the BMP picture has a palette of 300 colours"},
      {"a palette that is not there", bmp(1, 1, 8, 0, 0, "abc"), "truncated: x: the BMP picture ends too early"},
      {"pixels outside the file", replaced(bmp(1, 1, 24, 0, 0, pixels), 10, "\xff\xff\xff\x7f"),
       "truncated: x: the BMP picture ends too early"},
  };
  expect_outcomes(cases);
}

TEST(Decode, RefusesEveryTruncatedBmp) {
  for (const char* source : {"4bit.bmp", "16bit_565.bmp", "24bit.bmp"}) {
    const std::string whole = file(source);
    const std::size_t padding = source == "24bit.bmp"s ? 1 : 0;
    for (std::size_t size = 18; size + padding < whole.size(); ++size) {
      // The pixels of the two rows in 4 bits end before the padding.
      if (source != "24bit.bmp"s && size + 3 > whole.size()) continue;
      ASSERT_THAT(outcome(whole.substr(0, size)), StartsWith("truncated: x: the BMP picture ends too early"))
          << source << " cut to " << size << " of " << whole.size() << " bytes";
    }
  }
}

// PNM

TEST(Decode, RefusesBrokenAndUnknownPnms) {
  const Case cases[] = {
      {"control", "P5 1 1 255 a", "PNM 1 x 1"},
      {"announces 65500 x 65500", "P6 65500 65500 255 abc",
       "too_large: x: the PNM picture has 65500 x 65500 pixels, more than 178956970"},
      {"announces 10000 x 10000 pixels that are not there", "P6 10000 10000 255 abc",
       "truncated: x: the PNM picture ends too early"},
      {"the same in bits", "P1 10000 10000 1010", "truncated: x: the PNM picture ends too early"},
      {"no pixels", "P5 0 1 255 a", "corrupt: x: the PNM picture has no pixels: 0 x 1"},
      {"a negative size", "P5 -1 1 255 a", "corrupt: x: the PNM picture has '-' where a number is due"},
      {"a size of twenty digits", "P5 99999999999999999999 1 255 a",
       "corrupt: x: the PNM picture has '9999999999' where a number is due"},
      {"a largest value of 0", "P5 1 1 0 a", "corrupt: x: the PNM picture has the largest value 0; 1 to 65535 are known"},
      {"a largest value of 65536", "P5 1 1 65536 a", "corrupt: x: the PNM picture has the largest value 65536"},
      {"a sample above the largest", "P2 2 1 255 1 256",
       "corrupt: x: the PNM picture has a sample 256 above its largest value, 255"},
      {"a bit of 2", "P1 3 1 0120", "corrupt: x: the PNM picture has '2' where a bit is due"},
      {"too few samples", "P2 2 1 255\n10 ", "truncated: x: the PNM picture ends too early"},
      {"a comment without end", "P5 1 1 #", "truncated: x: the PNM picture ends too early"},
      {"one byte too few", "P5 2 1 255 a", "truncated: x: the PNM picture ends too early"},
      {"PAM", "P7\nWIDTH 1\n", "unknown_format: x: is a PAM picture"},
      {"PFM", "Pf\n1 1\n-1\n", "unknown_format: x: is a PFM picture"},
  };
  expect_outcomes(cases);
}

TEST(Decode, TakesTheFirstFrameAndSaysSo) {
  for (const auto& [name, note] : {std::pair{"animated.gif", "first of 3 frames"}, {"animated.png", "first of 3 frames"}}) {
    const Decoded decoded = decode(golden_file(name), {}, name);
    EXPECT_EQ(decoded.image.width, 11) << name;
    EXPECT_THAT(decoded.notes, ElementsAre(note)) << name;
  }
  if (!jpeg_decoder().starts_with("libjpeg-turbo")) GTEST_SKIP() << "needs libjpeg-turbo";
  EXPECT_THAT(decode(golden_file("two_frames.jpg"), {}, "x").notes, ElementsAre("first of several frames"));
}

TEST(Decode, ObeysTheLimitOfPixels) {
  for (const char* source : {"420.jpg", "rgb8.png", "plain.gif", "24bit.bmp", "p6.ppm"}) {
    const Decoded decoded = decode(golden_file(source), {}, source);
    const auto pixels = static_cast<std::uint64_t>(decoded.image.width) * static_cast<std::uint64_t>(decoded.image.height);
    EXPECT_THAT(outcome(file(source), {.max_pixels = pixels}), StartsWith(decoded.format)) << source;
    EXPECT_THAT(outcome(file(source), {.max_pixels = pixels - 1}), StartsWith("too_large: x")) << source;
  }
}

TEST(Decode, NamesItsJpegDecoder) {
  EXPECT_THAT(std::string(jpeg_decoder()), AnyOf(testing::MatchesRegex("libjpeg-turbo [0-9]+\\.[0-9]+\\.[0-9]+"), "stb_image"));
}

}  // namespace
}  // namespace alexnet
