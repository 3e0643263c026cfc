// Response normalisation and FRN beside the time that it takes to read their input and write their output once.
//
// bench_normalisation [THREADS]: 2 unless given. "Stream" is memcpy of the tensor, by as many threads, between the same buffers:
// what they take of the cache level in which input and output live. Printed are medians of alternating rounds.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/instruction_set.h"
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

void measure(const std::string& name, const Shape& shape, const Choice& choice) {
  Ready ready(choice, shape, shape);
  std::vector<double> ours;
  std::vector<double> streams;
  for (int round = 0; round < kRounds; ++round) {
    ours.push_back(microseconds([&] { ready.run(); }));
    streams.push_back(microseconds([&] { ready.stream(); }));
  }
  fmt::print("{:<10} {:<14} {:<9} {:<32} {:8.1f} us  stream {:8.1f} us  ratio {:5.2f}\n", name, to_string(shape),
             to_string(choice.source, shape.rank()), choice.implementation, median(ours), median(streams),
             median(ours) / median(streams));
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
  fmt::print("lrn+pool   {:<14} {:<9} one pass {:8.1f} us  two {:8.1f} us  ratio {:5.2f}\n", to_string(shape), to_string(layout, 4),
             median(one), median(two), median(one) / median(two));
}

void run_all(int threads) {
  const ThreadScope scope(threads);
  const InstructionSet instructions = instruction_set();
  fmt::print("{}, {} threads; input and output of each shape take twice its bytes\n", instructions.name, threads);
  const std::vector<Layout> layouts{
      {}, {.order = Order::channels_last}, {.order = Order::blocked, .block = instructions.simd >= SimdLevel::avx512 ? 16 : 8}};
  for (const Shape& shape : {Shape{1, 96, 55, 55}, Shape{1, 96, 27, 27}, Shape{1, 256, 27, 27}, Shape{1, 256, 13, 13}}) {
    const Weight ones = Weight::of(Tensor::zeros({shape[1]}));
    measure("frn", shape, own_norm(FilterResponseNorm{}, {shape, {ones, ones, ones}, threads, instructions.simd}));
  }
  for (const Shape& shape : {Shape{1, 96, 55, 55}, Shape{1, 96, 27, 27}, Shape{1, 256, 27, 27}, Shape{1, 256, 13, 13}}) {
    for (const Layout& layout : layouts) {
      const Lrn layer{.k = 2};
      measure("lrn", shape, own_lrn(layer, shape, layout, threads, instructions.simd));
      if (auto primitive = onednn_lrn(layer, shape, layout)) measure("lrn", shape, *primitive);
    }
    measure_pooled(shape, {.k = 2}, threads, instructions.simd);
  }
}

}  // namespace
}  // namespace alexnet

int main(int argc, char** argv) { alexnet::run_all(argc > 1 ? std::atoi(argv[1]) : 2); }
