// The results of `classify` (and the records of `evaluate`) as text, JSON, JSON lines and CSV (docs/records.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "formats/label_list.h"
#include "tasks/classify.h"

namespace alexnet::cli {

enum class RecordFormat { text, json, jsonl, csv };
RecordFormat record_format(const std::string& name);

class RecordText {
 public:
  // `terminal`: where text will be shown. Class names may be fewer than classes.
  RecordText(RecordFormat format, const std::vector<Label>& labels, const Terminal& terminal, bool logits);

  std::string head() const;
  // Text has nothing for a picture that failed: that is an error message's business.
  std::string record(const Classification& record);
  // A record that is JSON already; only for json and jsonl.
  std::string raw(std::string_view json);
  std::string tail() const;

 private:
  std::string text(const Classification& record) const;
  std::string json(const Classification& record) const;
  std::string csv(const Classification& record) const;
  Label label(std::int64_t index) const;

  RecordFormat format_;
  const std::vector<Label>& labels_;
  Terminal terminal_;
  bool logits_;
  bool first_ = true;
};

}  // namespace alexnet::cli
