// What the pages of `evaluate --report` and `compare --report` have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/arguments.h"
#include "cli/output.h"
#include "formats/label_list.h"
#include "image/decode.h"
#include "model/model.h"
#include "tasks/top.h"

namespace alexnet::cli {

// So many pictures are shown of a kind: a page stays small.
inline constexpr std::size_t kGallery = 24;

// Where a page comes from, for its last section.
struct ReportOrigin {
  std::string command;     // that made it, as a shell reads it
  std::string model;       // its name
  std::string provenance;  // Model::provenance
  std::string precision;
  DecodeOptions decode = {};  // for the pictures in it
};

// Where --report goes, if it was given.
std::optional<Output> report_output(const Arguments& arguments);
ReportOrigin report_origin(const Arguments& arguments, const Model& model, const std::string& name, const std::string& precision);

// The label of a class, else its id, else "class 7".
std::string class_text(const std::vector<Label>& labels, std::int64_t index);
// The first of the names in its label: "tabby" of "tabby, tabby cat".
std::string short_class_text(const std::vector<Label>& labels, std::int64_t index);
// "42.00 %"
std::string percent(double share);

// Answers with their probabilities as bars; the one that is `target` stands out.
std::string answers_html(const std::vector<ScoredClass>& top, const std::vector<Label>& labels, std::optional<std::int64_t> target);

struct Card {
  std::string path;     // of its picture
  std::string heading;  // plain text
  std::string body;     // markup
};
// Each with its picture, read again from its file and shrunk; a place without one where that does not work.
std::string gallery_html(const std::vector<Card>& cards, const DecodeOptions& options);

// The last section: the network's origin, the program, and the commands that give these numbers again.
std::string origin_html(const ReportOrigin& origin, std::vector<std::pair<std::string, std::string>> facts,
                        const std::vector<std::string>& commands);

}  // namespace alexnet::cli
