// Everything between a finished record and the user: where it goes, what is said about it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "cli/arguments.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/records.h"
#include "cli/resume.h"
#include "tasks/classify.h"

namespace alexnet::cli {

// The checks of --resume that need no look into the file. Throws Error of kind usage.
void check_resume(const Arguments& arguments);

class RecordReceiver {
 public:
  struct Options {
    bool report_errors = false;  // of pictures, on standard error
    ProgressBar::Count count;    // of all pictures
  };
  // Without an output the records are not written.
  RecordReceiver(const Arguments& arguments, RecordText text, std::optional<Output> output, Resume* resume, Options options);

  void receive(std::span<Classification> records);
  // `whole`: no picture was left out.
  void finish(bool whole);

 private:
  void remark(const Classification& record);

  RecordText text_;
  std::optional<Output> output_;
  Resume* resume_;
  bool report_errors_;
  ProgressBar progress_;
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace alexnet::cli
