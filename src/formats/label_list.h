// Class names as text, in the order of the network's outputs: one a line, `label` or `id<TAB>label` (or, as Caffe's
// synset_words.txt has it, a WordNet id and a space: `n01440764 tench, Tinca tinca`).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace alexnet {

struct Label {
  std::string id;  // may be empty
  std::string label;

  friend bool operator==(const Label&, const Label&) = default;
};

// A byte order mark, CRLF and empty lines at the end are fine. Throws Error of kind model, naming the line, for text that
// is not UTF-8 or has control characters, empty lines between others, ids on some lines only, an id twice, and a label
// twice where no ids tell them apart. How many there must be is the caller's to check.
std::vector<Label> parse_label_list(std::string_view text, const std::string& where);
std::vector<Label> read_label_list(const std::filesystem::path& path);

}  // namespace alexnet
