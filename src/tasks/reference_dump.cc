#include "tasks/reference_dump.h"

#include <algorithm>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "image/decode.h"

namespace alexnet {
namespace {

constexpr std::string_view kImages = "images/";
constexpr std::string_view kData = "data";
constexpr const char* kSpecification = "docs/reference-dump.md says what a dump holds";

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const auto& input : graph.inputs) names.push_back(input.name);
  for (const auto& node : graph.nodes) names.push_back(node.name);
  return names;
}

bool is_floating(ElementType type) { return type == ElementType::f16 || type == ElementType::f32 || type == ElementType::f64; }

}  // namespace

ReferenceDump::ReferenceDump(const std::filesystem::path& path, const Graph& graph) : where_(path.string()), reader_(path) {
  if (graph.inputs.empty()) throw Error(ErrorKind::model, "", "the network has no input, so that nothing can be compared");
  const auto known = names_of(graph);
  std::map<std::string, std::size_t> images;
  for (std::size_t i = 0; i < reader_.arrays().size(); ++i) {
    std::string name = reader_.arrays()[i].name;
    if (name == kData && graph.inputs.size() == 1) name = graph.inputs[0].name;
    if (std::ranges::find(known, name) != known.end()) {
      if (!arrays_.emplace(name, i).second) refuse(fmt::format("has both 'data' and {}, which are one", shown(name)));
    } else if (name.starts_with(kImages)) {
      images.emplace(name, i);
    } else {
      unknown_.push_back({name, nearest(name, known)});
    }
  }
  for (const auto& input : graph.inputs) {
    if (has(input.name)) continue;
    refuse(fmt::format("has no array {}, the network's input", shown(input.name)), kSpecification);
  }
  const std::string& data = graph.inputs.front().name;
  for (const auto& [name, index] : arrays_) {
    const auto& array = reader_.arrays()[index];
    if (!is_floating(array.type)) {
      refuse(fmt::format("array {} is {}, must be F16, F32 or F64", shown(array.name), alexnet::name(array.type)));
    }
    if (array.shape.rank() == 0) refuse(fmt::format("array {} is a single number, must have a row a picture", shown(array.name)));
    if (name == data) pictures_ = array.shape[0];
  }
  for (const auto& [name, index] : arrays_) {
    const std::int64_t rows = reader_.arrays()[index].shape[0];
    if (rows != pictures_) refuse(fmt::format("array {} has {} pictures, {} has {}", shown(name), rows, shown(data), pictures_));
  }
  if (pictures_ == 0) refuse("holds no picture");
  for (const auto& input : graph.inputs) {
    if (shape(input.name) == input.shape) continue;
    refuse(fmt::format("{} is {} a picture, the network takes {}", shown(input.name), to_string(shape(input.name)),
                       to_string(input.shape)),
           "is it the dump of another network?");
  }
  for (const auto& node : graph.nodes) {
    if (has(node.name)) layers_.push_back(node.name);
  }
  if (layers_.empty()) {
    const auto likely = std::ranges::find_if(unknown_, [](const UnknownArray& array) { return array.nearest.has_value(); });
    refuse("has no array that is named like a layer of the network",
           likely != unknown_.end() ? fmt::format("is {} meant to be {}?", shown(likely->name), *likely->nearest)
                                    : "alexnet inspect lists the layers");
  }
  add_images(images);
  if (auto paths = reader_.text("paths")) paths_ = *std::move(paths);
  if (!paths_.empty() && static_cast<std::int64_t>(paths_.size()) != pictures_) {
    refuse(fmt::format("has {} paths for {} pictures", paths_.size(), pictures_));
  }
}

void ReferenceDump::add_images(const std::map<std::string, std::size_t>& found) {
  if (found.empty()) return;
  for (std::int64_t i = 0; i < pictures_; ++i) {
    const auto at = found.find(fmt::format("{}{}", kImages, i));
    if (at == found.end() || static_cast<std::int64_t>(found.size()) != pictures_) {
      refuse(fmt::format("has {} arrays images/... for {} pictures", found.size(), pictures_),
             "images/0, images/1 ...: all or none");
    }
    const auto& array = reader_.arrays()[at->second];
    const Shape& shape = array.shape;
    const bool pixels =
        shape.rank() == 3 && shape[2] == 3 && shape.elements() > 0 && shape[0] <= INT32_MAX && shape[1] <= INT32_MAX;
    if (array.type != ElementType::u8 || (!pixels && shape.rank() != 1)) {
      refuse(fmt::format("array {} is {} of {}, must be U8 of height x width x 3, or the bytes of a file", shown(array.name),
                         to_string(shape), alexnet::name(array.type)));
    }
    images_.push_back(at->second);
  }
}

Shape ReferenceDump::shape(const std::string& name) const { return reader_.arrays()[arrays_.at(name)].shape.without_batch(); }

ElementType ReferenceDump::type(const std::string& name) const { return reader_.arrays()[arrays_.at(name)].type; }

Tensor ReferenceDump::rows(const std::string& name, std::int64_t begin, std::int64_t count) const {
  return reader_.rows(arrays_.at(name), begin, count);
}

Image ReferenceDump::image(std::int64_t picture) const {
  const std::size_t index = images_[static_cast<std::size_t>(picture)];
  const auto& array = reader_.arrays()[index];
  const Tensor tensor = reader_.rows(index, 0, array.shape[0]);
  const auto values = tensor.values<std::uint8_t>();
  const std::string where = fmt::format("{}: {}", where_, array.name);
  if (array.shape.rank() == 1) {
    try {
      return decode(tensor.bytes(), {}, where).image;
    } catch (const Error& error) {
      throw Error(ErrorKind::model, where, error.message(), error.hint());
    }
  }
  return {.width = static_cast<int>(array.shape[1]),
          .height = static_cast<int>(array.shape[0]),
          .pixels = {values.begin(), values.end()}};
}

std::string ReferenceDump::name(std::int64_t picture) const {
  return paths_.empty() ? fmt::format("{}", picture) : paths_[static_cast<std::size_t>(picture)];
}

void ReferenceDump::refuse(const std::string& message, const std::string& hint) const {
  throw Error(ErrorKind::model, where_, message, hint);
}

}  // namespace alexnet
