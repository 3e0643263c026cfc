#include "tasks/evaluate.h"

#include <unistd.h>

#include <optional>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/evaluation_report.h"
#include "cli/evaluation_text.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/record_receiver.h"
#include "cli/report.h"
#include "cli/resume.h"
#include "cli/signals.h"
#include "cli/verb.h"
#include "tasks/agreement.h"
#include "tasks/labelled_set.h"
#include "tasks/record_line.h"

namespace alexnet::cli {
namespace {

void check_combination(const Arguments& arguments) {
  if (arguments.operands().empty()) {
    throw Error(ErrorKind::usage, "evaluate", "needs pictures whose class is known",
                "a folder with a folder for each class, or a CSV file of path,label");
  }
  if (arguments.text("output") == "-") {
    throw Error(ErrorKind::usage, "--output", "standard output has the measures", "name a file for the records");
  }
  check_resume(arguments);
}

// A record of an earlier run as classify() gave it.
Classification kept_record(const PictureInput& input, std::string_view line, std::int64_t classes, const std::string& file) {
  const ReadRecord read = read_record(line);
  Classification record{.path = input.path, .target = input.target, .error = read.error, .top = {}, .logits = {}, .notes = {}};
  for (const auto& entry : read.top) {
    if (entry.index < 0 || entry.index >= classes) {
      throw Error(ErrorKind::usage, file, fmt::format("has answers of class {}, but the network has {}", entry.index, classes),
                  "--resume needs the records of the same network");
    }
    record.top.push_back({entry.index, entry.probability});
  }
  return record;
}

// That the work is not for nothing.
void check_overlap(const Predictions& predictions, const LabelledSet& set, const std::string& file) {
  const NextPicture source = set.pictures(&interruption());
  std::string last;
  for (PictureInput input; source(input, /*wait=*/true) == PictureSource::Next::picture; last = input.path) {
    if (predictions.find(input.path)) return;
  }
  end_if_interrupted();
  throw Error(ErrorKind::model, file, fmt::format("predicts none of the pictures, such as {}", shown(last)),
              "paths are compared as seen from the current folder");
}

}  // namespace

int evaluate(const Arguments& arguments) {
  check_combination(arguments);
  std::optional<Output> records;
  if (arguments.has("output") && !arguments.has("resume")) records.emplace(arguments.text("output"));
  Output output("-");
  std::optional<Output> page = report_output(arguments);

  const Model model = load_model(arguments);
  const auto network = compiled(arguments, [&](const CompileOptions& options) {
                         NamedNetwork scores = compile_for_scores(model, options);
                         check_takes_pictures(*scores.network, model.preprocessing);
                         return scores;
                       }).network;
  const std::int64_t classes = network->outputs().front().shape.elements();
  const auto labels = labels_for(arguments, model, classes);
  const ClassNames names(labels, classes);
  const std::string set_name = arguments.operands().front();
  const LabelledSet set(set_name, names);
  std::optional<Predictions> predictions;
  if (arguments.has("against")) {
    predictions.emplace(arguments.text("against"), names);
    check_overlap(*predictions, set, arguments.text("against"));
  }

  Evaluation evaluation({.classes = classes, .mistakes = page ? kGallery : 0});
  Agreement agreement;
  const auto compare = [&](const Classification& record) {
    if (predictions && !record.error) add(agreement, record, predictions->find(record.path));
  };

  NextPicture source = set.pictures(&interruption());
  std::optional<Resume> resume;
  if (arguments.has("resume")) {
    const auto take = [&](const PictureInput& input, std::string_view line) {
      const Classification record = kept_record(input, line, classes, arguments.text("output"));
      add(evaluation, record);
      compare(record);
    };
    resume.emplace(arguments.text("output"), std::min(kTop, static_cast<std::size_t>(classes)), /*logits=*/false, source, take);
    source = [&](PictureInput& input, bool wait) { return resume->next(input, wait); };
    records.emplace(resume->open_output());
  }
  RecordReceiver receiver(arguments, RecordText(RecordFormat::jsonl, labels, {}, /*logits=*/false), std::move(records),
                          resume ? &*resume : nullptr,
                          {.report_errors = arguments.text("format") == "text", .count = [&set] { return set.count(); }});
  const auto pictures = batch_options(arguments, model.preprocessing);
  const auto totals = evaluate(network, model.preprocessing, source, pictures, evaluation, [&](std::span<Classification> batch) {
    for (const auto& record : batch) compare(record);
    receiver.receive(batch);
  });
  receiver.finish(/*whole=*/!totals.stopped);

  const EvaluationParts parts{.model = model_name(arguments),
                              .set = set_name,
                              .precision = network->plan().precision,
                              .crops = static_cast<int>(crop_count(pictures.crops)),
                              .labels = labels,
                              .evaluation = evaluation,
                              .whole = !totals.stopped,
                              .against = arguments.text("against"),
                              .agreement = predictions ? &agreement : nullptr};
  const Terminal terminal = terminal_of(STDOUT_FILENO, arguments.text("color"));
  output.write(arguments.text("format") == "json" ? evaluation_json(parts) : evaluation_text(parts, terminal));
  output.commit();
  if (page) {
    page->write(evaluation_page(parts, report_origin(arguments, model, parts.model, parts.precision)));
    page->commit();
  }
  end_if_interrupted();
  if (resume) log(LogLevel::info, fmt::format("{} records were there already, {} are new", resume->kept(), totals.pictures));
  return failures(evaluation.failed, evaluation.failed + evaluation.all.pictures, totals.resources_ran_out);
}

}  // namespace alexnet::cli
