#include "runtime/own_int8.h"

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "runtime/own_kernels.h"
#include "runtime/simd/int8_linear.h"
#include "runtime/simd/quantise.h"
#include "runtime/simd/sparse_linear.h"

namespace alexnet {
namespace {

const float* floats(const std::byte* bytes) { return reinterpret_cast<const float*>(bytes); }
const std::uint8_t* bytes(const std::byte* memory) { return reinterpret_cast<const std::uint8_t*>(memory); }
std::uint8_t* bytes(std::byte* memory) { return reinterpret_cast<std::uint8_t*>(memory); }

Choice quantise_choice(const QuantiseArguments& fixed, Order order, int threads, SimdLevel level) {
  Choice choice;
  choice.implementation = own_name("quantise", level);
  choice.precision = "int8";
  choice.destination = {.type = ElementType::u8, .order = order, .block = 1, .scale = fixed.as.scale};
  choice.scratch_bytes = quantise_scratch_bytes(fixed.channels, fixed.columns * fixed.block, threads);
  choice.prepare = [fixed, kernel = quantise_kernel(level)] {
    return stateless([=](const StepMemory& at) {
      QuantiseArguments arguments = fixed;
      arguments.source = floats(at.sources[0]);
      arguments.destination = bytes(at.destination);
      arguments.scratch = at.scratch;
      kernel(arguments);
    });
  };
  return choice;
}

}  // namespace

Choice own_quantise(const Shape& input, const Quantisation& as, int threads, SimdLevel level) {
  const auto count = input.elements();
  return quantise_choice({.width = count, .columns = count, .as = as}, Order::plain, threads, level);
}

Choice own_quantise_blocks(const Shape& input, const Padding4& padding, const BlockConvolution& blocks, const Quantisation& as,
                           int threads, SimdLevel level) {
  return quantise_choice({.channels = input[1],
                          .height = input[2],
                          .width = input[3],
                          .top = padding[0],
                          .left = padding[1],
                          .rows = blocks.input[2],
                          .columns = blocks.input[3],
                          .block = blocks.block,
                          .as = as},
                         Order::channels_last, threads, level);
}

namespace {

// What becomes of sums: offsets and scales in the units of the result.
struct LinearConstants {
  std::vector<float> scale;
  std::vector<float> offset;
};

LinearConstants constants_of(std::span<const float> scales, float source, const Weight& bias, float unit) {
  LinearConstants result;
  const Tensor offsets = bias.shape.rank() == 0 ? Tensor() : widened(bias);
  for (std::size_t i = 0; i < scales.size(); ++i) {
    result.scale.push_back(scales[i] * source / unit);
    result.offset.push_back(offsets.byte_count() == 0 ? 0 : offsets.values<float>()[i] / unit);
  }
  return result;
}

}  // namespace

Choice own_int8_linear(const Shape& input, const Layout& source, const Weight& weight, const Weight* bias, bool relu,
                       const std::optional<Quantisation>& as, std::int64_t rows, int threads, const InstructionSet& instructions) {
  const bool sparse = weight.storage == Storage::int8_sparse;
  const Rows all = alexnet::rows(weight.shape);
  const auto elements = static_cast<std::uint64_t>(weight.shape.elements());
  Choice choice;
  choice.implementation = own_name(sparse ? "int8_sparse_linear" : "int8_linear", instructions.simd);
  if (instructions.vnni) choice.implementation += "_vnni";
  choice.precision = "int8";
  choice.source = source;
  if (as) choice.destination = {.type = ElementType::u8, .order = Order::plain, .block = 1, .scale = as->scale};
  choice.scratch_bytes = sparse ? int8_sparse_linear_scratch_bytes(rows, threads) : int8_linear_scratch_bytes(rows, threads);
  choice.created_bytes = 2 * static_cast<std::uint64_t>(all.count) * sizeof(float);
  if (sparse) choice.created_bytes += sparse_starts_bytes(weight);
  choice.weight_bytes = choice.created_bytes + (sparse ? byte_count(weight) : elements);
  if (!sparse && weight.storage != Storage::int8) choice.created_bytes += elements;
  choice.any_rows = true;
  choice.prepare = [=, in = input[1], weight = weight, bias = bias == nullptr ? Weight{} : *bias]() -> Kernel {
    const float unit = as ? as->scale : 1;
    const std::int32_t most = as ? as->most : 0;
    if (sparse) {
      const auto constants =
          std::make_shared<const LinearConstants>(constants_of(weight.scale.values<float>(), source.scale, bias, unit));
      const auto starts = std::make_shared<const std::vector<std::size_t>>(sparse_starts(weight));
      return stateless([=, kernel = int8_sparse_linear_kernel(instructions)](const StepMemory& at) {
        kernel({.source = bytes(at.sources[0]),
                .mask = weight.mask.values<std::uint8_t>().data(),
                .values = weight.data.values<std::int8_t>(),
                .starts = starts->data(),
                .result = {constants->scale.data(), constants->offset.data(), at.destination, all.count, relu, most},
                .scratch = at.scratch,
                .rows = at.rows,
                .in = in,
                .mask_bytes = all.mask_bytes});
      });
    }
    const Int8Weight dense = int8(weight);
    const auto constants = std::make_shared<const LinearConstants>(constants_of(dense.scales, source.scale, bias, unit));
    return stateless([=, values = dense.values, kernel = int8_linear_kernel(instructions)](const StepMemory& at) {
      kernel({.source = bytes(at.sources[0]),
              .weight = values.values<std::int8_t>().data(),
              .result = {constants->scale.data(), constants->offset.data(), at.destination, all.count, relu, most},
              .scratch = at.scratch,
              .rows = at.rows,
              .in = in});
    });
  };
  return choice;
}

}  // namespace alexnet
