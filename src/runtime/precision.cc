#include "runtime/precision.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "model/accuracy.h"

namespace alexnet {
namespace {

// In points of top-1: more, and `automatic` passes a precision by.
constexpr double kMostCost = 0.5;

// Why this model can't be run so here; empty if it can.
std::string obstacle(const Model& model, Precision precision, const InstructionSet& instructions, bool emulate) {
  if (precision == Precision::int8 && model.ranges.empty())
    return "the model holds no ranges of activations, which `alexnet convert --calibrate` measures";
  if (precision == Precision::bf16 && instructions.simd < SimdLevel::avx512) return "bf16 needs AVX-512";
  if (precision == Precision::bf16 && !instructions.bf16 && !emulate)
    return "without instructions for bf16 this processor is faster in f32";
  return {};
}

}  // namespace

std::string_view name(Precision precision) {
  switch (precision) {
    case Precision::automatic: return "auto";
    case Precision::f32: return "f32";
    case Precision::bf16: return "bf16";
    case Precision::int8: break;
  }
  return "int8";
}

ChosenPrecision chosen_precision(const Model& model, Precision asked, const InstructionSet& instructions, bool emulate) {
  if (asked != Precision::automatic) {
    const std::string why = obstacle(model, asked, instructions, emulate);
    if (why.empty()) return {asked, {}};
    return {Precision::f32, fmt::format("asked for {}, computed in f32: {}", name(asked), why)};
  }
  if (model.accuracy.empty()) return {};
  const Accuracy accuracy = accuracy_from_json(parse_json(model.accuracy, "accuracy"));
  for (const Precision fast : {Precision::int8, Precision::bf16}) {
    // Accuracy is measured with activations of 8 bits; without VNNI they have 7.
    if (fast == Precision::int8 && !instructions.vnni) continue;
    const auto cost = top1_cost(accuracy, std::string(name(fast)));
    if (cost && *cost <= kMostCost && obstacle(model, fast, instructions, emulate).empty()) return {fast, {}};
  }
  return {};
}

}  // namespace alexnet
