#pragma once

#include <atomic>
#include <string>

namespace alexnet {

// Reads a descriptor piece by piece without ever waiting longer than a moment for a signal to end the job.
class PatientReader {
 public:
  enum class Got { bytes, later, end };

  // Does not own the descriptor.
  PatientReader(int descriptor, const std::atomic<int>* stop) : descriptor_(descriptor), stop_(stop) {}

  // Appends what there is to `text`. Throws Error of kind unreadable, with an empty `where`.
  Got read(std::string& text, bool wait);

 private:
  int descriptor_;
  const std::atomic<int>* stop_;
};

// The lines of a list.
class ListReader {
 public:
  using Got = PatientReader::Got;

  // "-": standard input. Throws Error: not_found, unreadable, resources.
  ListReader(const std::string& name, char separator, const std::atomic<int>* stop);
  ~ListReader();
  ListReader(const ListReader&) = delete;
  ListReader& operator=(const ListReader&) = delete;

  // Throws Error: unreadable; corrupt for a line of more than 64 KiB, which no path has.
  Got next(std::string& line, bool wait);

 private:
  std::string name_;
  char separator_;
  int descriptor_;
  bool ended_ = false;
  std::string buffer_;
  std::size_t position_ = 0;
  PatientReader reader_;
};

}  // namespace alexnet
