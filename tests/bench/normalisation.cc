// Response, filter response and layer normalisation beside what bounds them: the time that it takes to read their input and write
// their output once, and their arithmetic.
//
// bench_normalisation [THREADS]: 2 unless given. "Stream" is memcpy of the tensor, by as many threads, between the same buffers:
// what they take of the cache level in which input and output live. "In L1" is what the same code on one thread needs for each
// element more of a tensor that stays in the L1 cache, times the elements of a thread: no memory is waited for, and nothing
// started. Ratios are to both. Printed are medians of alternating rounds.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/instruction_set.h"
#include "runtime/onednn/primitive.h"
#include "runtime/onednn/primitives.h"
#include "runtime/openmp.h"
#include "runtime/own_lrn.h"
#include "runtime/own_norms.h"

namespace alexnet {
namespace {

double microseconds(auto&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void stream(std::span<const float> source, std::span<float> destination) {
#pragma omp parallel
  {
    const auto threads = static_cast<std::size_t>(omp_get_num_threads());
    const auto part = (source.size() / threads + 15) / 16 * 16;
    const auto begin = std::min(source.size(), static_cast<std::size_t>(omp_get_thread_num()) * part);
    std::memcpy(destination.data() + begin, source.data() + begin, std::min(part, source.size() - begin) * sizeof(float));
  }
}

// A choice with tensors of its own, aligned as those of a running network are.
class Ready {
 public:
  Ready(const Choice& choice, const Shape& input, const Shape& output)
      : read_(Tensor::zeros({elements(choice.source, input)})),
        written_(Tensor::zeros({elements(choice.destination, output)})),
        scratch_(Tensor::zeros({static_cast<std::int64_t>(choice.scratch_bytes / sizeof(float)) + 1})),
        run_(choice.prepare()()) {
    const auto values = read_.mutable_values<float>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 251) - 100;
  }

  void run() {
    const auto* from = read_.bytes().data();
    run_({.sources = std::span(&from, 1),
          .destination = written_.mutable_bytes().data(),
          .scratch = scratch_.mutable_bytes().data()});
  }
  void stream() { alexnet::stream(read_.values<float>(), written_.mutable_values<float>()); }

 private:
  static std::int64_t elements(const Layout& layout, const Shape& shape) {
    return static_cast<std::int64_t>(byte_count(layout, shape).value() / sizeof(float));
  }

  Tensor read_;
  Tensor written_;
  Tensor scratch_;
  Run run_;
};

constexpr int kRounds = 201;

using Make = std::function<Choice(const Shape& shape, int threads)>;

// Shapes whose tensors stay in the L1 cache, which differ in what one more of a row, a map or a pixel costs.
struct InL1 {
  Shape less;
  Shape more;
};

void measure(const std::string& name, const Shape& shape, const InL1& in_l1, int threads, const Make& make) {
  constexpr int kRepeated = 16;
  const Choice choice = make(shape, threads);
  Ready ready(choice, shape, shape);
  Ready less(make(in_l1.less, 1), in_l1.less, in_l1.less);
  Ready more(make(in_l1.more, 1), in_l1.more, in_l1.more);
  const auto repeated = [&](Ready& small) {
    const ThreadScope one(1);
    small.run();
    return microseconds([&] {
      for (int i = 0; i < kRepeated; ++i) small.run();
    });
  };
  std::vector<double> ours;
  std::vector<double> streams;
  std::vector<double> extra;
  for (int round = 0; round < kRounds; ++round) {
    extra.push_back(repeated(more) - repeated(less));
    ready.stream();
    ours.push_back(microseconds([&] { ready.run(); }));
    streams.push_back(microseconds([&] { ready.stream(); }));
  }
  const auto each = median(extra) / kRepeated / static_cast<double>(in_l1.more.elements() - in_l1.less.elements());
  const auto computed = each * static_cast<double>(shape.elements()) / threads;
  const auto time = median(ours);
  fmt::print("{:<4} {:<12} {:<8} {:<31} {:7.1f} us  stream {:6.1f} us  {:4.2f}  in L1 {:6.1f} us  {:4.2f}\n", name,
             to_string(shape), to_string(choice.source, shape.rank()), choice.implementation, time, median(streams),
             time / median(streams), computed, time / computed);
}

// Response normalisation and the pool behind it in one pass and in two.
void measure_pooled(const Shape& shape, const Lrn& layer, int threads, SimdLevel level) {
  const MaxPool pool{.kernel = {3, 3}, .stride = {2, 2}};
  const Shape output = output_shape(pool, std::span(&shape, 1));
  const Layout layout{.order = Order::channels_last};
  const auto primitive = onednn_pooling(
      {.kind = Pooling::Kind::max, .window = {.kernel = pool.kernel, .stride = pool.stride}, .output = {output[2], output[3]}},
      shape, layout);
  if (!primitive) return;
  Ready normalise(own_lrn(layer, shape, layout, threads, level), shape, shape);
  Ready take_largest(*primitive, shape, output);
  Ready both(own_lrn_pool(layer, &pool, shape, layout, std::nullopt, threads, level), shape, output);
  std::vector<double> one;
  std::vector<double> two;
  for (int round = 0; round < kRounds; ++round) {
    one.push_back(microseconds([&] { both.run(); }));
    two.push_back(microseconds([&] { normalise.run(), take_largest.run(); }));
  }
  fmt::print("lrn+pool {:<8} {:<8} one pass {:7.1f} us  two {:7.1f} us  {:4.2f}\n", to_string(shape), to_string(layout, 4),
             median(one), median(two), median(one) / median(two));
}

// oneDNN's of rows, with scale and offset.
Choice onednn_layer_norm(const Shape& shape) {
  using dnnl::memory;
  using Primitive = dnnl::layer_normalization_forward;
  const auto rows = onednn::descriptor(Shape{shape[0], 1, 1, shape.elements() / shape[0]}, {});
  const Primitive::primitive_desc description(onednn::engine(), dnnl::prop_kind::forward_inference, rows, rows, 1e-5f,
                                              dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift,
                                              onednn::attributes());
  Choice choice = onednn::described(description, {}, {});
  choice.prepare = [=] {
    const memory::desc each({shape.elements() / shape[0]}, memory::data_type::f32, memory::format_tag::a);
    const Tensor zeros = Tensor::zeros({shape.elements() / shape[0]});
    return onednn::kernel<Primitive>(
        description, {onednn::constant(DNNL_ARG_SCALE, zeros, each), onednn::constant(DNNL_ARG_SHIFT, zeros, each)});
  };
  return choice;
}

void layer_norms(int threads, SimdLevel level) {
  for (const Shape& shape : {Shape{1, 96, 55, 55}, Shape{8, 96, 27, 27}, Shape{8, 256, 13, 13}, Shape{1, 4096}, Shape{8, 4096},
                             Shape{197, 768}, Shape{729, 96}}) {
    const auto row = std::min<std::int64_t>(shape.elements() / shape[0], 2048);
    const InL1 rows = row < 2048 ? InL1{{1, row}, {3072 / row, row}} : InL1{{1, 1024}, {1, 2048}};
    measure("ln", shape, rows, threads, [&](const Shape& of, int with) {
      const Shape parameters(of.extents().subspan(1));
      const Weight zeros = Weight::of(Tensor::zeros(parameters));
      return own_norm(LayerNorm{}, {of, {zeros, zeros}, with, level});
    });
    measure("ln", shape, rows, threads, [](const Shape& of, int) { return onednn_layer_norm(of); });
  }
}

void run_all(int threads) {
  const ThreadScope scope(threads);
  const InstructionSet instructions = instruction_set();
  fmt::print("{}, {} threads; input and output of each shape take twice its bytes\n", instructions.name, threads);
  const std::vector<Layout> layouts{
      {}, {.order = Order::channels_last}, {.order = Order::blocked, .block = instructions.simd >= SimdLevel::avx512 ? 16 : 8}};
  const std::vector<Shape> shapes{{1, 96, 55, 55}, {1, 96, 27, 27}, {1, 256, 27, 27}, {1, 256, 13, 13}};
  for (const Shape& shape : shapes) {
    // Of maps too large for the L1 cache what fits in.
    const auto rows = std::min<std::int64_t>(shape[2], 27);
    const InL1 maps{{1, 1, rows, shape[3]}, {1, std::max<std::int64_t>(2, 3000 / (rows * shape[3])), rows, shape[3]}};
    measure("frn", shape, maps, threads, [&](const Shape& of, int with) {
      const Weight ones = Weight::of(Tensor::zeros({of[1]}));
      return own_norm(FilterResponseNorm{}, {of, {ones, ones, ones}, with, instructions.simd});
    });
  }
  for (const Shape& shape : shapes) {
    for (const Layout& layout : layouts) {
      const Lrn layer{.k = 2};
      const InL1 pixels =
          layout.order == Order::plain ? InL1{{1, 16, 1, 64}, {1, 16, 1, 192}} : InL1{{1, 96, 1, 8}, {1, 96, 1, 24}};
      measure("lrn", shape, pixels, threads,
              [&](const Shape& of, int with) { return own_lrn(layer, of, layout, with, instructions.simd); });
      if (onednn_lrn(layer, shape, layout))
        measure("lrn", shape, pixels, threads, [&](const Shape& of, int) { return onednn_lrn(layer, of, layout).value(); });
    }
    measure_pooled(shape, {.k = 2}, threads, instructions.simd);
  }
  layer_norms(threads, instructions.simd);
}

}  // namespace
}  // namespace alexnet

int main(int argc, char** argv) { alexnet::run_all(argc > 1 ? std::atoi(argv[1]) : 2); }
