#include "import/onnx_attributes.h"

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "import/onnx_values.h"

namespace alexnet {
namespace {

template <typename T>
const T* attribute(const OnnxNode& node, const std::string& name, std::string_view wanted) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return nullptr;
  const auto* value = std::get_if<T>(&found->second);
  if (value == nullptr) throw Error(ErrorKind::model, "", fmt::format("the attribute {} must be {}", shown(name), wanted));
  return value;
}

}  // namespace

bool has_attribute(const OnnxNode& node, const std::string& name) { return node.attributes.contains(name); }

std::int64_t int_attribute(const OnnxNode& node, const std::string& name, std::int64_t otherwise) {
  const auto* value = attribute<std::int64_t>(node, name, "a whole number");
  return value == nullptr ? otherwise : *value;
}

double float_attribute(const OnnxNode& node, const std::string& name, double otherwise) {
  const auto* value = attribute<float>(node, name, "a number");
  return value == nullptr ? otherwise : as_written(*value);
}

std::string text_attribute(const OnnxNode& node, const std::string& name, const std::string& otherwise) {
  const auto* value = attribute<std::string>(node, name, "text");
  return value == nullptr ? otherwise : *value;
}

std::vector<std::int64_t> ints_attribute(const OnnxNode& node, const std::string& name,
                                         const std::vector<std::int64_t>& otherwise) {
  const auto* value = attribute<std::vector<std::int64_t>>(node, name, "a list of whole numbers");
  return value == nullptr ? otherwise : *value;
}

}  // namespace alexnet
