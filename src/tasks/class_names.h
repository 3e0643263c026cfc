// Which class a text of a user's means.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/label_list.h"

namespace alexnet {

class ClassNames {
 public:
  ClassNames(const std::vector<Label>& labels, std::int64_t classes);

  // By its id; else by its label, "tabby, tabby cat"; else by one of the names its label lists, "tabby"; else by its index,
  // "22". Nothing for what is none of these, and for what is the label, or a name, of several classes.
  std::optional<std::int64_t> find(const std::string& text) const;
  std::int64_t classes() const { return classes_; }

  // Throws Error of kind model that lists texts for which find() gave nothing, with what they may have meant; does nothing if
  // there are none. `what` they are: "folders".
  void refuse_if_any(const std::vector<std::string>& unknown, const std::string& where, const std::string& what) const;

 private:
  static constexpr std::int64_t kSeveral = -1;
  using Names = std::map<std::string, std::int64_t>;

  std::string explained(const std::string& unknown) const;

  std::int64_t classes_;
  Names ids_;
  Names labels_;
  Names names_;
  std::vector<std::string> candidates_;  // for suggestions
};

}  // namespace alexnet
