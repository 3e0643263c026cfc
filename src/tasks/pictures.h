// Which pictures a job is about: from names of files, folders and lists to one path after the other, in a stable order and
// without ever holding all of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alexnet/error.h"

namespace alexnet {

struct PictureInput {
  std::string path;                         // bytes as the file system has them; "-": standard input
  std::optional<Error> problem;             // set for a folder or list that can't be read: there is no picture
  std::optional<std::int64_t> target = {};  // its class, where that is known
};

struct PictureSourceOptions {
  bool recursive = false;       // look into folders below the given ones
  bool null_separated = false;  // lists end their paths with NUL instead of a newline
  // Not zero: whoever waits for a list gives up, and the source is at its end.
  const std::atomic<int>* stop = nullptr;
};

// Operands are, in the order given: a folder (its pictures, by suffix, sorted by path; links to folders are not followed),
// "@LIST" (a file of paths, "@-" for standard input), "-" (the bytes of one picture on standard input), or anything else: a
// picture, whether it is there or not. Lists name pictures alone. A list's carriage returns before newlines and empty lines
// are passed over.
class PictureSource {
 public:
  enum class Next {
    picture,  // `input` was filled
    later,    // a list on a pipe has nothing to give at the moment; only without `wait`
    end,
  };

  PictureSource(std::vector<std::string> operands, const PictureSourceOptions& options);
  ~PictureSource();
  PictureSource(const PictureSource&) = delete;
  PictureSource& operator=(const PictureSource&) = delete;

  Next next(PictureInput& input, bool wait);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Where a job gets its pictures from, one after the other: PictureSource::next() or what stands before it.
using NextPicture = std::function<PictureSource::Next(PictureInput& input, bool wait)>;

// How many pictures a source of these operands will give; nothing if a list on a pipe or standard input is among them.
std::optional<std::uint64_t> count_pictures(const std::vector<std::string>& operands, const PictureSourceOptions& options);

// All of standard input, waiting for its end. Throws Error: too_large beyond max_bytes; unreadable when it can't be read or
// *stop becomes other than zero.
std::vector<std::byte> read_standard_input(std::uint64_t max_bytes, const std::atomic<int>* stop);

}  // namespace alexnet
