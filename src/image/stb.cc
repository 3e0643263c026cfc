#include "image/stb.h"

#include <algorithm>

namespace {

thread_local std::size_t largest_block = 0;
thread_local bool memory_ended = false;

bool allowed(std::size_t size) {
  if (size > largest_block) memory_ended = true;
  return size <= largest_block;
}

// Zeroed: stb_image decodes with tables that a JPEG never gave.
void* allocate(std::size_t size) { return allowed(size) ? std::calloc(1, size) : nullptr; }
void* reallocate(void* memory, std::size_t size) { return allowed(size) ? std::realloc(memory, size) : nullptr; }

}  // namespace

#define STBI_MALLOC allocate
#define STBI_REALLOC reallocate
#define STBI_FREE std::free
#define STBI_ASSERT(condition) static_cast<void>(0)  // a library does not abort
#define STBI_NO_STDIO
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>

namespace alexnet {
namespace {

template <typename Sample, typename Load>
StbPicture<Sample> load_with(Load load, std::span<const std::uint8_t> bytes, std::size_t largest, int channels) {
  largest_block = largest;
  memory_ended = false;
  StbPicture<Sample> picture;
  int channels_in_file = 0;
  picture.samples.reset(
      load(bytes.data(), static_cast<int>(bytes.size()), &picture.width, &picture.height, &channels_in_file, channels));
  if (picture.samples == nullptr) picture.failure = stbi_failure_reason();
  picture.memory_ended = memory_ended;
  return picture;
}

}  // namespace

StbPicture<std::uint8_t> stb_rgb(std::span<const std::uint8_t> bytes, std::size_t largest) {
  return load_with<std::uint8_t>(stbi_load_from_memory, bytes, largest, 3);
}

StbPicture<std::uint16_t> stb_grey16(std::span<const std::uint8_t> bytes, std::size_t largest) {
  return load_with<std::uint16_t>(stbi_load_16_from_memory, bytes, largest, 1);
}

}  // namespace alexnet
