// One function for each type of Caffe layer; their parameters and defaults are caffe.proto's.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "import/caffe_builder.h"

namespace alexnet {
namespace {

[[noreturn]] void fail(std::string message) { throw Error(ErrorKind::model, "", std::move(message)); }

std::int64_t integer(const PrototxtMessage& message, std::string_view name, std::int64_t otherwise) {
  const auto* field = message.find(name);
  return field == nullptr ? otherwise : field->integer();
}
double number(const PrototxtMessage& message, std::string_view name, double otherwise) {
  const auto* field = message.find(name);
  return field == nullptr ? otherwise : field->number();
}
bool boolean(const PrototxtMessage& message, std::string_view name, bool otherwise) {
  const auto* field = message.find(name);
  return field == nullptr ? otherwise : field->boolean();
}

// An enumerator by its name; numbers stand for the names in order.
std::string enumerator(const PrototxtMessage& message, std::string_view name, std::span<const std::string_view> names) {
  const auto* field = message.find(name);
  if (field == nullptr) return std::string(names[0]);
  const auto place = parse_integer(field->word());
  if (place && *place >= 0 && *place < std::ssize(names)) return std::string(names[static_cast<std::size_t>(*place)]);
  if (std::ranges::find(names, field->word()) == names.end()) fail(fmt::format("{} is {}", name, shown(field->word())));
  return field->word();
}

// A size along both axes: `base` once or twice, or base_h and base_w.
Extent2 pair(const PrototxtMessage& message, const std::string& base, const std::string& both,
             std::optional<std::int64_t> otherwise) {
  const auto* h = message.find(base + "_h");
  const auto* w = message.find(base + "_w");
  const auto plain = message.all(both);
  if (h != nullptr || w != nullptr) {
    if (h == nullptr || w == nullptr || !plain.empty()) fail(fmt::format("says {} in more than one way, or only half", both));
    return {h->integer(), w->integer()};
  }
  if (plain.size() == 1) return {plain[0]->integer(), plain[0]->integer()};
  if (plain.size() == 2) return {plain[0]->integer(), plain[1]->integer()};
  if (plain.size() > 2) fail(fmt::format("has {} values of {}", plain.size(), both));
  if (!otherwise) fail(fmt::format("has no {}", both));
  return {*otherwise, *otherwise};
}

Padding4 around(const Extent2& padding) { return {padding[0], padding[1], padding[0], padding[1]}; }

void require_axis_1(const PrototxtMessage& message, std::string_view name) {
  if (integer(message, name, 1) != 1) fail(fmt::format("works along axis {}, only 1 is supported", integer(message, name, 1)));
}

const Shape& picture(const CaffeLayer& layer, const CaffeBuilder& builder) {
  const auto& shape = builder.shape(layer);
  if (shape.rank() != 4) fail(fmt::format("wants pictures, found {}", to_string(shape)));
  return shape;
}

void convolution(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto& p = layer.parameters("convolution_param");
  const auto& in = picture(layer, builder);
  require_axis_1(p, "axis");
  const Convolution made{.out_channels = integer(p, "num_output", 0),
                         .kernel = pair(p, "kernel", "kernel_size", std::nullopt),
                         .stride = pair(p, "stride", "stride", 1),
                         .padding = around(pair(p, "pad", "pad", 0)),
                         .dilation = pair(p, "dilation", "dilation", 1),
                         .groups = integer(p, "group", 1),
                         .bias = boolean(p, "bias_term", true)};
  const auto inputs = std::span(&in, 1);
  output_shape(made, inputs);  // checks the parameters
  std::vector<Shape> wanted;
  for (const auto& parameter : parameters(made, inputs)) wanted.push_back(parameter.shape);
  const auto blobs = builder.blobs(layer, wanted);
  const auto name = builder.make(layer, made, {builder.source(layer)});
  builder.parameter(layer, name, "weight", 0, blobs[0]);
  if (made.bias) builder.parameter(layer, name, "bias", 1, blobs[1]);
}

void inner_product(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto& p = layer.parameters("inner_product_param");
  require_axis_1(p, "axis");
  const auto features = builder.shape(layer).without_batch().elements();
  const Linear made{.out_features = integer(p, "num_output", 0), .bias = boolean(p, "bias_term", true)};
  if (made.out_features < 1) fail("has no num_output");
  const bool transposed = boolean(p, "transpose", false);
  std::vector<Shape> wanted{transposed ? Shape{features, made.out_features} : Shape{made.out_features, features}};
  if (made.bias) wanted.push_back({made.out_features});
  const auto blobs = builder.blobs(layer, wanted);
  auto input = builder.source(layer);
  if (builder.shape(layer).rank() != 2) input = builder.step("flatten", Flatten{}, {input});
  const auto name = builder.make(layer, made, {input});
  Tensor weight = blobs[0];
  if (transposed) {
    const Tensor wide = widened(weight);
    weight = Tensor::zeros({made.out_features, features});
    const auto to = weight.mutable_values<float>();
    std::size_t at = 0;
    for (const float value : wide.values<float>()) {
      const auto row = at / static_cast<std::size_t>(made.out_features);
      const auto column = at++ % static_cast<std::size_t>(made.out_features);
      to[column * static_cast<std::size_t>(features) + row] = value;
    }
  }
  builder.parameter(layer, name, "weight", 0, weight, transposed ? "transposed" : "");
  if (made.bias) builder.parameter(layer, name, "bias", 1, blobs[1]);
}

// Caffe's own size of a pool's output, which it clips only where there is padding along one axis at least.
std::int64_t caffe_pooled(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t padding, bool clips, bool ceil) {
  const auto room = in + 2 * padding - kernel;
  const auto last = ceil ? (room + stride - 1) / stride : room / stride;
  return last + (clips && last * stride >= in + padding ? 0 : 1);
}

void pooling(const CaffeLayer& layer, CaffeBuilder& builder) {
  static constexpr std::array<std::string_view, 3> kKinds{"MAX", "AVE", "STOCHASTIC"};
  static constexpr std::array<std::string_view, 2> kRoundings{"CEIL", "FLOOR"};
  const auto& p = layer.parameters("pooling_param");
  const auto in = picture(layer, builder);
  const auto which = enumerator(p, "pool", kKinds);
  if (which == "STOCHASTIC") fail("pools stochastically, which is not supported");
  const std::vector<std::string> inputs{builder.source(layer)};
  if (boolean(p, "global_pooling", false)) {
    builder.make(layer, which == "MAX" ? Layer(MaxPool{.kernel = {in[2], in[3]}}) : Layer(AdaptiveAveragePool{.output = {1, 1}}),
                 inputs);
    return;
  }
  const auto kernel = pair(p, "kernel", "kernel_size", std::nullopt);
  const auto stride = pair(p, "stride", "stride", 1);
  const auto padding = pair(p, "pad", "pad", 0);
  const bool ceil = enumerator(p, "round_mode", kRoundings) == "CEIL";
  const auto rounding = ceil ? Rounding::ceil : Rounding::floor;
  const Layer made =
      which == "MAX"
          ? Layer(MaxPool{.kernel = kernel, .stride = stride, .padding = around(padding), .rounding = rounding})
          : Layer(AveragePool{
                .kernel = kernel, .stride = stride, .padding = around(padding), .rounding = rounding, .count_padding = true});
  const Shape out = output_shape(made, std::span(&in, 1));
  const bool clips = padding[0] != 0 || padding[1] != 0;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const auto caffe = caffe_pooled(in[axis + 2], kernel[axis], stride[axis], padding[axis], clips, ceil);
    if (caffe != out[axis + 2])
      fail(fmt::format(
          "its last window lies behind its input, where Caffe reads nothing: {} windows by its rule, {} that see something", caffe,
          out[axis + 2]));
  }
  builder.make(layer, made, inputs);
}

void lrn_layer(const CaffeLayer& layer, CaffeBuilder& builder) {
  static constexpr std::array<std::string_view, 2> kRegions{"ACROSS_CHANNELS", "WITHIN_CHANNEL"};
  const auto& p = layer.parameters("lrn_param");
  const lrn::Caffe source{.local_size = integer(p, "local_size", 5),
                          .alpha = number(p, "alpha", 1),
                          .beta = number(p, "beta", 0.75),
                          .norm_region = enumerator(p, "norm_region", kRegions) == "WITHIN_CHANNEL" ? LrnRegion::within_channel
                                                                                                    : LrnRegion::across_channels,
                          .k = number(p, "k", 1)};
  builder.lrn_source(builder.make(layer, lrn::layer(source), {builder.source(layer)}), source);
}

void relu(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto slope = number(layer.parameters("relu_param"), "negative_slope", 0);
  if (slope != 0) fail(fmt::format("has a negative_slope of {}, only 0 is supported", shortest(slope)));
  builder.make(layer, Relu{}, {builder.source(layer)});
}

void dropout(const CaffeLayer& layer, CaffeBuilder& builder) {
  builder.make(layer, Dropout{.ratio = number(layer.parameters("dropout_param"), "dropout_ratio", 0.5)}, {builder.source(layer)});
}

void softmax(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto rank = static_cast<std::int64_t>(builder.shape(layer).rank());
  const auto axis = integer(layer.parameters("softmax_param"), "axis", 1);
  builder.make(layer, Softmax{.axis = axis < 0 ? axis + rank : axis}, {builder.source(layer)});
}

void concat(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto& p = layer.parameters("concat_param");
  const auto rank = static_cast<std::int64_t>(builder.shape(layer).rank());
  const auto axis = integer(p, "axis", integer(p, "concat_dim", 1));
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < layer.bottoms.size(); ++i) inputs.push_back(builder.source(layer, i));
  builder.make(layer, Concat{.axis = axis < 0 ? axis + rank : axis}, std::move(inputs));
}

void slice(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto& p = layer.parameters("slice_param");
  const Shape in = builder.shape(layer);
  const auto written = integer(p, "axis", integer(p, "slice_dim", 1));
  const auto axis = written < 0 ? written + static_cast<std::int64_t>(in.rank()) : written;
  if (axis < 1 || axis >= static_cast<std::int64_t>(in.rank()))
    fail(fmt::format("slices along axis {} of {}", written, to_string(in)));
  const auto extent = in[static_cast<std::size_t>(axis)];
  const auto parts = static_cast<std::int64_t>(layer.tops.size());
  std::vector<std::int64_t> ends;
  for (const auto* point : p.all("slice_point")) ends.push_back(point->integer());
  if (ends.empty()) {
    if (parts == 0 || extent % parts != 0) fail(fmt::format("slices {} into {} equal parts", extent, parts));
    for (std::int64_t i = 1; i < parts; ++i) ends.push_back(i * (extent / parts));
  }
  ends.push_back(extent);
  if (std::ssize(ends) != parts) fail(fmt::format("has {} slice_point for {} tops", ends.size() - 1, parts));
  const auto input = builder.source(layer);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] <= begin || ends[i] > extent) fail("has slice_point that do not rise");
    builder.make(layer, Slice{.axis = axis, .begin = begin, .count = ends[i] - begin}, {input}, i);
    begin = ends[i];
  }
}

void split(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto input = builder.source(layer);
  for (std::size_t i = 0; i < layer.tops.size(); ++i) builder.pass_on(layer, input, i);
}

void eltwise(const CaffeLayer& layer, CaffeBuilder& builder) {
  static constexpr std::array<std::string_view, 3> kOperations{"SUM", "PROD", "MAX"};
  static constexpr std::array<std::string_view, 3> kNumbered{"PROD", "SUM", "MAX"};
  const auto& p = layer.parameters("eltwise_param");
  const auto operation = p.find("operation") == nullptr ? std::string(kOperations[0]) : enumerator(p, "operation", kNumbered);
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < layer.bottoms.size(); ++i) {
    inputs.push_back(builder.source(layer, i));
    // Caffe does not broadcast.
    if (builder.shape(layer, i) != builder.shape(layer)) {
      fail(fmt::format("combines {} and {}", to_string(builder.shape(layer)), to_string(builder.shape(layer, i))));
    }
  }
  for (const auto* coefficient : p.all("coeff")) {
    if (coefficient->number() != 1) fail("weighs its inputs (coeff), which is not supported");
  }
  if (operation == "MAX") fail("takes the larger of its inputs, which is not supported");
  builder.make(layer, operation == "SUM" ? Layer(Add{}) : Layer(Multiply{}), std::move(inputs));
}

// Stored are sums of statistics and what to divide them by.
void batch_norm(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto& p = layer.parameters("batch_norm_param");
  if (!boolean(p, "use_global_stats", true)) fail("computes statistics of its batch (use_global_stats false)");
  const Shape in = builder.shape(layer);
  if (in.rank() < 2) fail("has no channels");
  const auto blobs = builder.blobs(layer, {Shape{in[1]}, Shape{in[1]}, Shape{1}});
  const auto name =
      builder.make(layer, BatchNorm{.epsilon = number(p, "eps", 1e-5), .scale = false, .offset = false}, {builder.source(layer)});
  const double factor = static_cast<double>(widened(blobs[2]).values<float>()[0]);
  const double divisor = factor == 0 ? 0 : 1 / factor;
  const std::array<std::string_view, 2> names{"mean", "variance"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Tensor sums = widened(blobs[i]);
    Tensor values = Tensor::zeros(sums.shape());
    std::ranges::transform(sums.values<float>(), values.mutable_values<float>().begin(),
                           [divisor](float sum) { return static_cast<float>(static_cast<double>(sum) * divisor); });
    builder.parameter(layer, name, names[i], i, values, factor == 1 ? "" : "divided by the scale factor");
  }
}

void scale(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto& p = layer.parameters("scale_param");
  require_axis_1(p, "axis");
  if (integer(p, "num_axes", 1) != 1) fail("scales along more than one axis, or none");
  if (layer.bottoms.size() != 1) fail("multiplies by a second bottom, which is not supported");
  const Shape in = builder.shape(layer);
  if (in.rank() < 2) fail("has no channels");
  const bool offset = boolean(p, "bias_term", false);
  std::vector<Shape> wanted{{in[1]}};
  if (offset) wanted.push_back({in[1]});
  const auto blobs = builder.blobs(layer, wanted);
  std::string name;
  if (Node* norm = builder.open_batch_norm(layer)) {
    auto& made = std::get<BatchNorm>(norm->layer);
    made.scale = true;
    made.offset = offset;
    name = norm->name;
    builder.pass_on(layer, name);
  } else {
    name = builder.make(layer, ScaleShift{.scale = true, .offset = offset}, {builder.source(layer)});
  }
  builder.parameter(layer, name, "scale", 0, blobs[0]);
  if (offset) builder.parameter(layer, name, "offset", 1, blobs[1]);
}

void flatten(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto& p = layer.parameters("flatten_param");
  require_axis_1(p, "axis");
  if (integer(p, "end_axis", -1) != -1) fail("flattens only some of its axes, which is not supported");
  builder.make(layer, Flatten{}, {builder.source(layer)});
}

void reshape(const CaffeLayer& layer, CaffeBuilder& builder) {
  const auto& p = layer.parameters("reshape_param");
  const Shape in = builder.shape(layer);
  if (integer(p, "axis", 0) != 0 || integer(p, "num_axes", -1) != -1)
    fail("reshapes only some of its axes, which is not supported");
  const auto* shape = p.find("shape");
  if (shape == nullptr) fail("has no shape");
  std::vector<std::int64_t> extents;
  for (const auto* dim : shape->message().all("dim")) extents.push_back(dim->integer());
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == 0 && i >= in.rank()) fail("keeps an extent that its input does not have");
    if (extents[i] == 0) extents[i] = in[i];
  }
  if (extents.empty() || (extents[0] != 1 && extents[0] != -1)) fail("does not keep its samples apart");
  extents.erase(extents.begin());
  const auto open = std::ranges::find(extents, -1);
  if (open != extents.end()) {
    *open = 1;
    const auto others = Shape::make(extents);
    if (!others || others->elements() == 0) fail("has an impossible shape");
    *open = in.without_batch().elements() / others->elements();
  }
  builder.make(layer, Reshape{.shape = extents}, {builder.source(layer)});
}

using Lower = void (*)(const CaffeLayer&, CaffeBuilder&);

const std::map<std::string, Lower>& table() {
  static const std::map<std::string, Lower> all{
      {"BatchNorm", batch_norm},
      {"Concat", concat},
      {"Convolution", convolution},
      {"Dropout", dropout},
      {"Eltwise", eltwise},
      {"Flatten", flatten},
      {"InnerProduct", inner_product},
      {"LRN", lrn_layer},
      {"Pooling", pooling},
      {"ReLU", relu},
      {"Reshape", reshape},
      {"Scale", scale},
      {"Slice", slice},
      {"Softmax", softmax},
      {"Split", split},
  };
  return all;
}

}  // namespace

bool is_supported_caffe_type(const std::string& type) { return table().contains(type); }

void lower(const CaffeLayer& layer, CaffeBuilder& builder) { table().at(layer.type)(layer, builder); }

}  // namespace alexnet
