// Where the layers of an imported Caffe network are put together. A blob's content may change on the way: a layer whose top is its
// bottom works in place, so names of blobs stand for what was last written to them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/caffe.h"
#include "import/caffe_net.h"
#include "import/report.h"
#include "layers/lrn_conventions.h"

namespace alexnet {

class CaffeBuilder {
 public:
  CaffeBuilder(const CaffeNet& net, const std::vector<CaffeBlobs>& weights, Imported& into);

  // The shape, with a batch of 1, of what a layer reads in this place. Throws Error of kind model if nothing has made it.
  const Shape& shape(const CaffeLayer& layer, std::size_t bottom = 0) const;
  std::string source(const CaffeLayer& layer, std::size_t bottom = 0) const;

  // Adds the layer that makes the top; its name is returned.
  std::string make(const CaffeLayer& layer, Layer made, std::vector<std::string> inputs, std::size_t top = 0);
  // A layer on the way.
  std::string step(const std::string& name, Layer made, std::vector<std::string> inputs);
  const Shape& made_shape(const std::string& name) const { return shapes_.at(name); }
  // The top is what `name` makes.
  void pass_on(const CaffeLayer& layer, const std::string& name, std::size_t top = 0);

  // The layer's blobs, which must be this many, reshaped: extents of 1 in front do not count. Throws Error of kind model for
  // others.
  std::vector<Tensor> blobs(const CaffeLayer& layer, const std::vector<Shape>& wanted);
  void parameter(const CaffeLayer& layer, const std::string& name, std::string_view parameter, std::size_t blob,
                 const Tensor& tensor, std::string_view done = {});

  // The batch normalisation without scale that made what the layer reads and that only it reads; nullptr if there is none.
  Node* open_batch_norm(const CaffeLayer& layer);
  void lrn_source(const std::string& layer, const lrn::Source& source) { lrn_sources_.emplace_back(layer, source); }

  void finish();

 private:
  std::string unique(std::string name);
  std::string name_for(const CaffeLayer& layer, const Layer& made, std::size_t top) const;

  const CaffeNet& net_;
  Imported& into_;
  std::map<std::string, const CaffeBlobs*> weights_;
  std::set<std::string> used_;
  std::map<std::string, std::string> contents_;  // by blob, the layer or input that made it last
  std::vector<std::string> made_;                // blobs in the order in which they were first made
  std::map<std::string, Shape> shapes_;          // of layers and inputs
  std::map<std::string, int> readers_;           // of layers' outputs
  std::set<std::string> read_;                   // layers and inputs that something reads
  std::vector<std::pair<std::string, lrn::Source>> lrn_sources_;
};

// Makes the layers of one Caffe layer; throws Error of kind model for what our layers can't do.
void lower(const CaffeLayer& layer, CaffeBuilder& builder);
// Whether there is a way to make layers of this type.
bool is_supported_caffe_type(const std::string& type);

}  // namespace alexnet
