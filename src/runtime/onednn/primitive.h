// What the primitive families share: the engine, layouts as memory descriptors, errors, and primitives as kernels.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <dnnl.hpp>

#include "alexnet/error.h"
#include "base/fingerprint.h"
#include "layers/convolution.h"
#include "runtime/kernel.h"
#include "tensor/tensor.h"

namespace alexnet::onednn {

const dnnl::engine& engine();

dnnl::memory::data_type data_type(ElementType type);
dnnl::memory::desc descriptor(const Shape& shape, const Layout& layout);
// The layout that a descriptor of this shape describes, if it is one of ours.
std::optional<Layout> layout_of(const dnnl::memory::desc& descriptor, const Shape& shape);

// Attributes that every primitive of ours is created with: scratch comes from the arena.
dnnl::primitive_attr attributes(bool relu = false);

// A constant argument of a primitive, kept alive by the kernel. `memory` looks at the tensor.
struct Constant {
  int argument;
  dnnl::memory memory;
  Tensor tensor;
};
Constant constant(int argument, const Tensor& bytes, const dnnl::memory::desc& description);

// The bytes of `tensor` in the layout that a primitive wants, as I8.
Tensor reordered(const Tensor& tensor, const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted);

inline Shape bytes_of(const dnnl::memory::desc& description) { return {static_cast<std::int64_t>(description.get_size())}; }

// Begins the key of a convolution's weights in the layout that this primitive wants, `weights`. That may hold more than can be
// asked for, so that the layer, the primitive and the number of threads, at which oneDNN looks when it chooses, are part of the
// key, too.
Fingerprint weights_key(const Convolution& layer, const Shape& input, const Choice& choice, const dnnl::memory::desc& weights);

// Runs calls to oneDNN, turning its exceptions into Error.
template <typename Call>
auto guarded(Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (const dnnl::error& error) {
    throw Error(ErrorKind::resources, "oneDNN", error.what());
  }
}

// A primitive with its constants as a kernel of one source and one destination.
template <typename Primitive>
Kernel kernel(const typename Primitive::primitive_desc& description, std::vector<Constant> constants);

// The part of kernel() that does not depend on the family.
struct Arguments {
  dnnl::memory::desc source;
  dnnl::memory::desc destination;
  dnnl::memory::desc scratch;
  std::vector<Constant> constants;
};
Kernel kernel_of(dnnl::primitive primitive, Arguments arguments);

template <typename Primitive>
Kernel kernel(const typename Primitive::primitive_desc& description, std::vector<Constant> constants) {
  return kernel_of(Primitive(description), {.source = description.src_desc(),
                                            .destination = description.dst_desc(),
                                            .scratch = description.scratchpad_desc(),
                                            .constants = std::move(constants)});
}

// What every family's description tells in the same way; `prepare` is the caller's to add.
template <typename Description>
Choice described(const Description& description, const Layout& source, const Layout& destination) {
  return {.implementation = description.impl_info_str(),
          .source = source,
          .destination = destination,
          .scratch_bytes = description.scratchpad_desc().get_size(),
          .weight_bytes = 0,
          .created_bytes = 0,
          .any_rows = false};
}

}  // namespace alexnet::onednn
