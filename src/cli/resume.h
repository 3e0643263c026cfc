// Going on where an unfinished run of `classify -f jsonl -o FILE`, or `evaluate -o FILE`, ended.
//
// With --resume FILE grows in place, whole records at a time, so that a run that is killed loses at most the batch it was at.
// Records that stand in FILE, or in the FILE.part that an interrupted run without --resume leaves, are kept wherever their
// pictures come among the inputs. Where that is not simply the beginning of FILE (pictures have been added or removed since),
// a new file is written beside FILE and replaces it when it is whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "cli/output.h"
#include "tasks/pictures.h"

namespace alexnet::cli {

class Resume {
 public:
  // Records made with other options than these (`top` classes, with or without logits), and a file that holds no records but
  // something else, are Errors of kind usage. Torn lines are passed over.
  // `on_kept`, if given, is called with each input that has a record, and with that record.
  using OnKept = std::function<void(const PictureInput& input, std::string_view record)>;
  Resume(const std::string& file, std::size_t top, bool logits, NextPicture source, OnKept on_kept = {});

  // Where the records of what next() gives are to be written, behind write_kept().
  Output open_output();

  // The next input that has no record yet.
  PictureSource::Next next(PictureInput& input, bool wait);
  // Writes the kept records that come before the one to be written next. To be called before each record.
  void write_kept(Output& output);
  // Writes the kept records that are left: those of the last inputs or, for a run that ends early, all.
  void finish(Output& output, bool whole);

  std::uint64_t kept() const { return kept_; }
  std::uint64_t kept_failed() const { return kept_failed_; }

 private:
  struct Line {
    std::string_view text;
    bool failed = false;
    bool used = false;
  };
  struct Waiting {
    std::uint64_t before;  // this many computed records come first
    std::string_view text;
  };

  void read(const std::string& file, std::size_t top, bool logits);
  const char* file_begin() const;
  Line* take(const std::string& path);
  void keep(const PictureInput& input, const Line& line);

  std::string file_;
  NextPicture source_;
  OnKept on_kept_;
  std::vector<std::shared_ptr<const MappedFile>> mapped_;
  std::deque<Line> lines_;                                       // in the order of the files
  std::unordered_map<std::size_t, std::vector<Line*>> by_path_;  // by the path's hash
  std::size_t lines_of_file_ = 0;                                // without those of FILE.part
  std::optional<PictureInput> held_;                             // the first input that is not simply the next line of FILE
  bool at_end_ = false;                                          // of the inputs
  std::uint64_t prefix_bytes_ = 0;
  std::uint64_t unused_ = 0;
  std::uint64_t computed_ = 0;  // inputs given by next()
  std::uint64_t written_ = 0;   // records that they became
  std::deque<Waiting> waiting_;
  std::uint64_t kept_ = 0;
  std::uint64_t kept_failed_ = 0;
};

}  // namespace alexnet::cli
