// Why a network differs from a reference: the usual suspects (diagnosis/change.h) are retried alone and in pairs until the
// difference vanishes (docs/compare.md).
#pragma once

#include <string>
#include <vector>

#include "tasks/compare.h"

namespace alexnet {

// One thing that the reference does otherwise.
struct Cause {
  std::string suspect;              // its name in the list of suspects
  std::string variant;              // which way
  std::vector<std::string> layers;  // where; empty: in the preprocessing
  std::string finding;              // what the reference does, of the first of these layers
  std::vector<std::string> advice;  // what to change: an option of convert, or key and value; of each layer
};

// Causes that together make the difference vanish in these layers.
struct Explanation {
  std::vector<Cause> causes;  // one, or a pair
};

struct Finding {
  // The first is the simplest. Several: this network and these pictures can't tell them apart.
  std::vector<Explanation> explanations;
  std::vector<std::string> layers;  // whose difference vanishes
  double before = 0;                // the largest relative difference among them
  double after = 0;
};

struct Diagnosis {
  std::vector<Finding> findings;  // in the order in which they were made; each holds with those before it
  // Layers whose difference none of the suspects explains.
  std::vector<std::string> unexplained;

  bool nothing_wrong() const { return findings.empty() && unexplained.empty(); }
};

// `comparison` is what compare() found with the same model and reference. Nothing is tried if it agrees.
Diagnosis diagnose(const Model& model, const ReferenceDump& reference, const Comparison& comparison, const CompareOptions& options);

}  // namespace alexnet
