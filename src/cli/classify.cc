#include "tasks/classify.h"

#include <unistd.h>

#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/records.h"
#include "cli/report.h"
#include "cli/resume.h"
#include "cli/signals.h"
#include "cli/source_options.h"
#include "cli/verb.h"

namespace alexnet::cli {
namespace {

void check_combination(const Arguments& arguments) {
  need_pictures(arguments);
  if (!arguments.has("resume")) return;
  if (arguments.text("output") == "-")
    throw Error(ErrorKind::usage, "--resume", "needs a file to go on with", "give it with -o FILE");
  if (arguments.text("format") != "jsonl")
    throw Error(ErrorKind::usage, "--resume", "needs -f jsonl", "other forms have no whole records");
  std::error_code ignored;
  const auto type = std::filesystem::status(arguments.text("output"), ignored).type();
  if (type != std::filesystem::file_type::regular && type != std::filesystem::file_type::not_found) {
    throw Error(ErrorKind::usage, "--resume", fmt::format("{} is no file to go on with", shown(arguments.text("output"))));
  }
}

std::size_t top_count(const Arguments& arguments, const Network& network) {
  const auto classes = static_cast<std::size_t>(network.outputs().front().shape.elements());
  const auto wanted = static_cast<std::size_t>(arguments.integer("top"));
  if (arguments.has("top") && wanted > classes) {
    throw Error(ErrorKind::usage, "--top", fmt::format("{} is not allowed", shown(arguments.text("top"))),
                fmt::format("allowed: an integer from 1 to {}, the number of classes", classes));
  }
  return std::min(wanted, classes);
}

std::vector<Label> labels_for(const Arguments& arguments, const Model& model, const Network& network) {
  if (!arguments.has("labels")) return model.labels;
  const std::string file = arguments.text("labels");
  auto labels = labels_of(file);
  const auto classes = network.outputs().front().shape.elements();
  if (static_cast<std::int64_t>(labels.size()) != classes) {
    throw Error(ErrorKind::model, file, fmt::format("has {} labels, the network {} classes", labels.size(), classes));
  }
  return labels;
}

// Everything between a finished record and the user: where it goes, what is said about it.
class Receiver {
 public:
  Receiver(const Arguments& arguments, RecordText text, Output output, Resume* resume)
      : text_(text),
        output_(std::move(output)),
        resume_(resume),
        is_text_(arguments.text("format") == "text"),
        progress_(terminal_of(STDERR_FILENO, arguments.text("color")), arguments.has("quiet"),
                  [&arguments] { return count_pictures(arguments.operands(), source_options(arguments)); }) {
    if (resume_ == nullptr) output_.write(text_.head());
  }

  void receive(std::span<Classification> records) {
    if (output_.is_standard_output()) progress_.hide();
    for (const auto& record : records) {
      ++done_;
      if (resume_ != nullptr) resume_->write_kept(output_);
      output_.write(text_.record(record));
      remark(record);
    }
    output_.flush();
    progress_.update(done_ + (resume_ == nullptr ? 0 : resume_->kept()), failed_);
  }

  void finish(bool whole) {
    progress_.hide();
    if (resume_ != nullptr) resume_->finish(output_, whole);
    output_.write(text_.tail());
    whole ? output_.commit() : output_.keep_partial();
  }

 private:
  void remark(const Classification& record) {
    if (record.error) ++failed_;
    for (const auto& note : record.notes) {
      progress_.hide();
      log(LogLevel::debug, fmt::format("{}: {}", printable(record.path), note));
    }
    if (record.error && is_text_) {
      output_.flush();  // so that on a terminal the message stands in its place
      progress_.hide();
      report(*record.error);
    }
  }

  RecordText text_;
  Output output_;
  Resume* resume_;
  bool is_text_;
  ProgressBar progress_;
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
};

void say_times(const ClassifyTotals& totals, int threads) {
  const auto milliseconds = [&](double seconds) { return fmt::format("{:.1f} ms", 1e3 * seconds); };
  const auto pictures = static_cast<double>(std::max<std::uint64_t>(totals.pictures, 1));
  write_all(STDERR_FILENO,
            fmt::format("time for {} pictures: decode {}, resize {} (sums over {} threads), network {}; a picture: {}, {}, {}\n",
                        totals.pictures, milliseconds(totals.decode_seconds), milliseconds(totals.resize_seconds), threads,
                        milliseconds(totals.network_seconds), milliseconds(totals.decode_seconds / pictures),
                        milliseconds(totals.resize_seconds / pictures), milliseconds(totals.network_seconds / pictures)),
            "standard error");
}

}  // namespace

int classify(const Arguments& arguments) {
  check_combination(arguments);
  const bool logits = arguments.has("logits");
  std::optional<Output> plain_output;
  if (!arguments.has("resume")) plain_output.emplace(arguments.text("output"));

  const Model model = load_model(arguments);
  const auto network = compiled(arguments, [&](const CompileOptions& options) {
                         NamedNetwork scores = compile_for_scores(model, options);
                         check_takes_pictures(*scores.network, model.preprocessing);
                         return scores;
                       }).network;
  const auto labels = labels_for(arguments, model, *network);
  const std::size_t top = top_count(arguments, *network);

  PictureSource pictures(arguments.operands(), source_options(arguments));
  NextPicture source = [&](PictureInput& input, bool wait) { return pictures.next(input, wait); };
  std::optional<Resume> resume;
  if (arguments.has("resume")) {
    resume.emplace(arguments.text("output"), top, logits, source);
    source = [&](PictureInput& input, bool wait) { return resume->next(input, wait); };
    plain_output.emplace(resume->open_output());
  }

  const bool to_terminal = plain_output->is_standard_output();
  const Terminal terminal = to_terminal ? terminal_of(STDOUT_FILENO, arguments.text("color")) : Terminal{.utf8 = true};
  Receiver receiver(arguments, RecordText(record_format(arguments.text("format")), labels, terminal, logits),
                    std::move(*plain_output), resume ? &*resume : nullptr);

  const ClassifyOptions options{
      .pictures = {.batch = arguments.has("batch") ? static_cast<int>(arguments.integer("batch")) : PictureBatchOptions{}.batch,
                   .crops = arguments.text("crops") == "10" ? Crops::ten : Crops::one,
                   .decode = decode_options(arguments),
                   .stop = &interruption()},
      .top = top,
      .logits = logits,
  };
  const auto totals = classify(network, model.preprocessing, source, options, [&](auto records) { receiver.receive(records); });
  receiver.finish(/*whole=*/!totals.stopped);
  end_if_interrupted();

  if (arguments.has("time")) say_times(totals, network->threads());
  const std::uint64_t failed = totals.failed + (resume ? resume->kept_failed() : 0);
  const std::uint64_t all = totals.pictures + (resume ? resume->kept() : 0);
  if (resume) log(LogLevel::info, fmt::format("{} records were there already, {} are new", resume->kept(), totals.pictures));
  return failures(failed, all, totals.resources_ran_out);
}

}  // namespace alexnet::cli
