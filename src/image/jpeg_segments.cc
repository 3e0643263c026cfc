#include "image/jpeg_segments.h"

#include <algorithm>
#include <string_view>

namespace alexnet {
namespace {

constexpr std::uint8_t kStartOfScan = 0xda;
constexpr std::uint8_t kEnd = 0xd9;
constexpr std::uint8_t kApp1 = 0xe1;

// Markers without a length: TEM, and RST0 to SOI.
bool stands_alone(std::uint8_t marker) { return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8); }

// A TIFF file, in either byte order.
class Tiff {
 public:
  explicit Tiff(std::span<const std::uint8_t> bytes) : bytes_(bytes), big_(!bytes.empty() && bytes[0] == 'M') {}

  // 0 beyond the end.
  std::uint32_t read(std::size_t at, std::size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes_[at + (big_ ? i : count - 1 - i)];
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool big_;
};

int orientation_in(const Tiff& tiff) {
  constexpr std::uint32_t kOrientation = 274;
  constexpr std::size_t kEntryBytes = 12;
  const std::size_t directory = tiff.read(4, 4);
  const std::size_t entries = tiff.read(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (tiff.read(entry, 2) != kOrientation) continue;
    const std::uint32_t value = tiff.read(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

JpegEnd visit_jpeg_segments(std::span<const std::byte> jpeg,
                            const std::function<bool(std::uint8_t marker, std::span<const std::uint8_t> payload)>& visit) {
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(jpeg.data()), jpeg.size());
  std::size_t at = 0;
  while (at + 1 < bytes.size()) {
    const std::uint8_t marker = bytes[at + 1];
    // Entropy-coded data, stuffed zeros and fill bytes are stepped over.
    if (bytes[at] != 0xff || marker == 0 || marker == 0xff) {
      ++at;
      continue;
    }
    at += 2;
    if (marker == kEnd) return JpegEnd::marker;
    if (stands_alone(marker)) continue;
    if (bytes.size() - at < 2) return JpegEnd::inside;
    const std::size_t size = std::size_t{bytes[at]} << 8 | bytes[at + 1];
    if (size < 2 || size > bytes.size() - at) return JpegEnd::inside;
    if (!visit(marker, bytes.subspan(at + 2, size - 2))) return JpegEnd::inside;
    at += size;
  }
  return JpegEnd::data;
}

int exif_orientation(std::span<const std::byte> jpeg) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  int orientation = 1;
  visit_jpeg_segments(jpeg, [&](std::uint8_t marker, std::span<const std::uint8_t> payload) {
    if (marker == kStartOfScan) return false;
    if (marker != kApp1 || payload.size() < kExif.size() || !std::equal(kExif.begin(), kExif.end(), payload.begin())) return true;
    orientation = orientation_in(Tiff(payload.subspan(kExif.size())));
    return false;
  });
  return orientation;
}

}  // namespace alexnet
