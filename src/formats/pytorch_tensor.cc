#include "formats/pytorch_tensor.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "base/text.h"
#include "formats/zip.h"

namespace alexnet {
namespace {

constexpr std::uint64_t kFreeCopies = 64u << 20;
constexpr int kMaxWrappers = 8;

// A tensor as its pickle describes it.
struct Layout {
  PytorchStorageId storage;
  ElementType type = ElementType::f32;
  std::uint64_t offset = 0;  // elements, like the strides
  Shape shape;
  std::array<std::uint64_t, Shape::kMaxRank> strides{};
};

class LayoutReader {
 public:
  LayoutReader(const PytorchFile& file, const std::string& name) : pickle_(file.pickle), where_(file.where), name_(name) {}

  // Follows _rebuild_parameter and _rebuild_from_type_v2 to the call that says where the values are.
  Layout read(PickleRef node) const {
    const auto* call = pickle_.get<PickleCall>(node);
    if (call == nullptr) refuse("is no tensor");
    PickleRef function = call->function;
    PickleRef arguments = call->arguments;
    for (int depth = 0; depth < kMaxWrappers; ++depth) {
      const auto* global = pickle_.get<PickleGlobal>(function);
      const auto* tuple = pickle_.get<PickleTuple>(arguments);
      if (global == nullptr || tuple == nullptr) refuse("is rebuilt in an unknown way");
      const auto& items = tuple->items;
      if (global->name == "_rebuild_qtensor") refuse("is quantised, which is not supported", "save the model before quantisation");
      if (global->name == "_rebuild_sparse_tensor") refuse("is sparse, which is not supported", "save tensor.to_dense()");
      if (global->name == "_rebuild_parameter" || global->name == "_rebuild_parameter_with_state") {
        const auto* inner = items.empty() ? nullptr : pickle_.get<PickleCall>(items[0]);
        if (inner == nullptr) refuse("is a parameter without a tensor");
        function = inner->function;
        arguments = inner->arguments;
      } else if (global->name == "_rebuild_from_type_v2") {
        if (items.size() < 3) refuse("is rebuilt in an unknown way");
        function = items[0];
        arguments = items[2];
      } else {
        return plain(*global, items);
      }
    }
    refuse("is wrapped too often");
  }

 private:
  [[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) const {
    throw Error(ErrorKind::model, where_, fmt::format("tensor {} {}", shown(name_), message), hint);
  }

  // (storage, offset, size, stride[, requires_grad, hooks[, dtype (v3)][, metadata]])
  Layout plain(const PickleGlobal& function, const std::vector<PickleRef>& items) const {
    const bool with_dtype = function.name == "_rebuild_tensor_v3";
    const std::size_t metadata = with_dtype ? 7 : 6;
    if (function.name != "_rebuild_tensor" && function.name != "_rebuild_tensor_v2" && !with_dtype) {
      refuse(fmt::format("is rebuilt by {}, which is not supported", shown(function)));
    }
    const auto* persistent = items.size() < (with_dtype ? 7u : 4u) ? nullptr : pickle_.get<PicklePersistent>(items[0]);
    const auto* offset = persistent == nullptr ? nullptr : pickle_.get<std::int64_t>(items[1]);
    if (offset == nullptr || *offset < 0) refuse("has an offset or storage that is none");
    Layout layout{
        .storage = read_storage_id(pickle_, *persistent, where_), .offset = static_cast<std::uint64_t>(*offset), .shape = {}};
    layout.type = with_dtype ? read_dtype(items[6]) : element_type(*layout.storage.type);
    read_extents(items[2], items[3], layout);
    if (items.size() > metadata) check_metadata(items[metadata]);
    return layout;
  }

  ElementType element_type(const PytorchType& type) const {
    if (type.type) return *type.type;
    if (type.dtype.starts_with('q')) refuse(fmt::format("is quantised ({}), which is not supported", type.dtype));
    refuse(fmt::format("has the dtype {}, which is not supported", type.dtype.empty() ? "of an untyped storage" : type.dtype));
  }
  ElementType read_dtype(PickleRef node) const {
    const auto* global = pickle_.get<PickleGlobal>(node);
    const auto* type = global == nullptr || global->module != "torch" ? nullptr : dtype_named(global->name);
    if (type == nullptr) refuse(fmt::format("has the unknown dtype {}", global == nullptr ? "''" : shown(*global)));
    return element_type(*type);
  }

  // A tuple of numbers, or a call of torch.Size with one.
  std::vector<std::int64_t> numbers(PickleRef node) const {
    if (const auto* call = pickle_.get<PickleCall>(node); call != nullptr && pickle_.is_global(call->function, "torch", "Size")) {
      const auto* arguments = pickle_.get<PickleTuple>(call->arguments);
      node = arguments != nullptr && arguments->items.size() == 1 ? arguments->items[0] : kNoPickle;
    }
    const auto* tuple = pickle_.get<PickleTuple>(node);
    if (tuple == nullptr) refuse("has a size or stride that is no tuple");
    if (tuple->items.size() > Shape::kMaxRank) {
      refuse(fmt::format("has {} dimensions, more than {}", tuple->items.size(), Shape::kMaxRank));
    }
    std::vector<std::int64_t> values;
    for (const auto item : tuple->items) {
      const auto* value = pickle_.get<std::int64_t>(item);
      if (value == nullptr || *value < 0) refuse("has a size or stride that is no whole number from 0");
      values.push_back(*value);
    }
    return values;
  }
  void read_extents(PickleRef sizes, PickleRef strides, Layout& layout) const {
    const auto extents = numbers(sizes);
    const auto steps = numbers(strides);
    if (extents.size() != steps.size()) refuse(fmt::format("has {} sizes, but {} strides", extents.size(), steps.size()));
    const auto shape = Shape::make(extents);
    if (!shape) refuse("has a shape whose product overflows");
    layout.shape = *shape;
    std::copy(steps.begin(), steps.end(), layout.strides.begin());
  }

  // {'neg': True} and {'conj': True} change what the values mean.
  void check_metadata(PickleRef node) const {
    const auto* dict = pickle_.get<PickleDict>(node);
    if (dict == nullptr) return;
    for (const auto& [key, value] : dict->items) {
      const auto* text = pickle_.get<PickleText>(key);
      const auto* on = pickle_.get<bool>(value);
      if (text == nullptr || on == nullptr || !*on) continue;
      refuse(fmt::format("has the {} bit set, which is not supported", shown(text->value)),
             "save tensor.resolve_neg().resolve_conj()");
    }
  }

  const Pickle& pickle_;
  const std::string& where_;
  const std::string& name_;
};

// The number of elements from the storage's start to the tensor's last one; nothing if that overflows.
std::optional<std::uint64_t> extent(const Layout& layout) {
  if (layout.shape.elements() == 0) return layout.offset;
  std::optional<std::uint64_t> last = layout.offset;
  for (std::size_t axis = 0; last && axis < layout.shape.rank(); ++axis) {
    const auto steps = checked_multiply(static_cast<std::uint64_t>(layout.shape[axis] - 1), layout.strides[axis]);
    last = steps ? checked_add(*last, *steps) : std::nullopt;
  }
  return last ? checked_add<std::uint64_t>(*last, 1) : std::nullopt;
}

bool is_contiguous(const Layout& layout) {
  std::uint64_t wanted = 1;
  for (std::size_t axis = layout.shape.rank(); axis-- > 0;) {
    if (layout.shape[axis] != 1 && layout.strides[axis] != wanted) return false;
    wanted *= static_cast<std::uint64_t>(layout.shape[axis]);
  }
  return true;
}

Tensor gathered(const Layout& layout, std::span<const std::byte> bytes) {
  Tensor tensor = Tensor::allocate(layout.type, layout.shape);
  const std::size_t size = size_of(layout.type);
  const auto rank = layout.shape.rank();
  std::array<std::int64_t, Shape::kMaxRank> index{};
  std::uint64_t src = 0;
  std::byte* dst = tensor.mutable_bytes().data();
  for (std::int64_t i = 0; i < layout.shape.elements(); ++i, dst += size) {
    std::copy_n(bytes.data() + src * size, size, dst);
    for (std::size_t axis = rank; axis-- > 0;) {
      src += layout.strides[axis];
      if (++index[axis] < layout.shape[axis]) break;
      src -= layout.strides[axis] * static_cast<std::uint64_t>(layout.shape[axis]);
      index[axis] = 0;
    }
  }
  return tensor;
}

}  // namespace

bool is_pytorch_tensor(const Pickle& pickle, PickleRef node) {
  const auto* call = pickle.get<PickleCall>(node);
  const auto* function = call == nullptr ? nullptr : pickle.get<PickleGlobal>(call->function);
  return function != nullptr && (function->module == "torch._utils" || function->module == "torch._tensor");
}

PytorchTensorReader::PytorchTensorReader(const PytorchFile& file) : file_(file), copyable_(kFreeCopies + 4 * file.bytes.size()) {}

Tensor PytorchTensorReader::read(PickleRef node, const std::string& name) {
  const auto layout = LayoutReader(file_, name).read(node);
  const auto refuse = [&](const std::string& message) {
    throw Error(ErrorKind::model, file_.where, fmt::format("tensor {} {}", shown(name), message));
  };
  const auto key = shown(layout.storage.key);
  const auto storage = file_.storages.find(layout.storage.key);
  if (storage == file_.storages.end()) refuse(fmt::format("lies in storage {}, which is not in the file", key));
  const auto bytes = storage->second.bytes;
  const auto announced = checked_multiply<std::uint64_t>(layout.storage.elements, layout.storage.type->element_bytes);
  if (announced != bytes.size()) {
    refuse(fmt::format("lies in storage {} of {} elements of {} bytes, which has {} bytes", key, layout.storage.elements,
                       layout.storage.type->element_bytes, bytes.size()));
  }
  if (storage->second.crc && !std::exchange(checked_[storage->first], true)) {
    check_crc({.name = "data/" + storage->first, .crc = *storage->second.crc, .size = bytes.size(), .data = bytes}, file_.where);
  }
  // In bytes from here on: an untyped storage has no elements.
  const std::size_t size = size_of(layout.type);
  const auto begin = layout.storage.view_offset * layout.storage.type->element_bytes;
  const auto part = bytes.subspan(begin, layout.storage.view_elements * layout.storage.type->element_bytes);
  const auto wanted = extent(layout);
  if (!wanted || *wanted > part.size() / size) {
    refuse(
        fmt::format("of shape {} leads outside its storage {} of {} elements", to_string(layout.shape), key, part.size() / size));
  }
  const auto count = static_cast<std::uint64_t>(layout.shape.elements());
  const auto from = part.subspan(layout.offset * size);
  const bool contiguous = is_contiguous(layout) || count == 0;
  if (contiguous && reinterpret_cast<std::uintptr_t>(from.data()) % size == 0) {
    return Tensor::view(layout.type, layout.shape, from.first(count * size), file_.owner);
  }
  const auto copied = checked_multiply<std::uint64_t>(count, size);
  if (!copied || *copied > copyable_)
    refuse(fmt::format("of shape {} would take more memory than its file", to_string(layout.shape)));
  copyable_ -= *copied;
  return contiguous ? Tensor::view_or_copy(layout.type, layout.shape, from.first(count * size), file_.owner)
                    : gathered(layout, from);
}

}  // namespace alexnet
