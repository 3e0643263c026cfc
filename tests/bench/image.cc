// A photograph on its way to the network: data/coffee.jpg (600 x 400) decoded, then at the usual 500 x 375 resized, and put
// through the whole preprocessing. One thread each.
#include <vector>

#include <benchmark/benchmark.h>

#include "base/file.h"
#include "image/decode.h"
#include "image/preprocess.h"
#include "image/resample.h"

namespace alexnet {
namespace {

std::vector<std::byte> photograph() { return read_file(ALEXNET_BENCH_PHOTOGRAPH); }

Image shrunk() { return resize(decode(photograph(), {}, "photograph").image, 500, 375); }

Preprocessing torchvision() {
  return {{Resize{.shorter = 256, .size = {}}, CenterCrop{.size = {227, 227}}, Divide{.by = 255},
           Normalize{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}}}};
}

void decode_photograph(benchmark::State& state) {
  const auto bytes = photograph();
  for (auto _ : state) benchmark::DoNotOptimize(decode(bytes, {}, "photograph"));
  state.SetItemsProcessed(state.iterations() * 600 * 400);
}
BENCHMARK(decode_photograph)->Unit(benchmark::kMillisecond);

void resize_to_341x256(benchmark::State& state) {
  const Image image = shrunk();
  for (auto _ : state) benchmark::DoNotOptimize(resize(image, 341, 256));
}
BENCHMARK(resize_to_341x256)->Unit(benchmark::kMillisecond);

void preprocess_to_227x227(benchmark::State& state) {
  const Image image = shrunk();
  const Preprocessing steps = torchvision();
  std::vector<float> room(3 * 227 * 227);
  for (auto _ : state) {
    preprocess_into(steps, image, room);
    benchmark::DoNotOptimize(room.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(preprocess_to_227x227)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace alexnet
