// Files as whole values: read into memory, mapped, or replaced in one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alexnet {

// Reads a regular file. Throws Error: not_found; unreadable for folders, pipes, devices and missing permission;
// too_large above max_bytes (checked before allocating); resources when descriptors ran out.
std::vector<std::byte> read_file(const std::filesystem::path& path, std::uint64_t max_bytes = UINT64_MAX);

// A regular file mapped read-only; the pages live as long as any copy of the pointer. The file must not be
// truncated meanwhile (replacing it by rename is fine).
class MappedFile {
 public:
  // Throws Error of kind model: what is mapped is a model, checkpoint or reference.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

// Writes to a temporary file beside `path` and renames it there when whole; the target is untouched until commit().
// A link is followed to the file it names; a device or pipe is written as it is. All members throw Error of kind output,
// naming the path. Without commit() the temporary file is removed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // The file that it becomes.
  const std::filesystem::path& path() const { return path_; }

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void seek(std::uint64_t offset);
  void commit();
  // Ends with what was written so far kept as PATH.part and the target untouched; returns that name.
  std::filesystem::path keep_partial();

 private:
  void finish(const std::filesystem::path& destination);
  [[noreturn]] void fail(const char* what) const;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

}  // namespace alexnet
