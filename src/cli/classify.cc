#include "tasks/classify.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/record_receiver.h"
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
  check_resume(arguments);
  if (arguments.has("resume") && arguments.text("format") != "jsonl")
    throw Error(ErrorKind::usage, "--resume", "needs -f jsonl", "other forms have no whole records");
}

// Rows that the network will see together: few where the operands are few files, not folders or lists.
std::int64_t most_rows(const Arguments& arguments) {
  std::error_code ignored;
  for (const auto& operand : arguments.operands())
    if (!std::filesystem::is_regular_file(operand, ignored)) return kMostRows;
  const std::int64_t crops = arguments.text("crops") == "10" ? 10 : 1;
  return std::min(kMostRows, crops * static_cast<std::int64_t>(arguments.operands().size()));
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
  const auto network = compiled(arguments, [&](CompileOptions options) {
                         options.rows = most_rows(arguments);
                         NamedNetwork scores = compile_for_scores(model, options);
                         check_takes_pictures(*scores.network, model.preprocessing);
                         return scores;
                       }).network;
  const auto labels = labels_for(arguments, model, network->outputs().front().shape.elements());
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
  RecordReceiver receiver(arguments, RecordText(record_format(arguments.text("format")), labels, terminal, logits),
                          std::move(plain_output), resume ? &*resume : nullptr,
                          {.report_errors = arguments.text("format") == "text",
                           .count = [&arguments] { return count_pictures(arguments.operands(), source_options(arguments)); }});

  const ClassifyOptions options{
      .pictures = batch_options(arguments, model.preprocessing),
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
