// How the answers of two engines, or of one at two precisions, for the same pictures differ.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "tasks/class_names.h"
#include "tasks/classify.h"

namespace alexnet {

// Records of docs/records.md in a file, found by the picture they are about. Holds a few bytes for each; the rest stays in the
// file, which must not change meanwhile.
class Predictions {
 public:
  // Throws Error of kind model, naming the line, for what is no record. Paths are compared as seen from the current folder.
  Predictions(const std::string& file, const ClassNames& classes);

  // The classes predicted for a picture, most probable first; nothing if there is no record, or one with an error. Throws Error
  // of kind model for classes that the network does not have. Ids tell classes apart where the file and the network have them.
  std::optional<std::vector<ScoredClass>> find(const std::string& path) const;
  std::uint64_t size() const { return lines_.size(); }

 private:
  struct Line {
    std::string_view text;
    std::uint64_t number;  // from 1
  };

  std::string where_;
  ClassNames classes_;
  std::shared_ptr<const MappedFile> file_;
  std::unordered_multimap<std::size_t, Line> lines_;  // by the path's hash
};

struct Difference {
  Classification ours;
  std::vector<ScoredClass> theirs;
};

inline constexpr std::size_t kListedDifferences = 1000;

struct Agreement {
  std::uint64_t compared = 0;
  std::uint64_t missing = 0;  // pictures without a prediction
  std::uint64_t same = 0;     // first answers
  // Who was right.
  std::uint64_t both = 0;
  std::uint64_t only_ours = 0;
  std::uint64_t only_theirs = 0;
  std::uint64_t neither = 0;
  std::vector<Difference> differences;  // the first kListedDifferences pictures with another first answer
};

// Takes a picture that could be used, with its target.
void add(Agreement& agreement, const Classification& ours, const std::optional<std::vector<ScoredClass>>& theirs);

}  // namespace alexnet
