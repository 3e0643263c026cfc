#include "runtime/onednn/bare.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <unordered_map>

#include "runtime/onednn/primitive.h"

namespace alexnet {
namespace {

using dnnl::memory;

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double best_of(int times, const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) best = std::min(best, seconds(work));
  return best;
}

struct Types {
  memory::data_type activation;
  memory::data_type weight;
  memory::data_type normalised;  // what LRN computes on
};

Types types_of(Precision precision) {
  using enum memory::data_type;
  if (precision == Precision::bf16) return {bf16, bf16, bf16};
  if (precision == Precision::int8) return {u8, s8, f32};
  return {f32, f32, f32};
}

memory::dims dims(const Shape& shape) { return {shape.extents().begin(), shape.extents().end()}; }

memory filled(const memory::desc& desc) {
  memory result(desc, onednn::engine());
  // Bytes that are ordinary numbers in every type: 0.0019 in bf16 and f32, 58 and 251 (or -5) as integers.
  auto* bytes = static_cast<unsigned char*>(result.get_data_handle());
  for (std::size_t i = 0; i < desc.get_size(); ++i) bytes[i] = i % 2 == 0 ? 0xfb : 0x3a;
  return result;
}

using Arguments = std::unordered_map<int, memory>;

BareLayer made(const std::string& name, const std::string& implementation, const dnnl::primitive& primitive, Arguments arguments,
               std::uint64_t weight_bytes) {
  BareLayer layer{.layer = name, .implementation = implementation, .weight_bytes = weight_bytes, .run = {}};
  layer.activation_bytes = arguments.at(DNNL_ARG_SRC).get_desc().get_size() + arguments.at(DNNL_ARG_DST).get_desc().get_size();
  layer.run = [primitive, arguments = std::move(arguments), stream = dnnl::stream(onednn::engine())]() mutable {
    primitive.execute(stream, arguments);
    stream.wait();
  };
  return layer;
}

dnnl::primitive_attr with_relu() {
  dnnl::post_ops operations;
  operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(operations);
  return attributes;
}

class Layers {
 public:
  Layers(const Graph& graph, Precision precision, std::int64_t slice, std::int64_t rows)
      : types_(types_of(precision)), of_slice_(infer_shapes(graph, slice)), of_rows_(infer_shapes(graph, rows)) {
    for (const Node& node : graph.nodes) {
      const auto& in = of_slice_.at(node.inputs[0]);
      if (const auto* convolution = std::get_if<Convolution>(&node.layer)) add(node.name, *convolution, in);
      if (const auto* lrn = std::get_if<Lrn>(&node.layer)) add(node.name, *lrn, in);
      if (const auto* pool = std::get_if<MaxPool>(&node.layer)) add(node.name, *pool, in);
      if (const auto* linear = std::get_if<Linear>(&node.layer)) add(node.name, *linear, of_rows_.at(node.inputs[0]));
    }
  }
  std::vector<BareLayer> layers() && { return std::move(layers_); }

 private:
  static memory::desc any(const memory::dims& dims, memory::data_type type) { return {dims, type, memory::format_tag::any}; }
  memory::desc any(const memory::dims& dims) const { return any(dims, types_.activation); }

  // The layout of the layer before, which a layer without weights takes as it comes.
  memory::desc maps_like(const Shape& shape, memory::data_type type) const {
    if (!maps_.is_zero() && maps_.get_dims() == dims(shape) && maps_.get_data_type() == type) return maps_;
    return {dims(shape), type, memory::format_tag::nhwc};
  }

  void add(const std::string& name, const Convolution& c, const Shape& in) {
    const Shape out = output_shape(c, std::span(&in, 1));
    const auto channels = in[1] / c.groups;
    const memory::dims weights = c.groups == 1
                                     ? memory::dims{c.out_channels, channels, c.kernel[0], c.kernel[1]}
                                     : memory::dims{c.groups, c.out_channels / c.groups, channels, c.kernel[0], c.kernel[1]};
    const memory::desc bias({c.out_channels}, memory::data_type::f32, memory::format_tag::a);
    const dnnl::convolution_forward::primitive_desc description(
        onednn::engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, any(dims(in)),
        any(weights, types_.weight), bias, any(dims(out)), {c.stride[0], c.stride[1]}, {c.dilation[0] - 1, c.dilation[1] - 1},
        {c.padding[0], c.padding[1]}, {c.padding[2], c.padding[3]}, with_relu(), /*allow_empty=*/true);
    if (!description) return;
    layers_.push_back(made(name, description.impl_info_str(), dnnl::convolution_forward(description),
                           {{DNNL_ARG_SRC, filled(description.src_desc())},
                            {DNNL_ARG_WEIGHTS, filled(description.weights_desc())},
                            {DNNL_ARG_BIAS, filled(bias)},
                            {DNNL_ARG_DST, filled(description.dst_desc())}},
                           description.weights_desc().get_size()));
    maps_ = description.dst_desc();
  }

  void add(const std::string& name, const Linear& l, const Shape& in) {
    const memory::dims out{in[0], l.out_features};
    const memory::desc bias({l.out_features}, memory::data_type::f32, memory::format_tag::a);
    const memory::desc row({1, l.out_features}, memory::data_type::f32, memory::format_tag::ab);
    const dnnl::inner_product_forward::primitive_desc product(onednn::engine(), dnnl::prop_kind::forward_inference, any(dims(in)),
                                                              any({l.out_features, in[1]}, types_.weight), bias, any(out),
                                                              with_relu(), /*allow_empty=*/true);
    const dnnl::matmul::primitive_desc matmul(onednn::engine(), any(dims(in)), any({in[1], l.out_features}, types_.weight), row,
                                              any(out), with_relu(), /*allow_empty=*/true);
    std::vector<BareLayer> ways;
    const auto way = [&](const auto& description, const dnnl::primitive& primitive, const memory::desc& bias_desc) {
      ways.push_back(made(name, description.impl_info_str(), primitive,
                          {{DNNL_ARG_SRC, filled(description.src_desc())},
                           {DNNL_ARG_WEIGHTS, filled(description.weights_desc())},
                           {DNNL_ARG_BIAS, filled(bias_desc)},
                           {DNNL_ARG_DST, filled(description.dst_desc())}},
                          description.weights_desc().get_size()));
    };
    if (product) way(product, dnnl::inner_product_forward(product), bias);
    if (matmul) way(matmul, dnnl::matmul(matmul), row);
    if (ways.size() == 2 && best_of(5, ways[1].run) < best_of(5, ways[0].run)) std::swap(ways[0], ways[1]);
    if (!ways.empty()) layers_.push_back(std::move(ways[0]));
  }

  void add(const std::string& name, const Lrn& l, const Shape& in) {
    if (l.region != LrnRegion::across_channels) return;
    const memory::desc tensor = maps_like(in, types_.normalised);
    const dnnl::lrn_forward::primitive_desc description(
        onednn::engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::lrn_across_channels, tensor, tensor, l.local_size,
        static_cast<float>(l.alpha), static_cast<float>(l.beta), static_cast<float>(l.k), {}, /*allow_empty=*/true);
    if (!description) return;
    layers_.push_back(made(name, description.impl_info_str(), dnnl::lrn_forward(description),
                           {{DNNL_ARG_SRC, filled(tensor)}, {DNNL_ARG_DST, filled(tensor)}}, 0));
  }

  void add(const std::string& name, const MaxPool& p, const Shape& in) {
    const Shape out = output_shape(p, std::span(&in, 1));
    const memory::desc source = maps_like(in, types_.activation);
    const auto behind = [&](std::size_t axis) {
      const auto reach = (out[axis + 2] - 1) * p.stride[axis] + (p.kernel[axis] - 1) * p.dilation[axis] + 1;
      return std::max<std::int64_t>(0, reach - in[axis + 2] - p.padding[axis]);
    };
    const dnnl::pooling_forward::primitive_desc description(
        onednn::engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_max, source, any(dims(out)),
        {p.stride[0], p.stride[1]}, {p.kernel[0], p.kernel[1]}, {p.dilation[0] - 1, p.dilation[1] - 1},
        {p.padding[0], p.padding[1]}, {behind(0), behind(1)}, {}, /*allow_empty=*/true);
    if (!description) return;
    layers_.push_back(made(name, description.impl_info_str(), dnnl::pooling_forward(description),
                           {{DNNL_ARG_SRC, filled(source)}, {DNNL_ARG_DST, filled(description.dst_desc())}}, 0));
    maps_ = description.dst_desc();
  }

  Types types_;
  std::map<std::string, Shape> of_slice_;
  std::map<std::string, Shape> of_rows_;
  memory::desc maps_;  // what the last convolution or pool gave
  std::vector<BareLayer> layers_;
};

}  // namespace

std::vector<BareLayer> bare_layers(const Graph& graph, Precision precision, std::int64_t slice, std::int64_t rows) {
  return onednn::guarded([&] { return Layers(graph, precision, slice, rows).layers(); });
}

double peak_macs(Precision precision) {
  constexpr std::int64_t kSide = 768;  // three matrices of 2.4 MB in f32: out of L2 they come in blocks, and sums dominate
  return onednn::guarded([&] {
    const Types types = types_of(precision);
    const auto matrix = [](memory::data_type type) { return memory::desc({kSide, kSide}, type, memory::format_tag::any); };
    const auto sums = precision == Precision::int8 ? memory::data_type::s32 : memory::data_type::f32;
    const dnnl::matmul::primitive_desc description(onednn::engine(), matrix(types.activation), matrix(types.weight), matrix(sums));
    const BareLayer product = made("", "", dnnl::matmul(description),
                                   {{DNNL_ARG_SRC, filled(description.src_desc())},
                                    {DNNL_ARG_WEIGHTS, filled(description.weights_desc())},
                                    {DNNL_ARG_DST, filled(description.dst_desc())}},
                                   0);
    return static_cast<double>(kSide) * kSide * kSide / best_of(10, product.run);
  });
}

}  // namespace alexnet
