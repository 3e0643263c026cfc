#include "runtime/onednn/primitive.h"

#include <algorithm>
#include <array>

#include "runtime/onednn/primitives.h"
#include "runtime/openmp.h"

namespace alexnet {

bool is_reference(const Choice& choice) { return choice.implementation.starts_with("ref"); }

namespace onednn {
namespace {

using dnnl::memory;

memory::dims dims_of(const Shape& shape) { return {shape.extents().begin(), shape.extents().end()}; }

// Everything that one session needs to execute a primitive: memory objects whose addresses change from run to run.
struct Execution {
  dnnl::primitive primitive;
  dnnl::stream stream;
  memory source;
  memory destination;
  memory scratch;
  std::vector<Constant> constants;
  std::vector<dnnl_exec_arg_t> arguments;

  Execution(const dnnl::primitive& wanted, const Arguments& wanted_arguments)
      : primitive(wanted),
        stream(engine()),
        source(wanted_arguments.source, engine(), nullptr),
        destination(wanted_arguments.destination, engine(), nullptr),
        scratch(wanted_arguments.scratch, engine(), nullptr),
        constants(wanted_arguments.constants),
        arguments{{DNNL_ARG_SRC, source.get()}, {DNNL_ARG_DST, destination.get()}, {DNNL_ARG_SCRATCHPAD, scratch.get()}} {
    for (const auto& constant : constants) arguments.push_back({constant.argument, constant.memory.get()});
  }

  // The C interface: the C++ one builds a hash map for every call.
  void run(const StepMemory& at) {
    source.set_data_handle(const_cast<std::byte*>(at.sources[0]));
    destination.set_data_handle(at.destination);
    scratch.set_data_handle(at.scratch);
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive.get(), stream.get(), static_cast<int>(arguments.size()), arguments.data()),
        "could not execute a primitive");
    dnnl::error::wrap_c_api(dnnl_stream_wait(stream.get()), "could not wait for a primitive");
  }
};

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

memory::data_type data_type(ElementType type) {
  switch (type) {
    case ElementType::f32: return memory::data_type::f32;
    case ElementType::f16: return memory::data_type::f16;
    case ElementType::bf16: return memory::data_type::bf16;
    case ElementType::i32: return memory::data_type::s32;
    case ElementType::i8: return memory::data_type::s8;
    case ElementType::u8: return memory::data_type::u8;
    case ElementType::f64:
    case ElementType::i64:
    case ElementType::i16:
    case ElementType::u64:
    case ElementType::u32:
    case ElementType::u16:
    case ElementType::boolean: break;
  }
  throw Error(ErrorKind::model, "", "oneDNN has no such element type");
}

memory::desc descriptor(const Shape& shape, const Layout& layout) {
  const auto type = data_type(layout.type);
  if (layout.order == Order::plain) {
    memory::dims strides(shape.rank(), 1);
    for (std::size_t axis = shape.rank(); axis-- > 1;) strides[axis - 1] = strides[axis] * std::max<std::int64_t>(shape[axis], 1);
    return {dims_of(shape), type, strides};
  }
  const auto tag = layout.order == Order::channels_last ? memory::format_tag::nhwc
                   : layout.block == 4                  ? memory::format_tag::nChw4c
                   : layout.block == 8                  ? memory::format_tag::nChw8c
                                                        : memory::format_tag::nChw16c;
  return {dims_of(shape), type, tag};
}

std::optional<Layout> layout_of(const memory::desc& wanted, const Shape& shape) {
  for (const auto type : {ElementType::f32, ElementType::bf16, ElementType::u8, ElementType::i8, ElementType::i32}) {
    if (data_type(type) != wanted.get_data_type()) continue;
    for (const Layout& layout :
         {Layout{type, Order::plain, 1}, Layout{type, Order::channels_last, 1}, Layout{type, Order::blocked, 4},
          Layout{type, Order::blocked, 8}, Layout{type, Order::blocked, 16}}) {
      if (layout.order != Order::plain && shape.rank() != 4) continue;
      if (descriptor(shape, layout) == wanted) return layout;
    }
  }
  return std::nullopt;
}

dnnl::primitive_attr attributes(bool relu) {
  dnnl::primitive_attr result;
  result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (relu) {
    dnnl::post_ops operations;
    operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
    result.set_post_ops(operations);
  }
  return result;
}

Constant constant(int argument, const Tensor& bytes, const memory::desc& description) {
  return {argument, memory(description, engine(), const_cast<std::byte*>(bytes.bytes().data())), bytes};
}

Tensor reordered(const Tensor& tensor, const memory::desc& plain, const memory::desc& wanted) {
  Tensor result = Tensor::allocate(ElementType::i8, bytes_of(wanted));
  memory source(plain, engine(), const_cast<std::byte*>(tensor.bytes().data()));
  memory destination(wanted, engine(), result.mutable_bytes().data());
  dnnl::stream stream(engine());
  dnnl::reorder(source, destination).execute(stream, source, destination);
  stream.wait();
  return result;
}

Fingerprint weights_key(const Convolution& layer, const Shape& input, const Choice& choice, const memory::desc& weights) {
  Fingerprint key;
  for (const auto& numbers : {weights.get_padded_dims(), weights.get_strides(), weights.get_inner_blks(), weights.get_inner_idxs()})
    key.add(std::as_bytes(std::span(numbers)));
  key.add("convolution").add(choice.implementation).add(std::as_bytes(std::span(input.extents())));
  key.add(layer.out_channels).add(layer.groups).add(layer.bias);
  for (const auto& pair : {layer.kernel, layer.stride, layer.dilation}) key.add(pair[0]).add(pair[1]);
  for (const auto side : layer.padding) key.add(side);
  for (const Layout& layout : {choice.source, choice.destination})
    key.add(to_string(layout, input.rank())).add(name(layout.type)).add(layout.scale);
  return key.add(region_threads());
}

Kernel kernel_of(dnnl::primitive primitive, Arguments arguments) {
  const auto shared = std::make_shared<const Arguments>(std::move(arguments));
  return [primitive = std::move(primitive), shared]() -> Run {
    const auto execution = guarded([&] { return std::make_shared<Execution>(primitive, *shared); });
    return [execution](const StepMemory& at) { guarded([&] { execution->run(at); }); };
  };
}

}  // namespace onednn
}  // namespace alexnet
