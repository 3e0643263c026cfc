#include <utility>

#include "runtime/lower_int8.h"
#include "runtime/lower_layers.h"
#include "runtime/onednn/primitives.h"
#include "runtime/openmp.h"
#include "runtime/own_kernels.h"
#include "runtime/winograd.h"

namespace alexnet {
namespace {

// The same, whatever the number of threads around it. It must have been described under a ThreadScope of one.
Choice on_one_thread(Choice choice) {
  choice.prepare = [prepare = std::move(choice.prepare)]() -> Kernel {
    const ThreadScope at_creation(1);
    return [kernel = prepare()]() -> Run {
      return [run = kernel()](const StepMemory& at) {
        const ThreadScope at_run(1);
        run(at);
      };
    };
  };
  return choice;
}

}  // namespace

std::uint64_t multiply_adds(const ProgramBuilder& at, const Shape& output) {
  return static_cast<std::uint64_t>(output.elements()) *
         static_cast<std::uint64_t>(at.weight("weight").shape.elements() / output[1]);
}

void lower_convolution(ProgramBuilder& at, const Convolution& layer) {
  if (lower_int8_convolution(at, layer)) return;
  const Node* relu = at.following_relu();
  const Weight* bias = at.optional_weight(layer.bias, "bias");
  const Shape in = at.shape(at.source());
  const Shape out = output_shape(at.node().layer, std::span(&in, 1));
  const auto macs = multiply_adds(at, out);
  const ElementType type = at.options().precision == Precision::bf16 ? ElementType::bf16 : ElementType::f32;
  if (at.options().winograd && type == ElementType::f32) {
    auto own = own_winograd(layer, in, at.f32_layout(), at.weight("weight"), bias, relu != nullptr, kSlice, at.instructions().simd,
                            at.prepared());
    if (own) return at.compute(std::move(*own), relu, macs);
  }
  const auto describe = [&](const Convolution& what, const Shape& input, const std::optional<Layout>& layout = std::nullopt) {
    return onednn_convolution(what, input, at.weight("weight"), bias, relu != nullptr, type, layout, at.prepared());
  };
  const auto good = [](const auto& found) { return found && found->stable && !is_reference(found->choice); };
  auto best = describe(layer, in);
  if (!good(best)) {
    auto other = describe(layer, in, Layout{.type = type, .order = Order::channels_last});
    if (good(other)) best = std::move(other);
  }
  if (!good(best) && layer.padding != Padding4{}) {
    // Some kernels do not take every padding, but take an input that has it already.
    const auto [top, left, bottom, right] = layer.padding;
    const Shape padded{1, in[1], top + in[2] + bottom, left + in[3] + right};
    Convolution bare = layer;
    bare.padding = {};
    auto other = describe(bare, padded);
    if (good(other)) {
      other->choice.note = "on an input padded beforehand, for a kernel that does not take this padding";
      const auto from = at.add("padding", own_pad(layer.padding, in), {at.in_layout(at.source(), kPlain)}, padded.without_batch());
      return at.compute_from(from, std::move(other->choice), relu, macs);
    }
  }
  if (!best) return at.reference();
  if (!best->stable) {
    const ThreadScope one(1);
    best = describe(layer, in);
    best->choice = on_one_thread(std::move(best->choice));
    best->choice.note = "on one thread: its sums would depend on the number of threads";
  }
  at.compute(std::move(best->choice), relu, macs);
}

}  // namespace alexnet
