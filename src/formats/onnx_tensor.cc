#include "formats/onnx_tensor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "base/text.h"

namespace alexnet {
namespace {

constexpr std::array<std::string_view, 27> kTypeNames{
    "no type",        "FLOAT",      "UINT8",          "INT8",   "UINT16", "INT16",      "INT32",      "INT64",    "STRING",
    "BOOL",           "FLOAT16",    "DOUBLE",         "UINT32", "UINT64", "COMPLEX64",  "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN",
    "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4",  "INT4",   "FLOAT4E2M1", "FLOAT8E8M0", "UINT2",    "INT2"};

enum Field : std::uint32_t {
  kDims = 1,
  kDataType = 2,
  kSegment = 3,
  kFloatData = 4,
  kInt32Data = 5,
  kStringData = 6,
  kInt64Data = 7,
  kName = 8,
  kRawData = 9,
  kDoubleData = 10,
  kUint64Data = 11,
  kExternalData = 13,
  kDataLocation = 14,
};

// The field that holds values of this type when they are not raw.
Field typed_field(ElementType type) {
  switch (type) {
    case ElementType::f32: return kFloatData;
    case ElementType::f64: return kDoubleData;
    case ElementType::i64: return kInt64Data;
    case ElementType::u32:
    case ElementType::u64: return kUint64Data;
    case ElementType::i32:
    case ElementType::i16:
    case ElementType::i8:
    case ElementType::u16:
    case ElementType::u8:
    case ElementType::boolean:
    case ElementType::f16:
    case ElementType::bf16: break;
  }
  return kInt32Data;
}

struct External {
  std::string location;
  std::optional<std::uint64_t> offset;
  std::optional<std::uint64_t> length;
};

struct Record {
  std::string name;
  std::vector<std::int64_t> dims;
  std::int64_t type = 0;
  bool is_external = false;
  External external;
  std::optional<std::span<const std::byte>> raw;
  std::uint32_t typed_field = 0;  // the last field of values seen that is not raw
};

std::optional<std::uint64_t> whole_number(const std::string& text) {
  const auto value = parse_integer(text);
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

void read_external_entry(ProtobufMessage entry, External& external) {
  std::string key, value;
  while (entry.next()) {
    switch (entry.field()) {
      case 1: key = entry.text(); break;
      case 2: value = entry.text(); break;
      default: entry.skip();
    }
  }
  if (key == "location") {
    external.location = value;
  } else if (key == "offset" || key == "length") {
    const auto number = whole_number(value);
    if (!number) entry.fail(fmt::format("has the {} {}, which is not a whole number from 0", key, shown(value)));
    (key == "offset" ? external.offset : external.length) = number;
  }
}

Record read_record(ProtobufMessage message) {
  Record record;
  while (message.next()) {
    const auto field = message.field();
    switch (field) {
      case kDims: message.append_to(record.dims, Shape::kMaxRank); break;
      case kDataType: record.type = message.integer(); break;
      case kSegment: message.fail("is in segments, which we do not read");
      case kName: record.name = message.text(); break;
      case kRawData: record.raw = message.bytes(); break;
      case kExternalData: read_external_entry(message.message("StringStringEntryProto"), record.external); break;
      case kDataLocation: record.is_external = message.integer() == 1; break;
      case kFloatData:
      case kInt32Data:
      case kStringData:
      case kInt64Data:
      case kDoubleData:
      case kUint64Data: record.typed_field = field; [[fallthrough]];
      default: message.skip();
    }
  }
  return record;
}

template <typename T>
std::vector<T> collect(ProtobufMessage message, std::uint32_t field, std::size_t most) {
  std::vector<T> values;
  while (message.next()) {
    if (message.field() == field) {
      message.append_to(values, most);
    } else {
      message.skip();
    }
  }
  return values;
}

template <typename T>
void store(const std::vector<T>& values, Tensor& tensor) {
  std::ranges::copy(std::as_bytes(std::span(values)), tensor.mutable_bytes().begin());
}

// 64-bit numbers into elements of fewer bytes; a number that does not fit is damage.
bool store_narrow(const std::vector<std::int64_t>& values, Tensor& tensor) {
  std::byte* at = tensor.mutable_bytes().data();
  const auto put = [&]<typename T>(T) {
    for (const auto value : values) {
      if (!std::in_range<T>(value)) return false;
      const auto narrow = static_cast<T>(value);
      std::memcpy(at, &narrow, sizeof narrow);
      at += sizeof narrow;
    }
    return true;
  };
  switch (tensor.type()) {
    case ElementType::i32: return put(std::int32_t{});
    case ElementType::i16: return put(std::int16_t{});
    case ElementType::i8: return put(std::int8_t{});
    case ElementType::u32: return put(std::uint32_t{});
    case ElementType::u8:
    case ElementType::boolean: return put(std::uint8_t{});
    case ElementType::u16:
    case ElementType::f16:
    case ElementType::bf16: return put(std::uint16_t{});
    case ElementType::f32:
    case ElementType::f64:
    case ElementType::i64:
    case ElementType::u64: break;
  }
  store(values, tensor);
  return true;
}

}  // namespace

std::string onnx_type_name(std::int64_t type) {
  if (type >= 0 && type < std::ssize(kTypeNames)) return std::string(kTypeNames[static_cast<std::size_t>(type)]);
  return fmt::format("type {}", type);
}

std::optional<ElementType> onnx_element_type(std::int64_t type) {
  switch (type) {
    case 1: return ElementType::f32;
    case 2: return ElementType::u8;
    case 3: return ElementType::i8;
    case 4: return ElementType::u16;
    case 5: return ElementType::i16;
    case 6: return ElementType::i32;
    case 7: return ElementType::i64;
    case 9: return ElementType::boolean;
    case 10: return ElementType::f16;
    case 11: return ElementType::f64;
    case 12: return ElementType::u32;
    case 13: return ElementType::u64;
    case 16: return ElementType::bf16;
    default: return std::nullopt;
  }
}

std::shared_ptr<const MappedFile> OnnxExternalData::file(const std::string& location, const std::string& where) {
  if (const auto known = files_.find(location); known != files_.end()) return known->second;
  const auto refuse = [&](std::string_view why) {
    throw Error(ErrorKind::model, where, fmt::format("has tensor data in {}, {}", shown(location), why));
  };
  if (!folder_) refuse("beside the model, which is not in a file");
  const std::filesystem::path relative(location);
  if (location.empty() || location.find('\0') != std::string::npos) refuse("which is not a file name");
  if (relative.is_absolute()) refuse("an absolute path");
  if (std::ranges::find(relative, "..") != relative.end()) refuse("which leaves the model's folder");
  std::error_code error;
  const auto folder = std::filesystem::canonical(folder_->empty() ? "." : *folder_, error);
  if (error) refuse("whose folder can't be read: " + error.message());
  const auto target = std::filesystem::canonical(folder / relative, error);
  if (error) refuse("which can't be read: " + error.message());
  if (std::ranges::mismatch(folder, target).in1 != folder.end()) refuse("a link out of the model's folder");
  return files_[location] = MappedFile::open(target);
}

std::vector<std::filesystem::path> OnnxExternalData::paths() const {
  std::vector<std::filesystem::path> result;
  for (const auto& [location, file] : files_) result.push_back(*folder_ / location);
  return result;
}

NamedTensor read_onnx_tensor(const ProtobufMessage& message, const std::shared_ptr<const void>& owner, OnnxExternalData& external,
                             const std::string& where, const std::string& what) {
  const Record record = read_record(message);
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::model, where, fmt::format("{} {}", record.name.empty() ? what : "tensor " + shown(record.name), why));
  };
  const auto type = onnx_element_type(record.type);
  if (!type) refuse(fmt::format("has elements of {}, which are not read", onnx_type_name(record.type)));
  const auto shape = Shape::make(record.dims);
  if (!shape) refuse(fmt::format("has the impossible shape {}", fmt::join(record.dims, "x")));
  const auto elements = static_cast<std::uint64_t>(shape->elements());
  const auto wanted = checked_multiply(elements, static_cast<std::uint64_t>(size_of(*type)));
  if (!wanted) refuse("has a shape whose byte count overflows");

  const auto require_bytes = [&](std::uint64_t found) {
    if (found != *wanted)
      refuse(fmt::format("has {} bytes, {} of shape {} wants {}", found, name(*type), to_string(*shape), *wanted));
  };

  if (record.is_external) {
    if (record.raw || record.typed_field != 0) refuse("has its data both in the model and beside it");
    if (elements == 0) return {record.name, Tensor::allocate(*type, *shape)};
    const auto file = external.file(record.external.location, where);
    const auto size = static_cast<std::uint64_t>(file->bytes().size());
    const auto offset = record.external.offset.value_or(0);
    require_bytes(record.external.length.value_or(*wanted));
    if (offset > size || *wanted > size - offset) {
      refuse(fmt::format("has {} bytes from {} on in {}, which has {}", *wanted, offset, shown(record.external.location), size));
    }
    return {record.name, Tensor::view_or_copy(*type, *shape, file->bytes().subspan(offset, *wanted), file)};
  }
  if (record.raw) {
    if (record.typed_field != 0) refuse("has its data twice, raw and as numbers");
    require_bytes(record.raw->size());
    return {record.name, Tensor::view_or_copy(*type, *shape, *record.raw, owner)};
  }
  if (record.typed_field != 0 && record.typed_field != typed_field(*type)) {
    refuse(
        fmt::format("of {} has numbers in field {}, {} is wanted", name(*type), record.typed_field, unsigned{typed_field(*type)}));
  }

  // Values in their own field take at least a byte each, so a count that the message has no room for ends here, before memory is
  // taken for it.
  const auto require_count = [&](std::size_t found) {
    if (found != elements) refuse(fmt::format("has {} values, its shape {} wants {}", found, to_string(*shape), elements));
  };
  const auto read_as = [&]<typename T>(T) {
    auto values = collect<T>(message, typed_field(*type), elements);
    require_count(values.size());
    return values;
  };
  switch (typed_field(*type)) {
    case kFloatData: {
      const auto values = read_as(float{});
      Tensor tensor = Tensor::allocate(*type, *shape);
      store(values, tensor);
      return {record.name, tensor};
    }
    case kDoubleData: {
      const auto values = read_as(double{});
      Tensor tensor = Tensor::allocate(*type, *shape);
      store(values, tensor);
      return {record.name, tensor};
    }
    default: {
      const auto values = read_as(std::int64_t{});
      Tensor tensor = Tensor::allocate(*type, *shape);
      if (!store_narrow(values, tensor)) refuse(fmt::format("has a value that is no {}", name(*type)));
      return {record.name, tensor};
    }
  }
}

}  // namespace alexnet
