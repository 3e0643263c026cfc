// The network that a Caffe prototxt describes, as it is at test time: layers of every generation under their newest type names, in
// the order of the file, which is the order in which they run.
#pragma once

#include <string>
#include <vector>

#include "formats/prototxt.h"
#include "tensor/shape.h"

namespace alexnet {

struct CaffeLayer {
  std::string name;
  std::string type;  // "Convolution"
  std::vector<std::string> bottoms;
  std::vector<std::string> tops;
  PrototxtMessage fields;
  std::string place;  // for messages: "layer 'conv1' (Convolution)"

  // The message of parameters of this name; an empty one if it is absent.
  const PrototxtMessage& parameters(std::string_view name) const;
};

struct CaffeInput {
  std::string name;
  Shape shape;  // with the batch, whatever its size
};

struct CaffeNet {
  std::string name;
  std::vector<CaffeInput> inputs;
  std::vector<CaffeLayer> layers;
  PrototxtMessage transform;       // transform_param of the layer that reads the data, if there is one
  std::vector<std::string> notes;  // what was left out
};

// Throws Error of kind model, naming the place, for networks of generation V0, for mixed ones, for layers without a name, and for
// input shapes that are not given. `where` names the file.
CaffeNet caffe_net(const PrototxtMessage& prototxt, const std::string& where);

}  // namespace alexnet
