// Where results go: standard output, or a file that appears when it is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"

namespace alexnet::cli {

// Buffers. Throws Error of kind output for what can't be written, Ended (141) when the reader of standard output has gone.
class Output {
 public:
  // "-": standard output; else a file, created beside its name at once so that a bad place is found before work starts.
  explicit Output(const std::string& name);
  // A file that grows in place behind its first `kept` bytes; what follows them is cut off.
  static Output growing(const std::string& name, std::uint64_t kept);
  Output(Output&&) noexcept;
  ~Output();

  void write(std::string_view text);
  void flush();
  // Flushes; the file gets its name.
  void commit();
  // Flushes what there is of a run that ends early; says where it is when that is another file than the one named.
  void keep_partial();

  bool is_standard_output() const { return !file_ && descriptor_ < 0; }

 private:
  Output() = default;

  std::string name_;
  std::string buffer_;
  std::unique_ptr<AtomicFile> file_;
  int descriptor_ = -1;
};

// A file in a folder of its own, gone with it: for what can't be written to standard output as it is made.
class TemporaryFile {
 public:
  TemporaryFile();
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  std::filesystem::path path() const { return folder_ / "out"; }
  void copy_to_standard_output() const;

 private:
  std::filesystem::path folder_;
};

// Writes all of it to a descriptor. Throws as Output does; `name` is how messages call it.
void write_all(int descriptor, std::string_view text, const std::string& name);

// Makes sure that descriptors 0 to 2 are open, so that no file of ours gets one of these numbers.
void open_standard_descriptors();

}  // namespace alexnet::cli
