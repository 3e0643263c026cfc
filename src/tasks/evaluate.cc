#include "tasks/evaluate.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace alexnet {
namespace {

constexpr double kUnits = 4294967296.0;  // in 1
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

bool has_answer(const Classification& record) { return !record.top.empty() && std::isfinite(record.top.front().probability); }

void calibrate(std::span<CalibrationBin> bins, const Classification& record) {
  const float in_record = has_answer(record) ? static_cast<float>(record.top.front().probability) : 0.0f;
  const double probability = std::clamp(static_cast<double>(in_record), 0.0, 1.0);
  const auto above = static_cast<std::size_t>(std::ceil(probability * static_cast<double>(bins.size())));
  CalibrationBin& bin = bins[std::max<std::size_t>(above, 1) - 1];
  ++bin.pictures;
  bin.right += is_right(record) ? 1 : 0;
  bin.probabilities += static_cast<std::uint64_t>(std::llround(probability * kUnits));
}

void keep_mistake(Evaluation& evaluation, const Classification& record) {
  auto& kept = evaluation.mistakes;
  const auto at = std::ranges::upper_bound(kept, record.top.front().probability, std::greater<>{},
                                           [](const Classification& one) { return one.top.front().probability; });
  if (static_cast<std::size_t>(at - kept.begin()) >= evaluation.options.mistakes) return;
  kept.insert(at, record);
  if (kept.size() > evaluation.options.mistakes) kept.pop_back();
}

}  // namespace

Evaluation::Evaluation(const EvaluationOptions& chosen) : options(chosen), of_class(static_cast<std::size_t>(chosen.classes)) {}

bool is_right(const Classification& record) { return has_answer(record) && record.top.front().index == record.target; }

bool is_among_five(const Classification& record) {
  return has_answer(record) &&
         std::ranges::any_of(record.top.begin(),
                             record.top.begin() + static_cast<std::ptrdiff_t>(std::min(record.top.size(), kTop)),
                             [&](const ScoredClass& one) { return one.index == record.target; });
}

void add(Evaluation& evaluation, const Classification& record) {
  if (record.error) {
    ++evaluation.failed;
    if (evaluation.failures.size() < kListedFailures) evaluation.failures.push_back(record);
    return;
  }
  assert(record.target && *record.target < evaluation.options.classes);
  for (Tally* tally : {&evaluation.all, &evaluation.of_class[static_cast<std::size_t>(*record.target)]}) {
    ++tally->pictures;
    tally->top1 += is_right(record) ? 1 : 0;
    tally->top5 += is_among_five(record) ? 1 : 0;
  }
  calibrate(evaluation.calibration, record);
  if (is_right(record) || !has_answer(record)) return;
  ++evaluation.wrong[{*record.target, record.top.front().index}];
  keep_mistake(evaluation, record);
}

double CalibrationBin::mean_probability() const { return alexnet::mean_probability({this, 1}); }

double mean_probability(std::span<const CalibrationBin> bins) {
  CalibrationBin all;
  for (const auto& bin : bins) {
    all.pictures += bin.pictures;
    all.probabilities += bin.probabilities;
  }
  return all.pictures > 0 ? static_cast<double>(all.probabilities) / kUnits / static_cast<double>(all.pictures) : kNone;
}

double expected_calibration_error(std::span<const CalibrationBin> bins) {
  double pictures = 0;
  double gaps = 0;
  for (const auto& bin : bins) {
    pictures += static_cast<double>(bin.pictures);
    gaps += std::abs(static_cast<double>(bin.right) - static_cast<double>(bin.probabilities) / kUnits);
  }
  return pictures > 0 ? gaps / pictures : kNone;
}

std::vector<Confusion> most_confused(const Evaluation& evaluation, std::size_t count) {
  std::vector<Confusion> pairs;
  for (const auto& [pair, pictures] : evaluation.wrong) pairs.push_back({pair.first, pair.second, pictures});
  std::ranges::stable_sort(pairs, std::greater<>{}, &Confusion::pictures);
  pairs.resize(std::min(count, pairs.size()));
  return pairs;
}

std::vector<std::int64_t> by_accuracy(const Evaluation& evaluation) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < evaluation.options.classes; ++i) {
    if (evaluation.of_class[static_cast<std::size_t>(i)].pictures > 0) order.push_back(i);
  }
  std::ranges::stable_sort(order, {}, [&](std::int64_t i) {
    const Tally& tally = evaluation.of_class[static_cast<std::size_t>(i)];
    const auto pictures = static_cast<double>(tally.pictures);
    return std::pair(static_cast<double>(tally.top1) / pictures, static_cast<double>(tally.top5) / pictures);
  });
  return order;
}

ClassifyTotals evaluate(std::shared_ptr<const Network> network, const Preprocessing& preprocessing, const NextPicture& source,
                        const PictureBatchOptions& options, Evaluation& evaluation,
                        const std::function<void(std::span<Classification>)>& receive) {
  return classify(std::move(network), preprocessing, source, {.pictures = options, .top = kTop},
                  [&](std::span<Classification> records) {
                    for (const auto& record : records) add(evaluation, record);
                    receive(records);
                  });
}

}  // namespace alexnet
