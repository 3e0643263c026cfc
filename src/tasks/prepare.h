// One picture made ready for a network: read, decoded, resized, cropped, normalised.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alexnet/error.h"
#include "image/decode.h"
#include "image/preprocess.h"
#include "tasks/pictures.h"

namespace alexnet {

// The largest file that is read: more than any picture within the default of DecodeOptions::max_pixels takes.
inline constexpr std::uint64_t kMaxPictureBytes = 1ull << 30;

struct Prepared {
  int width = 0;
  int height = 0;
  std::vector<std::string> notes;
  std::optional<Error> error;  // then nothing else counts
  double decode_seconds = 0;
  double resize_seconds = 0;
};

// The file's pixels. Throws Error, of any picture kind.
Decoded load_picture(const std::string& path, const DecodeOptions& options, const std::atomic<int>* stop);

// Writes the tensor(s) to `dst`. What is wrong with the picture is returned; what is wrong with the preprocessing is thrown.
Prepared prepare(const PictureInput& input, const Preprocessing& preprocessing, Crops crops, const DecodeOptions& options,
                 const std::atomic<int>* stop, std::span<float> dst);

}  // namespace alexnet
