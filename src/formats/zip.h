// zip archives as PyTorch and NumPy write them: stored or deflated entries, zip64 (PKWARE's APPNOTE 6.3.10).
// Goals: nothing in an archive is believed before it is checked; stored entries are read in place. Non-goals: encryption,
// several volumes, other compressions, unpacking into a folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alexnet {

struct ZipEntry {
  std::string name;
  bool deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t size = 0;           // uncompressed
  std::span<const std::byte> data;  // as it lies in the file
};

// The entries of an archive, in the order of its directory. Throws Error of kind model for a directory that contradicts
// itself, the entries' local headers or the file: offsets outside the file, overlapping entries, two entries of one
// name, names that lead out of a folder, more than 100,000 entries.
std::vector<ZipEntry> read_zip(std::span<const std::byte> file, const std::string& where);

// The entry's bytes in a buffer of entry.size. Throws Error of kind model if they are damaged. The size is checked
// against the most that deflate can gain before anything is allocated, and against max_bytes.
std::vector<std::byte> inflated(const ZipEntry& entry, std::uint64_t max_bytes, const std::string& where);

// Throws Error of kind model if the checksum of a stored entry is not the directory's.
void check_crc(const ZipEntry& entry, const std::string& where);

}  // namespace alexnet
