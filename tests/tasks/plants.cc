#include "tests/tasks/plants.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace alexnet::test {
namespace {

// Calls change(layer) for every layer of the kind, or for the last one alone; false if there is none.
template <typename Kind>
bool for_layers(Model& model, bool everywhere, const std::function<void(Node&, Kind&)>& change) {
  std::vector<std::string> names;
  for (const Node& node : model.graph.nodes) {
    if (std::holds_alternative<Kind>(node.layer)) names.push_back(node.name);
  }
  if (!everywhere && !names.empty()) names = {names.back()};
  for (const auto& name : names) {
    Node& node = *find(model.graph, name);
    change(node, std::get<Kind>(node.layer));
  }
  return !names.empty();
}

// Element (o, c, r, s) of the new weight is element pick(o, c, r, s) of the old one.
using Index4 = std::array<std::int64_t, 4>;
void rearrange(Model& model, const std::string& name, const std::function<Index4(Index4, const Shape&)>& pick) {
  Weight& weight = model.weights.at(name);
  const Tensor old = widened(weight);
  Shape shape = old.shape();
  while (shape.rank() < 4) {
    std::vector<std::int64_t> extents(shape.extents().begin(), shape.extents().end());
    extents.push_back(1);
    shape = Shape(extents);
  }
  Tensor changed = Tensor::zeros(old.shape());
  const auto at = [&](Index4 i) {
    return static_cast<std::size_t>(((i[0] * shape[1] + i[1]) * shape[2] + i[2]) * shape[3] + i[3]);
  };
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    for (std::int64_t c = 0; c < shape[1]; ++c) {
      for (std::int64_t r = 0; r < shape[2]; ++r) {
        for (std::int64_t s = 0; s < shape[3]; ++s)
          changed.mutable_values<float>()[at({o, c, r, s})] = old.values<float>()[at(pick({o, c, r, s}, shape))];
      }
    }
  }
  weight = Weight::of(changed);
}

bool reverse_first_channels(Model& model) {
  for (const Node& node : model.graph.nodes) {
    if (!std::holds_alternative<Convolution>(node.layer) || node.inputs[0] != model.graph.inputs[0].name) continue;
    rearrange(model, node.name + ".weight", [](Index4 i, const Shape& shape) -> Index4 {
      return {i[0], shape[1] - 1 - i[1], i[2], i[3]};
    });
    return true;
  }
  return false;
}

bool flip(Model& model, bool everywhere) {
  return for_layers<Convolution>(model, everywhere, [&](Node& node, Convolution&) {
    rearrange(model, node.name + ".weight", [](Index4 i, const Shape& shape) -> Index4 {
      return {i[0], i[1], shape[2] - 1 - i[2], shape[3] - 1 - i[3]};
    });
  });
}

// The first linear layer's rows were made for maps in (height, width, channel) order.
bool flatten_hwc(Model& model) {
  const auto shapes = infer_shapes(model.graph, 1);
  const auto flatten =
      std::ranges::find_if(model.graph.nodes, [](const Node& n) { return std::holds_alternative<Flatten>(n.layer); });
  if (flatten == model.graph.nodes.end()) return false;
  const Shape maps = shapes.at(flatten->inputs[0]);
  const auto linear =
      std::ranges::find_if(model.graph.nodes, [](const Node& n) { return std::holds_alternative<Linear>(n.layer); });
  if (linear == model.graph.nodes.end() || maps[1] == 1 || maps[2] * maps[3] == 1) return false;
  rearrange(model, linear->name + ".weight", [&](Index4 i, const Shape&) -> Index4 {
    const std::int64_t channel = i[1] / (maps[2] * maps[3]);
    const std::int64_t pixel = i[1] % (maps[2] * maps[3]);
    return {i[0], pixel * maps[1] + channel, 0, 0};
  });
  return true;
}

// Weights and biases of the two groups have changed places.
bool swap_groups(Model& model, bool everywhere) {
  bool done = false;
  for_layers<Convolution>(model, everywhere, [&](Node& node, Convolution& layer) {
    if (layer.groups != 2) return;
    for (const char* parameter : {".weight", ".bias"}) {
      rearrange(model, node.name + parameter, [](Index4 i, const Shape& shape) -> Index4 {
        return {(i[0] + shape[0] / 2) % shape[0], i[1], i[2], i[3]};
      });
    }
    done = true;
  });
  return done;
}

// The layer computes with this one in its place, and its readers with what that makes.
bool replace(Model& model, const std::string& name, Layer layer) {
  find(model.graph, name)->layer = std::move(layer);
  return true;
}

// Norm and pool change places; whoever read the second reads what now is the second.
bool swap_pool_and_norm(Model& model, bool everywhere) {
  bool done = false;
  for (std::size_t i = 0; i + 1 < model.graph.nodes.size() && (everywhere || !done); ++i) {
    Node& first = model.graph.nodes[i];
    Node& second = model.graph.nodes[i + 1];
    const bool norm_first = std::holds_alternative<Lrn>(first.layer) && std::holds_alternative<MaxPool>(second.layer);
    const bool pool_first = std::holds_alternative<MaxPool>(first.layer) && std::holds_alternative<Lrn>(second.layer);
    if ((!norm_first && !pool_first) || second.inputs[0] != first.name) continue;
    const std::string before = first.inputs[0];
    for (Node& node : model.graph.nodes) std::ranges::replace(node.inputs, second.name, first.name);
    second.inputs = {before};
    first.inputs = {second.name};
    std::swap(first, second);
    done = true;
  }
  return done;
}

bool shift_labels(Model& model, std::int64_t by) {
  const std::string scores = logits_name(model.graph);
  if (!model.weights.contains(scores + ".weight")) return false;
  for (const char* parameter : {".weight", ".bias"}) {
    rearrange(model, scores + parameter, [&](Index4 i, const Shape& shape) -> Index4 {
      return {(i[0] + by + shape[0]) % shape[0], i[1], i[2], i[3]};
    });
  }
  return true;
}

bool follow_scores_by_softmax(Model& model) {
  const std::string scores = logits_name(model.graph);
  if (!model.weights.contains(scores + ".weight")) return false;
  Node& last = *find(model.graph, scores);
  last.name = "before";
  for (const char* parameter : {".weight", ".bias"}) {
    model.weights[last.name + parameter] = model.weights.at(scores + parameter);
    model.weights.erase(scores + parameter);
  }
  const auto place = std::ranges::find(model.graph.nodes, "before", &Node::name);
  model.graph.nodes.insert(place + 1, Node{scores, Softmax{}, {"before"}});
  return true;
}

bool double_softmax(Model& model) {
  for (auto node = model.graph.nodes.begin(); node != model.graph.nodes.end(); ++node) {
    if (!std::holds_alternative<Softmax>(node->layer)) continue;
    const std::string name = node->name;
    node->name = "before";
    model.graph.nodes.insert(node + 1, Node{name, Softmax{}, {"before"}});
    return true;
  }
  return false;
}

template <typename Kind>
Kind* step(Model& model) {
  for (Step& any : model.preprocessing.steps) {
    if (auto* found = std::get_if<Kind>(&any)) return found;
  }
  return nullptr;
}

template <typename Kind>
bool change_step(Model& model, const std::function<void(Kind&)>& change) {
  auto* found = step<Kind>(model);
  if (found != nullptr) change(*found);
  return found != nullptr;
}

template <typename Kind>
bool without_step(Model& model) {
  return std::erase_if(model.preprocessing.steps, [](const Step& any) { return std::holds_alternative<Kind>(any); }) > 0;
}

// Behind the steps that move pixels and before those that compute.
void insert_before_arithmetic(Model& model, Step added) {
  auto& steps = model.preprocessing.steps;
  auto place = steps.begin();
  while (place != steps.end() && (std::holds_alternative<Resize>(*place) || std::holds_alternative<CenterCrop>(*place))) ++place;
  steps.insert(place, std::move(added));
}

}  // namespace

std::vector<Plant> layer_plants() {
  std::vector<Plant> plants;
  const auto add = [&](const std::string& suspect, const std::string& what, const std::function<bool(Model&)>& apply) {
    plants.push_back({suspect, what, apply});
  };
  add("first_channels", "BGR weights", reverse_first_channels);
  for (const bool everywhere : {true, false}) {
    const std::string where = everywhere ? ", everywhere" : ", at the last place";
    add("lrn_alpha", "alpha of the sum" + where, [=](Model& m) {
      return for_layers<Lrn>(m, everywhere, [](Node&, Lrn& l) { l.alpha *= static_cast<double>(l.local_size); });
    });
    add("lrn_alpha", "alpha divided twice" + where, [=](Model& m) {
      return for_layers<Lrn>(m, everywhere, [](Node&, Lrn& l) { l.alpha /= static_cast<double>(l.local_size); });
    });
    add("lrn_k", "the other k" + where,
        [=](Model& m) { return for_layers<Lrn>(m, everywhere, [](Node&, Lrn& l) { l.k = l.k == 1 ? 2 : 1; }); });
    add("pool_and_norm", "pool and norm swapped" + where, [=](Model& m) { return swap_pool_and_norm(m, everywhere); });
    add("pool_rounding", "pools rounded the other way" + where, [=](Model& m) {
      return for_layers<MaxPool>(
          m, everywhere, [](Node&, MaxPool& l) { l.rounding = l.rounding == Rounding::ceil ? Rounding::floor : Rounding::ceil; });
    });
    add("group_halves", "groups swapped" + where, [=](Model& m) { return swap_groups(m, everywhere); });
    add("flipped_kernels", "kernels flipped" + where, [=](Model& m) { return flip(m, everywhere); });
    add("relu", "no ReLU" + where,
        [=](Model& m) { return for_layers<Relu>(m, everywhere, [&](Node& node, Relu&) { replace(m, node.name, Scale{1}); }); });
    add("dropout_scaling", "dropout multiplies by what is kept" + where, [=](Model& m) {
      return for_layers<Dropout>(m, everywhere, [&](Node& node, Dropout& l) { replace(m, node.name, Scale{1 - l.ratio}); });
    });
    add("dropout_scaling", "dropout divides by what is kept" + where, [=](Model& m) {
      return for_layers<Dropout>(m, everywhere, [&](Node& node, Dropout& l) { replace(m, node.name, Scale{1 / (1 - l.ratio)}); });
    });
    add("dropout_scaling", "no factor" + where,
        [=](Model& m) { return for_layers<Scale>(m, everywhere, [&](Node& node, Scale&) { replace(m, node.name, Scale{1}); }); });
    add("batch_norm_epsilon", "epsilon 0.001" + where,
        [=](Model& m) { return for_layers<BatchNorm>(m, everywhere, [](Node&, BatchNorm& l) { l.epsilon = 1e-3; }); });
  }
  add("flatten_order", "weights for HWC", flatten_hwc);
  add("softmax", "no softmax",
      [](Model& m) { return for_layers<Softmax>(m, true, [&](Node& node, Softmax&) { replace(m, node.name, Scale{1}); }); });
  add("softmax", "two softmaxes", double_softmax);
  add("softmax", "scores behind a softmax", follow_scores_by_softmax);
  add("shifted_labels", "labels shifted up", [](Model& m) { return shift_labels(m, 1); });
  add("shifted_labels", "labels shifted down", [](Model& m) { return shift_labels(m, -1); });
  return plants;
}

std::vector<Plant> preprocessing_plants() {
  std::vector<Plant> plants;
  const auto add = [&](const std::string& suspect, const std::string& what, const std::function<bool(Model&)>& apply) {
    plants.push_back({suspect, what, apply});
  };
  add("channels", "BGR", [](Model& m) {
    if (auto* channels = step<Channels>(m)) {
      channels->order = channels->order == ChannelOrder::bgr ? ChannelOrder::rgb : ChannelOrder::bgr;
    } else {
      insert_before_arithmetic(m, Channels{ChannelOrder::bgr});
    }
    return true;
  });
  add("range", "0 to 255", without_step<Divide>);
  add("range", "0 to 1", [](Model& m) {
    if (step<Divide>(m) != nullptr) return false;
    insert_before_arithmetic(m, Divide{255});
    return true;
  });
  add("mean", "no mean", [](Model& m) { return change_step<Normalize>(m, [](Normalize& s) { s.mean = {0, 0, 0}; }); });
  add("mean", "mean in the other order",
      [](Model& m) { return change_step<Normalize>(m, [](Normalize& s) { std::swap(s.mean[0], s.mean[2]); }); });
  add("mean", "a mean image", [](Model& m) {
    for (Step& any : m.preprocessing.steps) {
      const auto* normalize = std::get_if<Normalize>(&any);
      if (normalize == nullptr || normalize->std != std::array<double, 3>{1, 1, 1}) continue;
      Tensor mean = Tensor::zeros(m.graph.inputs[0].shape);
      float at = 0;
      for (float& value : mean.mutable_values<float>()) value = 110 + 20 * std::sin(at += 0.01f);
      any = MeanImage{.tensor = "mean", .mean = mean};
      return true;
    }
    return false;
  });
  add("mean", "the mean image's mean pixel", [](Model& m) {
    for (Step& any : m.preprocessing.steps) {
      const auto* picture = std::get_if<MeanImage>(&any);
      if (picture == nullptr) continue;
      std::array<double, 3> mean{};
      const auto values = picture->mean.values<float>();
      for (std::size_t i = 0; i < values.size(); ++i)
        mean[i * 3 / values.size()] += 3.0 * static_cast<double>(values[i]) / static_cast<double>(values.size());
      any = Normalize{.mean = mean};
      return true;
    }
    return false;
  });
  add("std", "no std", [](Model& m) {
    return change_step<Normalize>(m, [](Normalize& s) { s.std = {1, 1, 1}; }) && step<Divide>(m) != nullptr;
  });
  add("std", "std in the other order", [](Model& m) {
    return change_step<Normalize>(m, [](Normalize& s) { std::swap(s.std[0], s.std[2]); }) && step<Divide>(m) != nullptr;
  });
  add("resize_filter", "OpenCV",
      [](Model& m) { return change_step<Resize>(m, [](Resize& s) { s.filter = ResampleFilterKind::opencv_linear; }); });
  add("resize_filter", "no antialiasing", [](Model& m) { return change_step<Resize>(m, [](Resize& s) { s.antialias = false; }); });
  add("resize_size", "squashed or not", [](Model& m) {
    return change_step<Resize>(m, [](Resize& s) {
      if (s.shorter) {
        s.size = HeightWidth{*s.shorter, *s.shorter};
        s.shorter.reset();
      } else {
        s.shorter = (*s.size)[0];
        s.size.reset();
      }
    });
  });
  add("resize_size", "not resized", without_step<Resize>);
  add("crop", "the other half pixel", [](Model& m) {
    return change_step<CenterCrop>(
        m, [](CenterCrop& s) { s.rounding = s.rounding == CropRounding::down ? CropRounding::half_even : CropRounding::down; });
  });
  for (const int exif : {3, 6, 8}) {
    plants.push_back({"orientation", fmt::format("turned as EXIF {} says", exif), [](Model&) { return true; }, exif});
  }
  return plants;
}

}  // namespace alexnet::test
