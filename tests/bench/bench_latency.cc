// Batch-1 latency of a compiled network beside the sum of its bare oneDNN primitives, alternating in one run.
//
// bench_latency [ARCHITECTURE [ROUNDS [THREADS]]]: paper, 30 and 2 unless given. "Bare" is each layer's primitive alone: the
// layouts it prefers, weights reordered beforehand, ReLU fused, response normalisation and pooling as oneDNN primitives, the faster
// of inner product and matmul. Printed are medians; the load is printed with them, since beside other work even the ratio is off.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <dnnl.hpp>

#include "model/architecture.h"
#include "runtime/network.h"
#include "tests/runtime/generated.h"

namespace alexnet {
namespace {

using dnnl::memory;

double milliseconds(auto&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// One layer's primitive with buffers of its own.
struct Bare {
  std::string layer;
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
  std::vector<double> times = {};
};

class BareNetwork {
 public:
  explicit BareNetwork(const Graph& graph) : graph_(graph), shapes_(infer_shapes(graph, 1)) {
    for (const Node& node : graph.nodes) {
      const Shape& in = shapes_.at(node.inputs[0]);
      const Shape& out = shapes_.at(node.name);
      if (const auto* convolution = std::get_if<Convolution>(&node.layer)) add(node.name, *convolution, in, out);
      if (const auto* linear = std::get_if<Linear>(&node.layer)) add(node.name, *linear, in, out);
      if (const auto* lrn = std::get_if<Lrn>(&node.layer)) add(node.name, *lrn, in);
      if (const auto* pool = std::get_if<MaxPool>(&node.layer)) add(node.name, *pool, in, out);
    }
  }

  void run_once() {
    for (auto& layer : layers_) {
      layer.times.push_back(milliseconds([&] {
        layer.primitive.execute(stream_, layer.arguments);
        stream_.wait();
      }));
    }
  }

  double sum_of_medians(bool print) const {
    double sum = 0;
    for (const auto& layer : layers_) {
      sum += median(layer.times);
      if (print) std::printf("  %-8s %7.3f ms\n", layer.layer.c_str(), median(layer.times));
    }
    return sum;
  }

 private:
  static memory::dims dims(const Shape& shape) { return {shape.extents().begin(), shape.extents().end()}; }
  static memory::desc any(const memory::dims& dims) { return {dims, memory::data_type::f32, memory::format_tag::any}; }

  memory filled(const memory::desc& desc) {
    memory result(desc, engine_);
    std::fill_n(static_cast<float*>(result.get_data_handle()), desc.get_size() / sizeof(float), 0.01f);
    return result;
  }

  dnnl::primitive_attr relu() const {
    dnnl::post_ops operations;
    operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(operations);
    return attributes;
  }

  void add(const std::string& name, const Convolution& c, const Shape& in, const Shape& out) {
    const auto channels = in[1] / c.groups;
    const memory::dims weights = c.groups == 1
                                     ? memory::dims{c.out_channels, channels, c.kernel[0], c.kernel[1]}
                                     : memory::dims{c.groups, c.out_channels / c.groups, channels, c.kernel[0], c.kernel[1]};
    const memory::desc bias({c.out_channels}, memory::data_type::f32, memory::format_tag::a);
    const dnnl::convolution_forward::primitive_desc description(
        engine_, dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, any(dims(in)), any(weights), bias,
        any(dims(out)), {c.stride[0], c.stride[1]}, {c.padding[0], c.padding[1]}, {c.padding[2], c.padding[3]}, relu());
    layers_.push_back({name,
                       dnnl::convolution_forward(description),
                       {{DNNL_ARG_SRC, filled(description.src_desc())},
                        {DNNL_ARG_WEIGHTS, filled(description.weights_desc())},
                        {DNNL_ARG_BIAS, filled(bias)},
                        {DNNL_ARG_DST, filled(description.dst_desc())}}});
    maps_ = description.dst_desc();
  }

  void add(const std::string& name, const Linear& l, const Shape& in, const Shape& out) {
    const memory::desc bias({l.out_features}, memory::data_type::f32, memory::format_tag::a);
    const memory::desc row({1, l.out_features}, memory::data_type::f32, memory::format_tag::ab);
    const dnnl::inner_product_forward::primitive_desc product(engine_, dnnl::prop_kind::forward_inference, any(dims(in)),
                                                              any({l.out_features, in[1]}), bias, any(dims(out)), relu());
    const dnnl::matmul::primitive_desc matmul(engine_, any(dims(in)), any({in[1], l.out_features}), row, any(dims(out)), relu());
    const auto made = [&](const auto& description, const dnnl::primitive& primitive, const memory::desc& bias_desc) -> Bare {
      return {name,
              primitive,
              {{DNNL_ARG_SRC, filled(description.src_desc())},
               {DNNL_ARG_WEIGHTS, filled(description.weights_desc())},
               {DNNL_ARG_BIAS, filled(bias_desc)},
               {DNNL_ARG_DST, filled(description.dst_desc())}}};
    };
    const auto best_of_five = [&](Bare& bare) {
      double best = 1e9;
      for (int i = 0; i < 5; ++i)
        best = std::min(best, milliseconds([&] { bare.primitive.execute(stream_, bare.arguments), stream_.wait(); }));
      return best;
    };
    Bare first = made(product, dnnl::inner_product_forward(product), bias);
    Bare second = made(matmul, dnnl::matmul(matmul), row);
    layers_.push_back(best_of_five(first) < best_of_five(second) ? std::move(first) : std::move(second));
  }

  void add(const std::string& name, const Lrn& l, const Shape& in) {
    const auto tensor =
        maps_.get_dims() == dims(in) ? maps_ : memory::desc(dims(in), memory::data_type::f32, memory::format_tag::nhwc);
    const dnnl::lrn_forward::primitive_desc description(
        engine_, dnnl::prop_kind::forward_inference, dnnl::algorithm::lrn_across_channels, tensor, tensor, l.local_size,
        static_cast<float>(l.alpha), static_cast<float>(l.beta), static_cast<float>(l.k));
    layers_.push_back({name, dnnl::lrn_forward(description), {{DNNL_ARG_SRC, filled(tensor)}, {DNNL_ARG_DST, filled(tensor)}}});
  }

  void add(const std::string& name, const MaxPool& p, const Shape& in, const Shape& out) {
    const auto source =
        maps_.get_dims() == dims(in) ? maps_ : memory::desc(dims(in), memory::data_type::f32, memory::format_tag::nhwc);
    const auto behind = [&](std::size_t axis) { return (out[axis + 2] - 1) * p.stride[axis] + p.kernel[axis] - in[axis + 2]; };
    const dnnl::pooling_forward::primitive_desc description(
        engine_, dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_max, source, any(dims(out)),
        {p.stride[0], p.stride[1]}, {p.kernel[0], p.kernel[1]}, {0, 0}, {0, 0},
        {std::max<std::int64_t>(0, behind(0)), std::max<std::int64_t>(0, behind(1))});
    layers_.push_back({name,
                       dnnl::pooling_forward(description),
                       {{DNNL_ARG_SRC, filled(source)}, {DNNL_ARG_DST, filled(description.dst_desc())}}});
    maps_ = description.dst_desc();
  }

  const Graph& graph_;
  std::map<std::string, Shape> shapes_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  memory::desc maps_;  // of the last convolution or pool
  std::vector<Bare> layers_;
};

int run(const std::string& name, int rounds, int threads) {
  omp_set_num_threads(threads);
  const Model model = test::generated_model(architecture(name).graph);
  const auto network = compile(model, {.threads = threads});
  Session session(network);
  BareNetwork bare(model.graph);
  const Tensor x = test::generated_tensor(model.graph.inputs[0].shape.with_batch(1), "data", 2);
  Tensor y = Tensor::zeros(network->outputs()[0].shape.with_batch(1));
  const auto source = x.values<float>();
  const auto destination = y.mutable_values<float>();
  std::vector<double> compiled;
  for (int round = 0; round < rounds; ++round) {
    compiled.push_back(milliseconds([&] { session.run(1, std::span(&source, 1), std::span(&destination, 1)); }));
    bare.run_once();
  }
  const double ours = median(compiled);
  std::printf("%s, batch 1, f32, %s, %d threads, medians of %d rounds\n", name.c_str(), network->plan().instruction_set.c_str(),
              threads, rounds);
  const double sum = bare.sum_of_medians(/*print=*/true);
  std::string load;
  std::getline(std::ifstream("/proc/loadavg"), load);
  std::printf("bare primitives %.2f ms, compiled network %.2f ms, ratio %.3f; load %s\n", sum, ours, ours / sum, load.c_str());
  return 0;
}

}  // namespace
}  // namespace alexnet

int main(int argc, char** argv) {
  return alexnet::run(argc > 1 ? argv[1] : "paper", argc > 2 ? std::atoi(argv[2]) : 30, argc > 3 ? std::atoi(argv[3]) : 2);
}
