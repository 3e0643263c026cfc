#include "cli/record_receiver.h"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/report.h"

namespace alexnet::cli {

void check_resume(const Arguments& arguments) {
  if (!arguments.has("resume")) return;
  const std::string file = arguments.text("output");
  if (file.empty() || file == "-") throw Error(ErrorKind::usage, "--resume", "needs a file to go on with", "give it with -o FILE");
  std::error_code ignored;
  const auto type = std::filesystem::status(file, ignored).type();
  if (type != std::filesystem::file_type::regular && type != std::filesystem::file_type::not_found) {
    throw Error(ErrorKind::usage, "--resume", fmt::format("{} is no file to go on with", shown(file)));
  }
}

RecordReceiver::RecordReceiver(const Arguments& arguments, RecordText text, std::optional<Output> output, Resume* resume,
                               Options options)
    : text_(text),
      output_(std::move(output)),
      resume_(resume),
      report_errors_(options.report_errors),
      progress_(terminal_of(STDERR_FILENO, arguments.text("color")), arguments.has("quiet"), std::move(options.count)) {
  if (output_ && resume_ == nullptr) output_->write(text_.head());
}

void RecordReceiver::receive(std::span<Classification> records) {
  if (output_ && output_->is_standard_output()) progress_.hide();
  for (const auto& record : records) {
    ++done_;
    if (resume_ != nullptr) resume_->write_kept(*output_);
    if (output_) output_->write(text_.record(record));
    remark(record);
  }
  if (output_) output_->flush();
  progress_.update(done_ + (resume_ == nullptr ? 0 : resume_->kept()), failed_);
}

void RecordReceiver::finish(bool whole) {
  progress_.hide();
  if (!output_) return;
  if (resume_ != nullptr) resume_->finish(*output_, whole);
  output_->write(text_.tail());
  whole ? output_->commit() : output_->keep_partial();
}

void RecordReceiver::remark(const Classification& record) {
  if (record.error) ++failed_;
  for (const auto& note : record.notes) {
    progress_.hide();
    log(LogLevel::debug, fmt::format("{}: {}", printable(record.path), note));
  }
  if (record.error && report_errors_) {
    if (output_) output_->flush();  // so that on a terminal the message stands in its place
    progress_.hide();
    report(*record.error);
  }
}

}  // namespace alexnet::cli
