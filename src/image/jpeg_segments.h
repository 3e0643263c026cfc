// The marker segments of a JPEG file, for what its decoders don't tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace alexnet {

enum class JpegEnd {
  marker,  // the end marker was reached
  data,    // the file ends between segments, or in the data of a scan
  inside,  // it ends inside a segment, or one has a length that can't be, or the visitor wanted no more
};

// Calls `visit(marker, payload)` for each whole segment in order, until it returns false. Markers are their second byte:
// 0xe1 is APP1.
JpegEnd visit_jpeg_segments(std::span<const std::byte> jpeg,
                            const std::function<bool(std::uint8_t marker, std::span<const std::uint8_t> payload)>& visit);

// The orientation that the camera noted in EXIF (1 upright, 2 to 8 mirrored or turned; TIFF tag 274); 1 if there is none.
// Decoding ignores it, as the reference does.
int exif_orientation(std::span<const std::byte> jpeg);

}  // namespace alexnet
