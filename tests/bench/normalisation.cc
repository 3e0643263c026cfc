// Response normalisation and FRN beside the time that it takes to read their input and write their output once.
//
// bench_normalisation [THREADS]: 2 unless given. "Stream" is memcpy of the tensor, by as many threads, between the same buffers:
// what they take of the cache level in which input and output live. Printed are medians of alternating rounds.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
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

void measure(const std::string& name, const Shape& shape, const Choice& choice, const std::string& note) {
  constexpr int kRounds = 201;
  // Tensors are aligned as those of a running network are.
  const auto elements = static_cast<std::int64_t>(byte_count(choice.source, shape).value() / sizeof(float));
  Tensor read = Tensor::zeros({elements});
  Tensor written = Tensor::zeros({elements});
  Tensor scratch = Tensor::zeros({static_cast<std::int64_t>(choice.scratch_bytes / sizeof(float)) + 1});
  const auto source = read.mutable_values<float>();
  const auto destination = written.mutable_values<float>();
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<float>(i % 251) - 100;
  const auto run = choice.prepare()();
  const auto* from = reinterpret_cast<const std::byte*>(source.data());
  const StepMemory at{.sources = std::span(&from, 1),
                      .destination = reinterpret_cast<std::byte*>(destination.data()),
                      .scratch = reinterpret_cast<std::byte*>(scratch.mutable_values<float>().data())};
  std::vector<double> ours;
  std::vector<double> streams;
  for (int round = 0; round < kRounds; ++round) {
    ours.push_back(microseconds([&] { run(at); }));
    streams.push_back(microseconds([&] { stream(source, destination); }));
  }
  std::printf("%-10s %-14s %-9s %-24s %8.1f us  stream %8.1f us  ratio %5.2f  %s\n", name.c_str(), to_string(shape).c_str(),
              to_string(choice.source, shape.rank()).c_str(), choice.implementation.c_str(), median(ours), median(streams),
              median(ours) / median(streams), note.c_str());
}

void run_all(int threads) {
  const ThreadScope scope(threads);
  const InstructionSet instructions = instruction_set();
  std::printf("%s, %d threads; input and output of each shape take %s\n", instructions.name.c_str(), threads, "twice its bytes");
  const std::vector<Layout> layouts{
      {}, {.order = Order::channels_last}, {.order = Order::blocked, .block = instructions.simd >= SimdLevel::avx512 ? 16 : 8}};
  for (const Shape& shape : {Shape{1, 96, 55, 55}, Shape{1, 96, 27, 27}, Shape{1, 256, 27, 27}, Shape{1, 256, 13, 13}}) {
    const Weight ones = Weight::of(Tensor::zeros({shape[1]}));
    measure("frn", shape, own_norm(FilterResponseNorm{}, {shape, {ones, ones, ones}, threads, instructions.simd}), "");
  }
  for (const Shape& shape : {Shape{1, 96, 55, 55}, Shape{1, 96, 27, 27}, Shape{1, 256, 27, 27}, Shape{1, 256, 13, 13}}) {
    for (const Layout& layout : layouts) {
      const Lrn layer{.k = 2};
      measure("lrn", shape, own_lrn(layer, shape, layout, threads, instructions.simd), "");
      if (auto primitive = onednn_lrn(layer, shape, layout)) measure("lrn", shape, *primitive, "");
    }
  }
}

}  // namespace
}  // namespace alexnet

int main(int argc, char** argv) { alexnet::run_all(argc > 1 ? std::atoi(argv[1]) : 2); }
