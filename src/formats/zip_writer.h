#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace alexnet {

// Writes an archive of stored entries, always with the same bytes for the same entries: no times, and each entry's data
// at a multiple of 64 bytes. All members throw Error of kind output; without finish() no file appears.
class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path& path);
  // Entries are written one after the other.
  void begin(const std::string& name);
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  void end();
  void finish();

 private:
  struct Written {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint32_t crc = 0;
  };
  static std::string local_header(const Written& entry);

  AtomicFile file_;
  std::string where_;
  std::uint64_t position_ = 0;
  std::vector<Written> entries_;
};

}  // namespace alexnet
