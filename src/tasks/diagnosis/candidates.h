// What is tried: each change alone, and each of them everywhere at once.
#pragma once

#include <vector>

#include "tasks/diagnosis/change.h"

namespace alexnet {

struct Candidate {
  std::vector<Change> changes;  // of one suspect and variant
  bool everywhere = false;      // wherever the model has a place for it

  const std::string& suspect() const { return changes.front().suspect; }
  // Makes all changes. False, with the model changed in part, if one has no place.
  bool apply(Model& model) const;
  // Whether both would change the same respect of the same place.
  bool excludes(const Candidate& other) const;
};

// The suspects' changes to preprocessing, with the seven ways of turning a picture, and those to layers, the ones made everywhere
// first. `edits` must outlive them.
std::vector<Candidate> preprocessing_candidates(const Model& model, EditedWeights& edits);
std::vector<Candidate> layer_candidates(const Model& model, EditedWeights& edits);

}  // namespace alexnet
