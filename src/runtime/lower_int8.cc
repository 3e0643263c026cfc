#include "runtime/lower_int8.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/lower_layers.h"
#include "runtime/onednn/primitives.h"
#include "runtime/own_int8.h"
#include "runtime/own_lrn.h"

namespace alexnet {
namespace {

// So many products of 255 and 127 fit 32 bits.
constexpr std::int64_t kMostProducts = 65536;

Layout u8_layout(Order order, const Quantisation& as) {
  return {.type = ElementType::u8, .order = order, .block = 1, .scale = as.scale};
}

std::optional<Quantisation> quantisation_of(const ProgramBuilder& at, const std::string& name) {
  const auto range = at.range(name);
  return range ? std::optional(quantisation(*range, at.instructions().vnni)) : std::nullopt;
}

// Of a node that is u8 without anything below zero; nothing for nullptr.
std::optional<Quantisation> positive_quantisation(const ProgramBuilder& at, const Node* node) {
  if (node == nullptr) return std::nullopt;
  const auto result = quantisation_of(at, node->name);
  return result && result->zero == 0 ? result : std::nullopt;
}

// What makes `destination` of the products of `from` and the weights. A stored q stands for scale * (q - zero): the zeros' share of
// a sum is the same for every sum of an output channel, and goes into its offset.
Int8Constants constants_of(const Weight& weight, const Weight& bias, const BlockConvolution& blocks, const Quantisation& from,
                           float unit) {
  const auto [values, scales] = int8(weight);
  const Tensor offsets = bias.shape.rank() == 0 ? Tensor() : widened(bias);
  const auto taps = values.values<std::int8_t>();
  const auto each = taps.size() / scales.size();
  Int8Constants result{.weight = over_blocks(values, blocks), .scale = {}, .offset = {}};
  for (std::size_t out = 0; out < scales.size(); ++out) {
    std::int64_t sum = 0;
    for (const auto tap : taps.subspan(out * each, each)) sum += tap;
    const double scale = static_cast<double>(scales[out]) * static_cast<double>(from.scale) / static_cast<double>(unit);
    const double offset = offsets.byte_count() == 0 ? 0 : static_cast<double>(offsets.values<float>()[out]);
    result.scale.push_back(static_cast<float>(scale));
    result.offset.push_back(static_cast<float>(offset / static_cast<double>(unit) - scale * static_cast<double>(sum * from.zero)));
  }
  return result;
}

}  // namespace

bool lower_int8_convolution(ProgramBuilder& at, const Convolution& layer) {
  const Shape in = at.shape(at.source());
  const Layout& source = at.value(at.source()).layout;
  const Weight& weight = at.weight("weight");
  if (weight.shape.elements() / weight.shape[0] >= kMostProducts) return false;
  const bool is_u8 = source.type == ElementType::u8;
  const auto from = is_u8 ? Quantisation{.scale = source.scale} : quantisation_of(at, at.node().inputs[0]);
  if (!from) return false;
  const Node* relu = at.following_relu();
  const auto as = positive_quantisation(at, relu);
  const BlockConvolution blocks = is_u8 ? BlockConvolution{.layer = layer, .block = 1, .input = in} : over_blocks(layer, in);
  const float unit = as ? as->scale : 1;
  const Weight* bias = at.optional_weight(layer.bias, "bias");
  const auto constants = [=, weight = weight, bias = bias == nullptr ? Weight{} : *bias] {
    return constants_of(weight, bias, blocks, *from, unit);
  };
  const auto add_to_key = [=, weight = weight, bias = bias == nullptr ? Weight{} : *bias](Fingerprint& key) {
    add(add(key, weight), bias).add(blocks.block).add(from->scale).add(from->zero).add(unit);
  };
  auto choice =
      onednn_int8_convolution(blocks.layer, blocks.input,
                              {.source = u8_layout(Order::channels_last, *from),
                               .destination = as ? u8_layout(Order::channels_last, *as) : Layout{.order = Order::channels_last},
                               .relu = relu != nullptr,
                               .most = as ? as->most : 0,
                               .constants = constants,
                               .add_to_key = add_to_key},
                              at.prepared());
  if (!choice || is_reference(*choice)) return false;
  std::size_t fed = at.source();
  if (!is_u8) {
    auto quantise = own_quantise_blocks(in, layer.padding, blocks, *from, at.options().threads, at.instructions().simd);
    fed = at.add("quantise", std::move(quantise), {at.in_layout(fed, kPlain)}, blocks.input.without_batch());
    if (blocks.block > 1) choice->note = "over blocks of pixels, which fill vectors where three channels do not";
  }
  at.compute_from(fed, std::move(*choice), relu, multiply_adds(at, output_shape(layer, std::span(&in, 1))));
  return true;
}

bool lower_int8_linear(ProgramBuilder& at, const Linear& layer) {
  const Shape in = at.shape(at.source());
  const Weight& weight = at.weight("weight");
  if (in[1] >= kMostProducts) return false;
  const bool is_u8 = at.value(at.source()).layout.type == ElementType::u8;
  const auto from = is_u8 ? Quantisation{.scale = at.value(at.source()).layout.scale} : quantisation_of(at, at.node().inputs[0]);
  if (!from || from->zero != 0) return false;
  const Node* relu = at.following_relu();
  auto choice =
      own_int8_linear(in, u8_layout(Order::plain, *from), weight, at.optional_weight(layer.bias, "bias"), relu != nullptr,
                      positive_quantisation(at, relu), at.options().rows, at.options().threads, at.instructions(), at.prepared());
  std::size_t fed = at.source();
  if (!is_u8) {
    auto quantise = own_quantise(in, *from, at.options().threads, at.instructions().simd);
    fed = at.add("quantise", std::move(quantise), {at.in_layout(fed, kPlain)}, in.without_batch());
  }
  at.compute_from(fed, std::move(choice), relu, static_cast<std::uint64_t>(weight.shape.elements()));
  return true;
}

bool lower_int8_lrn(ProgramBuilder& at, const Lrn& layer) {
  const Layout& source = at.value(at.source()).layout;
  if (source.type != ElementType::u8 || source.order != Order::channels_last || !has_lrn_pool(layer, nullptr)) return false;
  const Node* reader = at.following_max_pool();
  const MaxPool* pool = reader == nullptr ? nullptr : &std::get<MaxPool>(reader->layer);
  if (!has_lrn_pool(layer, pool)) pool = nullptr;
  const Node* last = pool == nullptr ? &at.node() : reader;
  const auto as = positive_quantisation(at, last);
  if (!as) return false;
  at.compute(own_lrn_pool(layer, pool, at.shape(at.source()), source, *as, at.options().threads, at.instructions().simd),
             pool == nullptr ? nullptr : reader);
  return true;
}

}  // namespace alexnet
