#include "model/architecture.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/located.h"
#include "base/text.h"
#include "model/model.h"

// Defined by the assembler files that cmake/EmbedFile.cmake writes.
extern "C" {
extern const char alexnet_architecture_paper_begin[];
extern const char alexnet_architecture_paper_end[];
extern const char alexnet_architecture_bvlc_begin[];
extern const char alexnet_architecture_bvlc_end[];
extern const char alexnet_architecture_caffenet_begin[];
extern const char alexnet_architecture_caffenet_end[];
extern const char alexnet_architecture_torchvision_begin[];
extern const char alexnet_architecture_torchvision_end[];
extern const char alexnet_architecture_krizhevsky2012_begin[];
extern const char alexnet_architecture_krizhevsky2012_end[];
}

namespace alexnet {
namespace {

struct Embedded {
  std::string_view name;
  const char* begin;
  const char* end;
};

std::array<Embedded, 5> embedded() {
  return {{{"paper", alexnet_architecture_paper_begin, alexnet_architecture_paper_end},
           {"bvlc", alexnet_architecture_bvlc_begin, alexnet_architecture_bvlc_end},
           {"caffenet", alexnet_architecture_caffenet_begin, alexnet_architecture_caffenet_end},
           {"torchvision", alexnet_architecture_torchvision_begin, alexnet_architecture_torchvision_end},
           {"krizhevsky2012", alexnet_architecture_krizhevsky2012_begin, alexnet_architecture_krizhevsky2012_end}}};
}

const Json& member(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) throw Error(ErrorKind::model, "", fmt::format("has no '{}'", key));
  return *found;
}

std::string text(const Json& json, const char* what) {
  if (!json.is_string()) throw Error(ErrorKind::model, "", fmt::format("{} must be text", what));
  return json.get<std::string>();
}

std::string sentences(const Json& json) {
  if (!json.is_array()) throw Error(ErrorKind::model, "", "'origin' must be a list of sentences");
  std::vector<std::string> result;
  for (const auto& one : json) result.push_back(text(one, "'origin'"));
  return join(result, " ");
}

Architecture parse(std::string_view bytes) {
  constexpr std::array<std::string_view, 4> kKeys{"name", "origin", "preprocess", "graph"};
  const Json json = parse_json(bytes, "");
  if (!json.is_object()) throw Error(ErrorKind::model, "", "must be a JSON object");
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(kKeys, key) == kKeys.end())
      throw Error(ErrorKind::model, "", fmt::format("has the unknown key {}", shown(key)));
  }
  return {.name = text(member(json, "name"), "'name'"),
          .origin = sentences(member(json, "origin")),
          .graph = graph_from_json(member(json, "graph")),
          .preprocessing = preprocessing_from_json(member(json, "preprocess"), "preprocess")};
}

}  // namespace

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const auto& one : embedded()) names.emplace_back(one.name);
  return names;
}

Architecture architecture(std::string_view name) {
  for (const auto& one : embedded()) {
    if (one.name == name) return located(fmt::format("architecture {}", name), [&] { return parse({one.begin, one.end}); });
  }
  const auto names = architecture_names();
  throw Error(ErrorKind::usage, "", fmt::format("there is no architecture {}", shown(name)),
              fmt::format("known: {}", join(names, ", ")));
}

Architecture read_architecture(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return located(path.string(), [&] { return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}); });
}

Graph with_classes(Graph graph, std::int64_t classes) {
  if (classes < 1) throw Error(ErrorKind::usage, "", fmt::format("a network of {} classes", classes), "at least 1");
  Node* node = find(graph, logits_name(graph));
  if (node != nullptr) {
    if (auto* linear = std::get_if<Linear>(&node->layer)) {
      linear->out_features = classes;
      return graph;
    }
    if (auto* convolution = std::get_if<Convolution>(&node->layer)) {
      convolution->out_channels = classes;
      return graph;
    }
  }
  throw Error(ErrorKind::model, fmt::format("layer {}", shown(logits_name(graph))),
              "makes the scores, but its kind has no number of outputs to set");
}

}  // namespace alexnet
