// Where the layers of an imported ONNX graph are put together.
//
// Our layers never touch the batch, their axis 0; ONNX's operators may. A value whose first ONNX extent is the batch has the same
// axes here and there: it is batched. Every other value is one sample whole: it stands behind a batch axis of its own.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "import/onnx_trace.h"
#include "import/report.h"
#include "layers/lrn_conventions.h"

namespace alexnet {

class OnnxBuilder {
 public:
  // Both must outlive the builder.
  OnnxBuilder(const OnnxTrace& trace, Imported& into);

  const OnnxTrace& trace() const { return trace_; }

  // -- values --
  bool batched(const std::string& value) const;
  const Extents& extents(const std::string& value) const { return trace_.extents.at(value); }
  // With the batch, of size 1, in front.
  Shape shape(const std::string& value) const;
  Shape whole_shape(const std::string& value) const;
  // The name of the layer (or input) here that makes the value: batched or whole, as it is. Throws Error for constants.
  std::string source(const std::string& value) const;
  // The value whole, by a Reshape if it is batched; BatchMixed if the batch is free.
  std::string whole(const OnnxOp& op, const std::string& value);
  // The value as (batch, ...), as convolutions and their like want it. Throws Error if it is whole.
  std::string samples(const std::string& value) const;
  bool has_source(const std::string& value) const { return sources_.contains(value); }
  // Whether an op or the graph's output reads the value.
  bool is_needed(const std::string& value) const { return readers_.contains(value) || output_names_.contains(value); }
  // The only op that reads the value, if nothing else needs it.
  const OnnxOp* only_reader(const std::string& value) const;

  // -- layers --
  // The layer that makes the op's output; its name is returned. The layer's output must have the value's shape.
  std::string make(const OnnxOp& op, Layer layer, std::vector<std::string> inputs, std::size_t output = 0);
  // The same for a layer that makes the value whole.
  std::string make_whole(const OnnxOp& op, Layer layer, std::vector<std::string> inputs, std::size_t output = 0);
  // A layer on the way to an output; `part` tells it from others of the op.
  std::string step(const OnnxOp& op, std::string_view part, Layer layer, std::vector<std::string> inputs);
  // The output is what `layer` makes already.
  void pass_on(const OnnxOp& op, const std::string& layer, std::size_t output = 0);
  // The op's layer, which does the work of both, is named after `other`.
  void name_like(const OnnxOp& op, const OnnxOp& other) { named_like_[&op] = &other; }
  // The op's work was done together with another's.
  void mark_done(const OnnxOp& op) { done_.insert(&op); }
  bool is_done(const OnnxOp& op) const { return done_.contains(&op); }

  // -- what layers learned --
  // `tensor` is the layer's parameter; `from` tells where it comes from, `done` what was done besides.
  void parameter(const std::string& layer, std::string_view name, const Tensor& tensor, const OnnxConstant& from,
                 std::string_view done = {});
  // To be called before a parameter is made of numbers that the file does not hold each: a file can ask for any amount. Throws
  // Error of kind model if they are too many, with those made before.
  void will_repeat(std::int64_t numbers);

  // In the words of its source, for the model file.
  void lrn_source(const std::string& layer, const lrn::Source& source) { lrn_sources_.emplace_back(layer, source); }

  // Adds the outputs and finishes the graph.
  void finish();

 private:
  std::string unique(std::string name);
  std::string name_for(const OnnxOp& op, std::size_t output);
  std::string add(std::string name, Layer layer, std::vector<std::string> inputs);

  const OnnxTrace& trace_;
  FoldBudget budget_;
  Imported& into_;
  std::map<std::string, std::string> sources_;       // by value
  std::map<std::string, Shape> shapes_;              // of layers, with a batch of 1
  std::set<std::string> taken_;                      // names of layers
  std::map<std::string, std::string> output_names_;  // by value
  std::map<std::string, std::vector<const OnnxOp*>> readers_;
  std::set<const OnnxOp*> done_;
  std::map<const OnnxOp*, const OnnxOp*> named_like_;
  std::vector<std::pair<std::string, lrn::Source>> lrn_sources_;
};

}  // namespace alexnet
