// What lowering a layer adds to: the program so far, and the node that is being lowered.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/ranges.h"
#include "runtime/instruction_set.h"
#include "runtime/lower.h"

namespace alexnet {

inline constexpr Layout kPlain{};

class ProgramBuilder {
 public:
  ProgramBuilder(const Model& model, const std::vector<Exposed>& outputs, const CompileOptions& options);

  // Begins to lower a node; false if nothing is left to do for it.
  bool begin(const Node& node);
  // Adds the outputs and hands the program over, without places in memory.
  Program finish() &&;

  // -- the node, and what it reads --

  const Node& node() const { return *node_; }
  const CompileOptions& options() const { return options_; }
  // Where prepared weights are kept; null for nowhere.
  const std::shared_ptr<WeightStore>& prepared() const { return program_.prepared; }
  const InstructionSet& instructions() const { return instructions_; }

  std::size_t source(std::size_t input = 0) const { return values_.at(node_->inputs[input]); }
  const Value& value(std::size_t index) const { return program_.values[index]; }
  Shape shape(std::size_t index) const { return value(index).sample.with_batch(1); }  // one sample is run at a time
  const Weight& weight(std::string_view parameter) const;
  // All that the node has learned, in the order in which reference() takes it.
  std::vector<Weight> weights(std::span<const Shape> inputs) const;
  const Weight* optional_weight(bool present, std::string_view parameter) const { return present ? &weight(parameter) : nullptr; }
  // The ReLU (or the max-pool) that alone reads this node's output, if nobody else wants that: it can be done on the way.
  const Node* following_relu() const;
  const Node* following_max_pool() const;
  // The source's layout with its values as f32.
  Layout f32_layout() const;
  // The source's layout with its elements in row-major order.
  Layout row_major() const;
  // Between which numbers a value lies, for int8; nothing where that is not known or not asked for.
  std::optional<Range> range(const std::string& name) const;

  // -- steps --

  // Adds a step that makes a tensor of this shape, from sources that are in the layout its choice wants.
  std::size_t add(std::string kind, Choice choice, std::vector<std::size_t> sources, const Shape& sample);
  // The value in this layout, by a reorder if need be.
  std::size_t in_layout(std::size_t index, const Layout& layout);
  // A step for the node (and a ReLU or max-pool done on the way), whose choice takes one source.
  void compute(Choice choice, const Node* fused = nullptr, std::uint64_t macs = 0) {
    compute_from(source(), std::move(choice), fused, macs);
  }
  void compute_from(std::size_t from, Choice choice, const Node* fused, std::uint64_t macs);
  // The node's output is its input.
  void identity();
  // The node's output is the bytes of its input, which are row-major, under another shape.
  void view(std::size_t of, const Shape& sample);
  // The layer's reference().
  void reference();

 private:
  void add_inputs();
  void find_needed();
  void add_outputs();
  std::size_t new_value(const Shape& sample, const Layout& layout, bool rows);
  NetworkStep step(std::string kind, Choice choice, std::vector<std::size_t> sources) const;
  void bind(const std::string& name, std::size_t index);
  const Node* only_reader() const;

  const Model& model_;
  const std::vector<Exposed>& outputs_;
  const CompileOptions& options_;
  const InstructionSet instructions_ = instruction_set();
  const Ranges ranges_;  // empty unless int8 is asked for
  Program program_;
  std::map<std::string, std::size_t> values_;  // by the name of a node or an input
  std::map<std::pair<std::size_t, std::string>, std::size_t> reordered_;
  std::set<std::string> exposed_;
  std::set<std::string> needed_;
  std::set<std::string> done_;

  const Node* node_ = nullptr;       // being lowered
  std::vector<std::string> layers_;  // that the step being made computes
};

}  // namespace alexnet
