#include "import/caffe_net.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

// V1's enumerators, by name and number.
const std::map<std::string, std::string>& v1_types() {
  static const std::map<std::string, std::string> table{
      {"ACCURACY", "Accuracy"},
      {"BNLL", "BNLL"},
      {"CONCAT", "Concat"},
      {"CONVOLUTION", "Convolution"},
      {"DATA", "Data"},
      {"DROPOUT", "Dropout"},
      {"ELTWISE", "Eltwise"},
      {"FLATTEN", "Flatten"},
      {"IMAGE_DATA", "ImageData"},
      {"INNER_PRODUCT", "InnerProduct"},
      {"LRN", "LRN"},
      {"MEMORY_DATA", "MemoryData"},
      {"POOLING", "Pooling"},
      {"POWER", "Power"},
      {"RELU", "ReLU"},
      {"SIGMOID", "Sigmoid"},
      {"SILENCE", "Silence"},
      {"SLICE", "Slice"},
      {"SOFTMAX", "Softmax"},
      {"SOFTMAX_LOSS", "SoftmaxWithLoss"},
      {"SPLIT", "Split"},
      {"TANH", "TanH"},
      {"HDF5_DATA", "HDF5Data"},
      {"WINDOW_DATA", "WindowData"},
      {"DUMMY_DATA", "DummyData"},
  };
  return table;
}

const std::map<std::int64_t, std::string>& v1_numbers() {
  static const std::map<std::int64_t, std::string> table{
      {1, "ACCURACY"},      {3, "CONCAT"},         {4, "CONVOLUTION"}, {5, "DATA"},         {6, "DROPOUT"}, {8, "FLATTEN"},
      {12, "IMAGE_DATA"},   {14, "INNER_PRODUCT"}, {15, "LRN"},        {17, "POOLING"},     {18, "RELU"},   {20, "SOFTMAX"},
      {21, "SOFTMAX_LOSS"}, {22, "SPLIT"},         {25, "ELTWISE"},    {29, "MEMORY_DATA"}, {33, "SLICE"},
  };
  return table;
}

const std::set<std::string> kDataLayers{"Data", "ImageData", "HDF5Data", "MemoryData", "WindowData", "DummyData"};
const std::set<std::string> kTrainingLayers{"Accuracy", "SoftmaxWithLoss", "Silence"};

std::vector<std::string> texts(const PrototxtMessage& message, std::string_view name) {
  std::vector<std::string> result;
  for (const auto* field : message.all(name)) result.push_back(field->text());
  return result;
}

std::string v1_type(const PrototxtField& field) {
  std::string word = field.word();
  if (const auto number = parse_integer(word)) {
    const auto named = v1_numbers().find(*number);
    if (named == v1_numbers().end()) return "V1 type " + word;
    word = named->second;
  }
  const auto known = v1_types().find(word);
  return known == v1_types().end() ? word : known->second;
}

bool is_test(const PrototxtField& phase) { return phase.word() == "TEST" || phase.word() == "1"; }

// NetStateRule against Caffe's state at test time: phase TEST, level 0, no stages.
bool meets(const PrototxtMessage& rule) {
  if (const auto* phase = rule.find("phase"); phase != nullptr && !is_test(*phase)) return false;
  if (const auto* level = rule.find("min_level"); level != nullptr && level->integer() > 0) return false;
  if (const auto* level = rule.find("max_level"); level != nullptr && level->integer() < 0) return false;
  return rule.all("stage").empty();
}

bool is_included(const PrototxtMessage& layer) {
  const auto any = [&](std::string_view name) {
    return std::ranges::any_of(layer.all(name), [](const auto* rule) { return meets(rule->message()); });
  };
  return layer.all("include").empty() ? !any("exclude") : any("include");
}

Shape shape_of(const std::vector<std::int64_t>& extents, const std::string& where, const std::string& input) {
  const auto shape = Shape::make(extents);
  if (!shape || shape->rank() < 2 || shape->elements() == 0) {
    throw Error(ErrorKind::model, where,
                fmt::format("input {} has the impossible shape {}", shown(input), fmt::join(extents, "x")));
  }
  return *shape;
}

std::vector<std::int64_t> dims_of(const PrototxtMessage& shape) {
  std::vector<std::int64_t> dims;
  for (const auto* dim : shape.all("dim")) dims.push_back(dim->integer());
  return dims;
}

void add_plain_inputs(const PrototxtMessage& prototxt, const std::string& where, CaffeNet& net) {
  const auto names = texts(prototxt, "input");
  const auto dims = prototxt.all("input_dim");
  const auto shapes = prototxt.all("input_shape");
  if (names.empty()) return;
  const bool by_shape = shapes.size() == names.size();
  if (!by_shape && dims.size() != 4 * names.size()) {
    throw Error(ErrorKind::model, where,
                fmt::format("has {} inputs, {} input_dim and {} input_shape", names.size(), dims.size(), shapes.size()));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<std::int64_t> extents;
    if (by_shape) {
      extents = dims_of(shapes[i]->message());
    } else {
      for (std::size_t axis = 0; axis < 4; ++axis) extents.push_back(dims[4 * i + axis]->integer());
    }
    net.inputs.push_back({names[i], shape_of(extents, where, names[i])});
  }
}

void add_input_layer(const CaffeLayer& layer, const std::string& where, CaffeNet& net) {
  const auto shapes = layer.parameters("input_param").all("shape");
  if (shapes.empty() || (shapes.size() != 1 && shapes.size() != layer.tops.size())) {
    throw Error(ErrorKind::model, where,
                fmt::format("{} has {} shapes for {} tops", layer.place, shapes.size(), layer.tops.size()));
  }
  for (std::size_t i = 0; i < layer.tops.size(); ++i) {
    const auto& shape = shapes[shapes.size() == 1 ? 0 : i]->message();
    net.inputs.push_back({layer.tops[i], shape_of(dims_of(shape), where, layer.tops[i])});
  }
}

// A layer that reads a data base: its first top is pictures, which it crops; it does not say how many channels they have.
void add_data_layer(const CaffeLayer& layer, const std::string& where, CaffeNet& net) {
  if (layer.tops.empty()) return;
  net.transform = layer.parameters("transform_param");
  const auto* crop = net.transform.find("crop_size");
  if (crop == nullptr) {
    throw Error(ErrorKind::model, where, fmt::format("{} does not say the size of its pictures (crop_size)", layer.place),
                "a deploy.prototxt says the input's shape");
  }
  net.inputs.push_back({layer.tops[0], shape_of({1, 3, crop->integer(), crop->integer()}, where, layer.tops[0])});
  net.notes.push_back(fmt::format("{}: its place is taken by the input {}", layer.place, shown(layer.tops[0])));
}

}  // namespace

const PrototxtMessage& CaffeLayer::parameters(std::string_view parameter_name) const {
  static const PrototxtMessage kEmpty;
  const auto* found = fields.find(parameter_name);
  return found == nullptr ? kEmpty : found->message();
}

CaffeNet caffe_net(const PrototxtMessage& prototxt, const std::string& where) {
  CaffeNet net;
  if (const auto* name = prototxt.find("name")) net.name = name->text();
  const auto v2 = prototxt.all("layer");
  const auto v1 = prototxt.all("layers");
  if (!v1.empty() && !v2.empty()) throw Error(ErrorKind::model, where, "mixes `layer` and `layers`, two generations of the format");
  if (v1.empty() && v2.empty()) throw Error(ErrorKind::model, where, "has no layers");
  add_plain_inputs(prototxt, where, net);
  for (const auto* field : v1.empty() ? v2 : v1) {
    const auto& fields = field->message();
    if (fields.find("layer") != nullptr) {
      throw Error(ErrorKind::model, field->place, "is a layer of Caffe's generation V0, which is not read",
                  "Caffe's tool upgrade_net_proto_text brings it up to date");
    }
    const auto* name = fields.find("name");
    const auto* type = fields.find("type");
    if (name == nullptr || type == nullptr) throw Error(ErrorKind::model, field->place, "is a layer without a name or a type");
    CaffeLayer layer{.name = name->text(),
                     .type = v1.empty() ? type->text() : v1_type(*type),
                     .bottoms = texts(fields, "bottom"),
                     .tops = texts(fields, "top"),
                     .fields = fields,
                     .place = {}};
    layer.place = fmt::format("layer {} ({})", shown(layer.name), printable(layer.type));
    if (!is_included(fields)) continue;
    if (layer.type == "Input") {
      add_input_layer(layer, where, net);
    } else if (kDataLayers.contains(layer.type)) {
      add_data_layer(layer, where, net);
    } else if (kTrainingLayers.contains(layer.type)) {
      net.notes.push_back(fmt::format("{}: left out, it serves training", layer.place));
    } else {
      net.layers.push_back(std::move(layer));
    }
  }
  if (net.inputs.empty()) throw Error(ErrorKind::model, where, "has no input");
  return net;
}

}  // namespace alexnet
