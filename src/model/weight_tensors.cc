#include "model/weight_tensors.h"

#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "model/mask.h"

namespace alexnet {
namespace {

using Tensors = std::map<std::string, Tensor>;
using Problems = std::vector<std::string>;

std::optional<Tensor> take(const std::string& name, Tensors& tensors) {
  auto found = tensors.extract(name);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

// Takes the tensor, and says so unless it has this type and shape; without a shape, any list.
std::optional<Tensor> take(const std::string& name, ElementType type, std::optional<Shape> shape, Tensors& tensors,
                           Problems& problems) {
  auto tensor = take(name, tensors);
  if (!tensor) {
    problems.push_back(fmt::format("{} is missing", shown(name)));
    return std::nullopt;
  }
  const Shape& found = tensor->shape();
  if (tensor->type() == type && (shape ? found == *shape : found.rank() == 1)) return tensor;
  problems.push_back(fmt::format("{} is {} of {}, must be {} of {}", shown(name), to_string(found), alexnet::name(tensor->type()),
                                 shape ? to_string(*shape) : "a list", alexnet::name(type)));
  return std::nullopt;
}

void check_symmetric(const std::string& name, const Tensor& elements, Problems& problems) {
  const auto bytes = elements.bytes();
  if (!bytes.empty() && std::memchr(bytes.data(), 0x80, bytes.size()) != nullptr) {
    problems.push_back(fmt::format("{} has the element -128, beyond the range of -127 to 127", shown(name)));
  }
}

void check_sparse(const std::string& name, const Weight& weight, Problems& problems) {
  const auto bits = set_bits(weight.mask.bytes());
  if (bits != weight.data.shape().elements()) {
    problems.push_back(
        fmt::format("{} has {} elements, the mask wants {}", shown(name + ".values"), weight.data.shape().elements(), bits));
  } else if (!padding_is_zero(weight.mask.bytes(), rows(weight.shape))) {
    problems.push_back(fmt::format("{} has a bit set behind the end of a row", shown(name + ".mask")));
  }
  check_symmetric(name + ".values", weight.data, problems);
}

Weight take_sparse(const NamedParameter& parameter, Tensors& tensors, Problems& problems) {
  const auto& name = parameter.name;
  const Rows all = rows(parameter.shape);
  Weight weight{.shape = parameter.shape, .storage = Storage::int8_sparse, .data = {}, .scale = {}, .mask = {}};
  auto mask = take(name + ".mask", ElementType::u8, Shape{all.count, all.mask_bytes}, tensors, problems);
  auto values = take(name + ".values", ElementType::i8, std::nullopt, tensors, problems);
  auto scale = take(name + ".scale", ElementType::f32, Shape{all.count}, tensors, problems);
  if (!mask || !values || !scale) return weight;
  weight.mask = std::move(*mask);
  weight.data = std::move(*values);
  weight.scale = std::move(*scale);
  check_sparse(name, weight, problems);
  return weight;
}

std::optional<Storage> storage_of(ElementType type) {
  switch (type) {
    case ElementType::f32: return Storage::f32;
    case ElementType::f16: return Storage::f16;
    case ElementType::bf16: return Storage::bf16;
    case ElementType::i8: return Storage::int8;
    default: return std::nullopt;
  }
}

Weight take_dense(const std::string& name, Tensor data, Tensors& tensors, Problems& problems) {
  Weight weight = Weight::of(data);
  const auto storage = storage_of(data.type());
  if (!storage) {
    problems.push_back(fmt::format("{} is stored as {}, must be F32, F16, BF16 or I8", shown(name), alexnet::name(data.type())));
    return weight;
  }
  weight.storage = *storage;
  if (*storage != Storage::int8) return weight;
  if (auto scale = take(name + ".scale", ElementType::f32, Shape{rows(data.shape()).count}, tensors, problems)) {
    weight.scale = std::move(*scale);
  }
  check_symmetric(name, data, problems);
  return weight;
}

}  // namespace

std::vector<NamedTensor> tensors_of(const std::string& name, const Weight& weight) {
  switch (weight.storage) {
    case Storage::f32:
    case Storage::f16:
    case Storage::bf16: break;
    case Storage::int8: return {{name, weight.data}, {name + ".scale", weight.scale}};
    case Storage::int8_sparse:
      return {{name + ".mask", weight.mask}, {name + ".values", weight.data}, {name + ".scale", weight.scale}};
  }
  return {{name, weight.data}};
}

std::optional<Weight> take_weight(const NamedParameter& parameter, Tensors& tensors, Problems& problems) {
  if (auto data = take(parameter.name, tensors)) return take_dense(parameter.name, std::move(*data), tensors, problems);
  for (const char* suffix : {".mask", ".values"}) {
    if (tensors.contains(parameter.name + suffix)) return take_sparse(parameter, tensors, problems);
  }
  return std::nullopt;
}

}  // namespace alexnet
