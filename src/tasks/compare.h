// Layer by layer against what another framework computed (docs/compare.md).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/network.h"
#include "tasks/difference.h"
#include "tasks/reference_dump.h"
#include "tasks/top.h"

namespace alexnet {

struct Judged {
  Difference difference;
  double allowed = 0;  // of Difference::relative (tasks/rounding.h)

  bool agrees() const { return difference.relative <= allowed; }
};

// A layer that the reference has, or the network's input as preprocessing makes it of the reference's pictures.
struct LayerComparison {
  std::string layer;
  std::string kind;  // of the layer; "preprocessing"
  Shape shape;       // of one picture
  Shape reference_shape;
  std::optional<Judged> cumulative;  // everything computed by this engine; nothing if the shapes differ
  std::optional<Judged> isolated;    // computed from the reference's values of what the layer reads
  std::string problem;               // why one of them is missing; often empty

  bool cumulative_agrees() const { return cumulative && cumulative->agrees(); }
  bool isolated_agrees() const { return isolated && isolated->agrees(); }
};

// What both say that a picture shows, most probable first.
struct PictureComparison {
  std::string name;  // its path, or its number from 0
  std::vector<ScoredClass> top;
  std::vector<ScoredClass> reference_top;

  bool same_first() const { return !top.empty() && top[0].index == reference_top[0].index; }
  bool same_set() const;  // whatever the order
};

struct ScorePair {
  float found;
  float wanted;
};

struct Comparison {
  std::int64_t pictures = 0;
  std::string precision;                // what the network computed in
  std::string reference_type;           // the widest type of the reference's layers: "F64"
  std::vector<LayerComparison> layers;  // in the network's order
  std::vector<UnknownArray> unknown;    // what the reference has and the model does not
  std::vector<std::string> missing;     // layers of the model that the reference does not have

  // Empty if the reference has neither scores nor probabilities.
  std::string scores;  // the layer that they were taken from
  std::vector<PictureComparison> tops;
  std::vector<ScorePair> pairs;  // both scores, evenly thinned out to at most kMaxPairs
  static constexpr std::size_t kMaxPairs = 20'000;

  std::int64_t same_first() const;
  std::int64_t same_set() const;
  // Every layer is within its tolerance, both ways.
  bool agrees() const;
  const LayerComparison* first_cumulative() const;  // past its tolerance; nullptr if none is
};

struct CompareOptions {
  CompileOptions compile = {};
  std::size_t top = 5;
  const std::atomic<int>* stop = nullptr;  // not zero: end early, with a result that does not count
};

// Pictures go through in blocks: memory does not grow with their number. Throws Error as compile() does.
Comparison compare(const Model& model, const ReferenceDump& reference, const CompareOptions& options);

}  // namespace alexnet
