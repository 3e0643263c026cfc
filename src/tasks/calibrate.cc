#include "tasks/calibrate.h"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"
#include "base/threads.h"
#include "runtime/parallel.h"
#include "runtime/precision.h"
#include "tasks/labelled_set.h"
#include "tasks/named_network.h"

namespace alexnet {
namespace {

NextPicture one_after_the_other(std::span<const LabelledPicture> pictures, std::size_t& next) {
  return [=, &next](PictureInput& input, bool) {
    if (next == pictures.size()) return PictureSource::Next::end;
    input.path = pictures[next++].path;
    return PictureSource::Next::picture;
  };
}

// The places of the classes by score, the target's rank first: how many scores are above it; of equal ones the first is higher.
std::size_t rank_of(std::size_t target, std::span<const float> scores) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) rank += scores[i] > scores[target] || (scores[i] == scores[target] && i < target);
  return rank;
}

constexpr std::size_t kUnusable = SIZE_MAX;

// Of each picture's target in this precision, kUnusable for pictures that can't be used; nothing if the model can't run in it. Each
// thread has a share of the pictures and a network on one thread, which wait for nobody.
std::optional<std::vector<std::size_t>> ranks(const Model& model, std::span<const LabelledPicture> pictures, Precision precision,
                                              const CalibrateOptions& options) {
  const int threads = options.compile.threads == 0 ? thread_budget().threads : options.compile.threads;
  CompileOptions compile = options.compile;
  compile.threads = 1;
  compile.precision = precision;
  compile.emulate_bf16 = true;
  const NamedNetwork network = compile_for_scores(model, compile);
  if (network.network->plan().precision != name(precision)) return std::nullopt;
  std::vector<std::size_t> result(pictures.size());
  parallel_for(threads, threads, [&](std::int64_t share) {
    const auto bound = [&](std::int64_t at) {
      return static_cast<std::size_t>(at) * pictures.size() / static_cast<std::size_t>(threads);
    };
    const auto first = bound(share);
    const auto own = pictures.subspan(first, bound(share + 1) - first);
    PictureBatches batches(network.network, model.preprocessing, options.pictures);
    std::size_t next = 0;
    std::size_t done = 0;
    while (batches.next(one_after_the_other(own, next))) {
      for (std::size_t i = 0; i < batches.inputs().size(); ++i, ++done) {
        result[first + done] = batches.pictures()[i].error ? kUnusable : rank_of(own[done].target, batches.values(0, i));
      }
    }
  });
  return result;
}

TopShares shares(const std::vector<std::size_t>& ranks) {
  const auto usable = std::ranges::count_if(ranks, [](std::size_t rank) { return rank != kUnusable; });
  const auto below = [&](std::size_t limit) {
    const auto count = std::ranges::count_if(ranks, [&](std::size_t rank) { return rank < limit; });
    return 100.0 * static_cast<double>(count) / static_cast<double>(std::max<std::ptrdiff_t>(usable, 1));
  };
  return {.top1 = below(1), .top5 = below(5)};
}

std::vector<std::string> all_pictures(const std::filesystem::path& folder) {
  PictureSource source({folder.string()}, {.recursive = true});
  std::vector<std::string> paths;
  PictureInput input;
  while (source.next(input, /*wait=*/true) == PictureSource::Next::picture) {
    if (input.problem) throw *input.problem;
    paths.push_back(input.path);
  }
  return paths;
}

// Each picture with f32's answer as its class.
std::vector<LabelledPicture> answered(const Model& model, std::vector<LabelledPicture> pictures, const CalibrateOptions& options) {
  const NamedNetwork network = compile_for_scores(model, options.compile);
  PictureBatches batches(network.network, model.preprocessing, options.pictures);
  std::size_t next = 0;
  std::size_t done = 0;
  while (batches.next(one_after_the_other(pictures, next))) {
    for (std::size_t i = 0; i < batches.inputs().size(); ++i, ++done) {
      if (batches.pictures()[i].error) continue;
      const auto scores = batches.values(0, i);
      pictures[done].target = static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
    }
  }
  return pictures;
}

}  // namespace

Ranges measured_ranges(const Model& model, const std::vector<std::string>& operands, const CalibrateOptions& options) {
  std::vector<std::string> names;
  for (const auto& input : model.graph.inputs) names.push_back(input.name);
  for (const Node& node : model.graph.nodes) names.push_back(node.name);
  CompileOptions compile = options.compile;
  compile.precision = Precision::f32;
  const NamedNetwork network = compile_named(model, names, compile);
  PictureBatches batches(network.network, model.preprocessing, options.pictures);
  PictureSource source(operands, {.recursive = true});
  Ranges ranges;
  for (const auto& name : names) ranges.tensors[name] = {};
  while (batches.next([&](PictureInput& input, bool wait) { return source.next(input, wait); })) {
    for (std::size_t picture = 0; picture < batches.inputs().size(); ++picture) {
      if (batches.pictures()[picture].error) continue;
      ++ranges.pictures;
      for (std::size_t i = 0; i < names.size(); ++i) {
        const auto [lowest, highest] = std::ranges::minmax(batches.values(network.positions[i], picture));
        Range& range = ranges.tensors[names[i]];
        range.lowest = std::min(range.lowest, static_cast<double>(lowest));
        range.highest = std::max(range.highest, static_cast<double>(highest));
      }
    }
  }
  if (ranges.pictures == 0) throw Error(ErrorKind::usage, "calibration", "no picture could be used");
  ranges.data = fmt::format("{} pictures", ranges.pictures);
  return ranges;
}

std::optional<std::vector<LabelledPicture>> labelled_pictures(const std::filesystem::path& folder,
                                                              const std::vector<Label>& labels) {
  std::vector<LabelledPicture> result;
  try {
    const LabelledSet set(folder.string(), ClassNames(labels, static_cast<std::int64_t>(labels.size())));
    const NextPicture next = set.pictures(nullptr);
    PictureInput input;
    while (next(input, /*wait=*/true) == PictureSource::Next::picture)
      result.push_back({input.path, static_cast<std::size_t>(input.target.value())});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) throw;
    return std::nullopt;
  }
  return result;
}

Accuracy measured_accuracy(const Model& model, const std::vector<LabelledPicture>& pictures, const CalibrateOptions& options) {
  Accuracy accuracy;
  const auto exact = *ranks(model, pictures, Precision::f32, options);
  accuracy.pictures = std::ranges::count_if(exact, [](std::size_t rank) { return rank != kUnusable; });
  accuracy.precisions["f32"] = shares(exact);
  for (const Precision precision : options.precisions) {
    const auto found = ranks(model, pictures, precision, options);
    if (!found) continue;
    TopShares measured = shares(*found);
    measured.better = measured.worse = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      *measured.better += exact[i] != 0 && (*found)[i] == 0;
      *measured.worse += exact[i] == 0 && (*found)[i] != 0;
    }
    accuracy.precisions[std::string(name(precision))] = measured;
  }
  return accuracy;
}

void calibrate(Model& model, const std::filesystem::path& folder, const CalibrateOptions& options) {
  Ranges ranges = measured_ranges(model, {folder.string()}, options);
  const std::string called = to_utf8_lossy(folder.filename().string());
  ranges.data = fmt::format("{} pictures in {}", ranges.pictures, called);
  model.ranges = to_json(ranges).dump();
  auto pictures = labelled_pictures(folder, model.labels);
  const bool labelled = pictures.has_value();
  if (!labelled) {
    pictures.emplace();
    for (auto& path : all_pictures(folder)) pictures->push_back({.path = std::move(path), .target = 0});
    pictures = answered(model, std::move(*pictures), options);
  }
  Accuracy accuracy = measured_accuracy(model, *pictures, options);
  accuracy.data = fmt::format("{} pictures in {}{}", accuracy.pictures, called,
                              labelled ? "" : ", which do not say what they show: f32's answers count as right");
  accuracy.command = "alexnet convert --calibrate";
  model.accuracy = to_json(accuracy).dump();
}

}  // namespace alexnet
