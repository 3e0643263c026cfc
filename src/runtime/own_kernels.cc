#include "runtime/own_kernels.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "runtime/simd/linear.h"
#include "runtime/simd/relu.h"
#include "runtime/simd/sparse_linear.h"

namespace alexnet {
namespace {

const float* floats(const std::byte* bytes) { return reinterpret_cast<const float*>(bytes); }
float* floats(std::byte* bytes) { return reinterpret_cast<float*>(bytes); }

Choice plain_choice(std::string implementation) {
  Choice choice;
  choice.implementation = std::move(implementation);
  return choice;
}

}  // namespace

std::string own_name(std::string_view what, SimdLevel level) {
  switch (level) {
    case SimdLevel::baseline: return fmt::format("own:{}:sse2", what);
    case SimdLevel::avx2: return fmt::format("own:{}:avx2", what);
    case SimdLevel::avx512:
    case SimdLevel::avx512_vbmi: break;
  }
  return fmt::format("own:{}:avx512", what);
}

Kernel stateless(Run run) {
  return [run = std::move(run)] { return run; };
}

Choice own_linear(const Shape& input, const Weight& weight, const Weight* bias, bool relu, std::int64_t rows, int threads,
                  SimdLevel level, bool bf16) {
  Choice choice = plain_choice(own_name("linear", level));
  choice.scratch_bytes = linear_scratch_bytes(rows, threads);
  const bool as_stored = weight.storage == Storage::f32 || weight.storage == Storage::f16 || weight.storage == Storage::bf16;
  const bool narrowed = bf16 && weight.storage == Storage::f32;
  const auto taps_bytes = narrowed    ? byte_count(weight) / 2
                          : as_stored ? byte_count(weight)
                                      : static_cast<std::uint64_t>(weight.shape.elements()) * sizeof(float);
  choice.weight_bytes = taps_bytes + static_cast<std::uint64_t>(bias == nullptr ? 0 : weight.shape[0]) * sizeof(float);
  choice.created_bytes = as_stored && !narrowed ? 0 : taps_bytes;
  choice.any_rows = true;
  choice.prepare = [=, in = input[1], weight = weight, bias = bias == nullptr ? Weight{} : *bias]() -> Kernel {
    const Tensor taps = narrowed ? stored(weight.data, Storage::bf16).data : as_stored ? weight.data : widened(weight);
    const Tensor offsets = bias.shape.rank() == 0 ? Tensor() : widened(bias);
    const auto kernel = linear_kernel(level);
    return stateless([=](const StepMemory& at) {
      kernel({.source = floats(at.sources[0]),
              .weight = taps.bytes().data(),
              .weight_type = taps.type(),
              .bias = offsets.byte_count() == 0 ? nullptr : offsets.values<float>().data(),
              .destination = floats(at.destination),
              .scratch = at.scratch,
              .rows = at.rows,
              .in = in,
              .out = taps.shape()[0],
              .relu = relu});
    });
  };
  return choice;
}

Choice own_sparse_linear(const Shape& input, const Weight& weight, const Weight* bias, bool relu, SimdLevel level,
                         const std::shared_ptr<WeightStore>& store) {
  Choice choice = plain_choice(own_name("sparse_linear", level));
  choice.scratch_bytes = sparse_linear_scratch_bytes(input[1]);
  choice.created_bytes = sparse_index_bytes(weight);
  choice.weight_bytes = weight.data.byte_count() + weight.scale.byte_count() + choice.created_bytes;
  if (bias != nullptr) choice.weight_bytes += byte_count(*bias);
  choice.any_rows = true;
  choice.prepare = [=, in = input[1], weight = weight, bias = bias == nullptr ? Weight{} : *bias]() -> Kernel {
    const Tensor offsets = bias.shape.rank() == 0 ? Tensor() : widened(bias);
    const auto index = std::make_shared<const SparseIndex>(sparse_index(weight, level, store.get()));
    const auto kernel = sparse_linear_kernel(level);
    return stateless([=](const StepMemory& at) {
      kernel({.source = floats(at.sources[0]),
              .weight = index->rows_of(weight),
              .scale = weight.scale.values<float>().data(),
              .bias = offsets.byte_count() == 0 ? nullptr : offsets.values<float>().data(),
              .destination = floats(at.destination),
              .scratch = at.scratch,
              .rows = at.rows,
              .in = in,
              .out = weight.shape[0],
              .relu = relu});
    });
  };
  return choice;
}

Choice own_pool(WindowPool pool, const Shape& input) {
  Choice choice = plain_choice("own:window_pool");
  choice.prepare = [pool = std::move(pool), maps = input[0] * input[1]] {
    return stateless([=](const StepMemory& at) { run(pool, maps, floats(at.sources[0]), floats(at.destination)); });
  };
  return choice;
}

Choice own_relu(const Shape& input, const Layout& layout, SimdLevel level) {
  Choice choice = plain_choice(own_name("relu", level));
  choice.source = choice.destination = layout;
  const auto count = static_cast<std::int64_t>(byte_count(layout, input).value_or(0) / sizeof(float));
  choice.prepare = [=, kernel = relu_kernel(level)] {
    return stateless([=](const StepMemory& at) { kernel(floats(at.sources[0]), floats(at.destination), count); });
  };
  return choice;
}

Choice own_copy(const Shape& input) {
  Choice choice = plain_choice("own:copy");
  choice.prepare = [bytes = static_cast<std::size_t>(input.elements()) * sizeof(float)] {
    return stateless([=](const StepMemory& at) { std::memcpy(at.destination, at.sources[0], bytes); });
  };
  return choice;
}

Choice own_pad(const Padding4& padding, const Shape& input) {
  Choice choice = plain_choice("own:pad");
  choice.prepare = [=] {
    return stateless([=](const StepMemory& at) {
      const auto [top, left, bottom, right] = padding;
      const auto width = left + input[3] + right;
      const auto plane = (top + input[2] + bottom) * width;
#pragma omp parallel for schedule(static)
      for (std::int64_t map = 0; map < input[0] * input[1]; ++map) {
        float* to = floats(at.destination) + map * plane;
        std::fill_n(to, plane, 0.0f);
        for (std::int64_t row = 0; row < input[2]; ++row) {
          const float* from = floats(at.sources[0]) + (map * input[2] + row) * input[3];
          std::copy_n(from, input[3], to + (top + row) * width + left);
        }
      }
    });
  };
  return choice;
}

Choice reference_layer(const Layer& layer, std::vector<Shape> inputs, std::vector<Weight> parameters) {
  Choice choice = plain_choice("reference");
  choice.note = "plain computation, which allocates as it runs: no faster way to compute this layer";
  for (const auto& parameter : parameters)
    choice.weight_bytes += static_cast<std::uint64_t>(parameter.shape.elements()) * sizeof(float);
  choice.created_bytes = choice.weight_bytes;
  choice.prepare = [layer, inputs = std::move(inputs), parameters = std::move(parameters)] {
    std::vector<Tensor> tensors;
    for (const auto& parameter : parameters) tensors.push_back(widened(parameter));
    return stateless([=](const StepMemory& at) {
      std::vector<Tensor> sources;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto bytes = static_cast<std::size_t>(inputs[i].elements()) * sizeof(float);
        sources.push_back(Tensor::view(ElementType::f32, inputs[i], {at.sources[i], bytes}, nullptr));
      }
      const Tensor result = reference(layer, sources, tensors);
      std::memcpy(at.destination, result.bytes().data(), result.byte_count());
    });
  };
  return choice;
}

}  // namespace alexnet
