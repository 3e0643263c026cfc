#include "runtime/own_int8.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "runtime/own_kernels.h"
#include "runtime/simd/int8_linear.h"
#include "runtime/simd/quantise.h"
#include "runtime/simd/sparse_columns.h"
#include "runtime/simd/sparse_rows.h"

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

// A linear layer to be, of one of the forms of weights below.
struct Int8Linear {
  Weight weight;
  Weight bias;
  float source_scale;
  float unit;  // of the result
  std::int32_t most;
  bool relu;
  std::int64_t in;

  Int8LinearResult result(const LinearConstants& constants, std::byte* destination) const {
    return {constants.scale.data(), constants.offset.data(), destination, weight.shape[0], relu, most};
  }
  std::shared_ptr<const LinearConstants> constants(std::span<const float> scales) const {
    return std::make_shared<const LinearConstants>(constants_of(scales, source_scale, bias, unit));
  }
};

void dense(Choice& choice, const Int8Linear& layer, std::int64_t rows, int threads, const InstructionSet& instructions) {
  choice.scratch_bytes = int8_linear_scratch_bytes(rows, threads);
  const auto elements = static_cast<std::uint64_t>(layer.weight.shape.elements());
  choice.weight_bytes += elements;
  if (layer.weight.storage != Storage::int8) choice.created_bytes += elements;
  choice.prepare = [layer, kernel = int8_linear_kernel(instructions)]() -> Kernel {
    const Int8Weight dense = int8(layer.weight);
    return stateless([=, values = dense.values, constants = layer.constants(dense.scales)](const StepMemory& at) {
      kernel({.source = bytes(at.sources[0]),
              .weight = values.values<std::int8_t>().data(),
              .result = layer.result(*constants, at.destination),
              .scratch = at.scratch,
              .rows = at.rows,
              .in = layer.in});
    });
  };
}

void expanding(Choice& choice, const Int8Linear& layer, std::int64_t rows, int threads, const InstructionSet& instructions) {
  choice.scratch_bytes = int8_sparse_linear_scratch_bytes(rows, threads);
  choice.created_bytes += sparse_starts_bytes(layer.weight);
  choice.weight_bytes += byte_count(layer.weight) + sparse_starts_bytes(layer.weight);
  choice.prepare = [layer, kernel = int8_sparse_linear_kernel(instructions)]() -> Kernel {
    const auto starts = std::make_shared<const std::vector<std::size_t>>(sparse_starts(layer.weight));
    return stateless([=, constants = layer.constants(layer.weight.scale.values<float>())](const StepMemory& at) {
      kernel({.source = bytes(at.sources[0]),
              .mask = layer.weight.mask.values<std::uint8_t>().data(),
              .values = layer.weight.data.values<std::int8_t>(),
              .starts = starts->data(),
              .result = layer.result(*constants, at.destination),
              .scratch = at.scratch,
              .rows = at.rows,
              .in = layer.in,
              .mask_bytes = alexnet::rows(layer.weight.shape).mask_bytes});
    });
  };
}

// Rows up to which it pays to take one after the other and skip what is zero in it, instead of all together.
constexpr std::int64_t kFewRows = 3;

void pruned(Choice& choice, const Int8Linear& layer, std::int64_t rows, int threads, const InstructionSet& instructions,
            const std::shared_ptr<WeightStore>& store) {
  const bool never_many = rows <= kFewRows;
  choice.scratch_bytes = std::max(int8_csc_linear_scratch_bytes(layer.weight.shape[0], threads),
                                  never_many ? 0 : int8_csr_linear_scratch_bytes(layer.in));
  const auto made = sparse_columns_bytes(layer.weight) + (never_many ? 0 : sparse_index_bytes(layer.weight));
  choice.created_bytes += made;
  choice.weight_bytes += made + (never_many ? 0 : layer.weight.data.byte_count());
  choice.prepare = [=, level = instructions.simd, few = int8_csc_linear_kernel(instructions),
                    many = int8_csr_linear_kernel(instructions)]() -> Kernel {
    const Tensor columns = sparse_columns(layer.weight, store.get());
    const auto index =
        std::make_shared<const SparseIndex>(never_many ? SparseIndex() : sparse_index(layer.weight, level, store.get()));
    return stateless([=, constants = layer.constants(layer.weight.scale.values<float>())](const StepMemory& at) {
      const auto run = [&](const auto& kernel, const auto& weight) {
        kernel({.source = bytes(at.sources[0]),
                .weight = weight,
                .result = layer.result(*constants, at.destination),
                .scratch = at.scratch,
                .rows = at.rows,
                .in = layer.in});
      };
      if (at.rows <= kFewRows)
        run(few, columns_in(columns, layer.weight));
      else
        run(many, index->rows_of(layer.weight));
    });
  };
}

}  // namespace

Choice own_int8_linear(const Shape& input, const Layout& source, const Weight& weight, const Weight* bias, bool relu,
                       const std::optional<Quantisation>& as, std::int64_t rows, int threads, const InstructionSet& instructions,
                       const std::shared_ptr<WeightStore>& store) {
  const bool sparse = weight.storage == Storage::int8_sparse;
  const Int8Linear layer{.weight = weight,
                         .bias = bias == nullptr ? Weight{} : *bias,
                         .source_scale = source.scale,
                         .unit = as ? as->scale : 1,
                         .most = as ? as->most : 0,
                         .relu = relu,
                         .in = input[1]};
  Choice choice;
  choice.implementation = own_name(sparse ? "int8_sparse_linear" : "int8_linear", instructions.simd);
  if (instructions.vnni) choice.implementation += "_vnni";
  choice.precision = "int8";
  choice.source = source;
  if (as) choice.destination = {.type = ElementType::u8, .order = Order::plain, .block = 1, .scale = as->scale};
  choice.any_rows = true;
  choice.created_bytes = choice.weight_bytes = 2 * static_cast<std::uint64_t>(weight.shape[0]) * sizeof(float);
  if (!sparse)
    dense(choice, layer, rows, threads, instructions);
  else if (instructions.simd == SimdLevel::avx512_vbmi)
    expanding(choice, layer, rows, threads, instructions);
  else
    pruned(choice, layer, rows, threads, instructions, store);
  return choice;
}

}  // namespace alexnet
