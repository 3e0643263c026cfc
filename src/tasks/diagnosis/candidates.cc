#include "tasks/diagnosis/candidates.h"

#include <algorithm>

namespace alexnet {
namespace {

std::vector<Change> all_changes(const Model& model, EditedWeights& edits, bool of_layers) {
  std::vector<Change> result;
  for (const Suspect& suspect : suspects()) {
    for (auto& change : suspect.changes(model, edits)) {
      if (change.layer.empty() != of_layers) result.push_back(std::move(change));
    }
  }
  return result;
}

}  // namespace

bool Candidate::apply(Model& model) const {
  return std::ranges::all_of(changes, [&](const Change& change) { return change.apply(model); });
}

bool Candidate::excludes(const Candidate& other) const {
  if (suspect() != other.suspect()) return false;
  return std::ranges::any_of(changes, [&](const Change& mine) {
    return std::ranges::any_of(other.changes, [&](const Change& theirs) { return mine.layer == theirs.layer; });
  });
}

std::vector<Candidate> preprocessing_candidates(const Model& model, EditedWeights& edits) {
  std::vector<Candidate> result;
  for (auto& change : all_changes(model, edits, /*of_layers=*/false)) result.push_back({{std::move(change)}, /*everywhere=*/true});
  return result;
}

std::vector<Candidate> layer_candidates(const Model& model, EditedWeights& edits) {
  const auto changes = all_changes(model, edits, /*of_layers=*/true);
  std::vector<Candidate> result;
  for (const Change& change : changes) {
    const auto like = std::ranges::find_if(result, [&](const Candidate& candidate) {
      return candidate.suspect() == change.suspect && candidate.changes.front().variant == change.variant;
    });
    if (like == result.end()) {
      result.push_back({{change}, /*everywhere=*/true});
    } else {
      like->changes.push_back(change);
    }
  }
  const std::size_t variants = result.size();
  for (std::size_t i = 0; i < variants; ++i) {
    if (result[i].changes.size() == 1) continue;
    for (const Change& change : std::vector<Change>(result[i].changes)) result.push_back({{change}, /*everywhere=*/false});
  }
  return result;
}

}  // namespace alexnet
