#include "import/onnx_order.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

[[noreturn]] void fail(const std::string& where, std::string message, std::string hint = {}) {
  throw Error(ErrorKind::model, where, std::move(message), std::move(hint));
}

// What a graph inside an attribute reads and does not make itself. The reader bounds how deep they nest.
void add_captured(const OnnxGraph& graph, std::vector<std::string>& names) {
  std::set<std::string> own;
  for (const auto& input : graph.inputs) own.insert(input.name);
  for (const auto& initializer : graph.initializers) own.insert(initializer.name);
  for (const auto& node : graph.nodes) own.insert(node.outputs.begin(), node.outputs.end());
  const auto add = [&](const std::string& name) {
    if (!own.contains(name)) names.push_back(name);
  };
  for (const auto& node : graph.nodes) {
    for (const auto& name : names_read(node)) add(name);
  }
  for (const auto& output : graph.outputs) add(output.name);
}

using Makers = std::map<std::string, const OnnxNode*>;  // nullptr: an input or initializer of the graph

Makers makers_of(const OnnxGraph& graph, const std::string& where) {
  Makers makers;
  for (const auto& input : graph.inputs) {
    if (!makers.emplace(input.name, nullptr).second) fail(where, fmt::format("has two inputs named {}", shown(input.name)));
  }
  std::set<std::string> initializers;
  for (const auto& initializer : graph.initializers) {
    if (!initializers.insert(initializer.name).second)
      fail(where, fmt::format("has two initializers named {}", shown(initializer.name)));
    makers.emplace(initializer.name, nullptr);  // an input of this name has it as its default
  }
  for (const auto& node : graph.nodes) {
    for (const auto& output : node.outputs) {
      if (output.empty()) continue;
      const auto [known, added] = makers.emplace(output, &node);
      if (added) continue;
      const auto other =
          known->second == nullptr ? "an input or initializer has that name" : label_of(*known->second) + " makes it too";
      fail(where, fmt::format("{} makes {}, but {}", label_of(node), shown(output), other));
    }
  }
  return makers;
}

}  // namespace

std::string label_of(const OnnxNode& node) {
  const auto& name = node.name.empty() && !node.outputs.empty() ? node.outputs.front() : node.name;
  const auto op = node.domain.empty() ? node.op_type : fmt::format("{}::{}", node.domain, node.op_type);
  return fmt::format("node {} ({})", shown(name), printable(op));
}

std::vector<std::string> names_read(const OnnxNode& node) {
  std::vector<std::string> names;
  for (const auto& input : node.inputs) {
    if (!input.empty()) names.push_back(input);
  }
  for (const auto& [key, value] : node.attributes) {
    if (const auto* graph = std::get_if<std::shared_ptr<const OnnxGraph>>(&value)) add_captured(**graph, names);
  }
  return names;
}

std::vector<const OnnxNode*> ordered_nodes(const OnnxGraph& graph, const std::string& where) {
  const auto makers = makers_of(graph, where);
  const auto maker_of = [&](const std::string& name, const std::string& reader) {
    const auto found = makers.find(name);
    if (found != makers.end()) return found->second;
    // Comparing names takes time by their lengths and number, which the file decides.
    constexpr std::size_t kMostNames = 2'000, kLongestName = 200;
    std::vector<std::string> known;
    for (const auto& [made, node] : makers) {
      if (makers.size() <= kMostNames && std::max(made.size(), name.size()) <= kLongestName) known.push_back(made);
    }
    const auto likely = nearest(name, known);
    fail(where, fmt::format("{} reads {}, which nothing makes", reader, shown(name)),
         likely ? fmt::format("did you mean {}?", shown(*likely)) : "");
  };

  // Depth first from the outputs, with the path on a stack of our own: files decide how deep it goes.
  enum class State { unseen, open, done };
  struct Step {
    const OnnxNode* node;
    std::vector<std::string> reads;
    std::size_t next = 0;
  };
  std::map<const OnnxNode*, State> states;
  std::vector<const OnnxNode*> result;
  std::vector<Step> path;
  const auto visit = [&](const OnnxNode* node) {
    if (node == nullptr || states[node] == State::done) return;
    if (states[node] == State::open)
      fail(where, fmt::format("{} is part of a cycle: it reads what depends on it", label_of(*node)));
    states[node] = State::open;
    path.push_back({node, names_read(*node)});
  };
  for (const auto& output : graph.outputs) {
    visit(maker_of(output.name, "the graph's output"));
    while (!path.empty()) {
      auto& top = path.back();
      if (top.next == top.reads.size()) {
        states[top.node] = State::done;
        result.push_back(top.node);
        path.pop_back();
      } else {
        const auto name = top.reads[top.next++];
        visit(maker_of(name, label_of(*top.node)));
      }
    }
  }
  // In the file's order where that is one, so that layers come out as they were written.
  std::map<const OnnxNode*, std::size_t> place;
  for (std::size_t i = 0; i < result.size(); ++i) place[result[i]] = i;
  std::vector<const OnnxNode*> written;
  for (const auto& node : graph.nodes) {
    if (place.contains(&node)) written.push_back(&node);
  }
  std::set<std::string> made;
  const bool in_order = std::ranges::all_of(written, [&](const OnnxNode* node) {
    const auto reads = names_read(*node);
    const bool ready =
        std::ranges::all_of(reads, [&](const auto& name) { return makers.at(name) == nullptr || made.contains(name); });
    made.insert(node->outputs.begin(), node->outputs.end());
    return ready;
  });
  return in_order ? written : result;
}

}  // namespace alexnet
