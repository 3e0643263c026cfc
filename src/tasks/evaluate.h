// How often a network is right on pictures whose class is known (docs/evaluate.md).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tasks/classify.h"
#include "tasks/labelled_set.h"

namespace alexnet {

// Right: the class has the highest score; is among the five highest.
struct Tally {
  std::uint64_t pictures = 0;
  std::uint64_t top1 = 0;
  std::uint64_t top5 = 0;
};

inline constexpr std::size_t kTop = 5;
inline constexpr std::size_t kCalibrationBins = 15;
inline constexpr std::size_t kListedFailures = 100;

// Pictures whose first answer has a probability above i / kCalibrationBins and up to (i + 1) / kCalibrationBins.
struct CalibrationBin {
  std::uint64_t pictures = 0;
  std::uint64_t right = 0;
  // The sum over the pictures of the probability as records hold it, in units of 2^-32: whole numbers, so that the order of the
  // pictures, and whether their records were read back, makes no difference.
  std::uint64_t probabilities = 0;

  double mean_probability() const;  // NaN without pictures
};

struct Confusion {
  std::int64_t target = 0;
  std::int64_t answer = 0;
  std::uint64_t pictures = 0;
};

struct EvaluationOptions {
  std::int64_t classes = 0;
  std::size_t mistakes = 0;  // how many to keep
};

// Counts, and what can be read off them; its size does not depend on the number of pictures beyond what each class pair takes.
struct Evaluation {
  explicit Evaluation(const EvaluationOptions& options);

  EvaluationOptions options;
  Tally all;                                                             // without those that could not be used
  std::vector<Tally> of_class;                                           // by the right class
  std::map<std::pair<std::int64_t, std::int64_t>, std::uint64_t> wrong;  // (target, answer)
  std::array<CalibrationBin, kCalibrationBins> calibration{};
  std::uint64_t failed = 0;
  std::vector<Classification> failures;  // the first kListedFailures
  std::vector<Classification> mistakes;  // the most confident ones, most confident first
};

// Takes a record with its target and its five first classes, or all if there are fewer, or an error.
void add(Evaluation& evaluation, const Classification& record);

bool is_right(const Classification& record);  // an answer that is NaN is not
bool is_among_five(const Classification& record);

// The sum over the bins of their share of pictures times |share of right answers - mean probability| (Guo et al., On
// Calibration of Modern Neural Networks, 2017, equation 3). NaN without pictures.
double expected_calibration_error(std::span<const CalibrationBin> bins);
// The mean probability of the first answers; NaN without pictures.
double mean_probability(std::span<const CalibrationBin> bins);
// Pairs of classes by how often one was taken for the other, most often first; at most `count`.
std::vector<Confusion> most_confused(const Evaluation& evaluation, std::size_t count);
// Classes that have pictures, the least often right first; among equals, the lower top-5, then the lower index.
std::vector<std::int64_t> by_accuracy(const Evaluation& evaluation);

// classify(), with each record added to the evaluation before `receive` gets it.
ClassifyTotals evaluate(std::shared_ptr<const Network> network, const Preprocessing& preprocessing, const NextPicture& source,
                        const PictureBatchOptions& options, Evaluation& evaluation,
                        const std::function<void(std::span<Classification>)>& receive);

}  // namespace alexnet
