// Layers as oneDNN primitives. Each function describes the primitive that oneDNN would choose, or returns nothing if it has none;
// no dnnl type leaves this folder. Weights come from `store`, if there is one. They, the prepare() of what they return, and the
// kernels must all run under a ThreadScope of the same number of threads: oneDNN partitions the work when it creates a primitive.
// Errors are of kind resources.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "layers/batch_norm.h"
#include "layers/convolution.h"
#include "layers/lrn.h"
#include "layers/softmax.h"
#include "layers/window.h"
#include "model/weight.h"
#include "runtime/kernel.h"
#include "runtime/prepared.h"
#include "tensor/shape.h"

namespace alexnet {

// True for an implementation without generated code: right, but many times slower.
bool is_reference(const Choice& choice);

// Shapes include the batch, which is part of the primitive. A convolution chooses its layouts unless it is given one for both
// sides; what it reads, its weights and what it makes are f32 or bf16, its sums f32. `stable` in its result: the bits of an image
// depend neither on the threads nor on the other images.
struct ConvolutionChoice {
  Choice choice;
  bool stable = false;
};
std::optional<ConvolutionChoice> onednn_convolution(const Convolution& layer, const Shape& input, const Weight& weight,
                                                    const Weight* bias, bool relu, ElementType type,
                                                    const std::optional<Layout>& layout = std::nullopt,
                                                    const std::shared_ptr<WeightStore>& store = nullptr);

// u8 times s8, summed in 32 bits without rounding: destination = scale * sum + offset for each output channel, as f32 (through a
// ReLU if asked), or rounded to nearest and kept within 0 to `most` as u8. Layouts are channels last. Sums are the same however
// they are split.
struct Int8Constants {
  Tensor weight;  // I8 [out, C / groups, kernel height, kernel width]
  std::vector<float> scale;
  std::vector<float> offset;
};
struct Int8Convolution {
  Layout source;
  Layout destination;
  bool relu = false;
  std::int32_t most = 255;
  std::function<Int8Constants()> constants;      // called by prepare(), unless its result is in the store
  std::function<void(Fingerprint&)> add_to_key;  // all that it depends on
};
std::optional<Choice> onednn_int8_convolution(const Convolution& layer, const Shape& input, const Int8Convolution& wanted,
                                              const std::shared_ptr<WeightStore>& store = nullptr);

std::optional<Choice> onednn_lrn(const Lrn& layer, const Shape& input, const Layout& layout);

struct Pooling {
  enum class Kind { max, average_of_present, average_with_padding };
  Kind kind = Kind::max;
  Window window;  // its rounding is not looked at: `output` says how many windows there are
  Extent2 output{};
};
std::optional<Choice> onednn_pooling(const Pooling& pooling, const Shape& input, const Layout& layout);

std::optional<Choice> onednn_softmax(const Softmax& layer, const Shape& input, const Layout& layout);

struct BatchNormWeights {
  const Weight* mean = nullptr;
  const Weight* variance = nullptr;
  const Weight* scale = nullptr;   // may be null
  const Weight* offset = nullptr;  // may be null
};
std::optional<Choice> onednn_batch_norm(const BatchNorm& layer, const Shape& input, const Layout& layout,
                                        const BatchNormWeights& weights, bool relu);

// Moves elements from one layout to another, converting their type: not from f32 to u8.
std::optional<Choice> onednn_reorder(const Shape& shape, const Layout& source, const Layout& destination);

}  // namespace alexnet
