#include <algorithm>
#include <array>

#include "formats/pytorch_file.h"

namespace alexnet {
namespace {

constexpr std::array<PytorchType, 28> kTypes{{
    {"DoubleStorage", "float64", 8, ElementType::f64},
    {"FloatStorage", "float32", 4, ElementType::f32},
    {"HalfStorage", "float16", 2, ElementType::f16},
    {"BFloat16Storage", "bfloat16", 2, ElementType::bf16},
    {"LongStorage", "int64", 8, ElementType::i64},
    {"IntStorage", "int32", 4, ElementType::i32},
    {"ShortStorage", "int16", 2, ElementType::i16},
    {"CharStorage", "int8", 1, ElementType::i8},
    {"ByteStorage", "uint8", 1, ElementType::u8},
    {"BoolStorage", "bool", 1, ElementType::boolean},
    {"", "uint16", 2, ElementType::u16},
    {"", "uint32", 4, ElementType::u32},
    {"", "uint64", 8, ElementType::u64},
    {"UntypedStorage", "", 1, std::nullopt},
    {"ComplexFloatStorage", "complex64", 8, std::nullopt},
    {"ComplexDoubleStorage", "complex128", 16, std::nullopt},
    {"", "complex32", 4, std::nullopt},
    {"QInt8Storage", "qint8", 1, std::nullopt},
    {"QUInt8Storage", "quint8", 1, std::nullopt},
    {"QInt32Storage", "qint32", 4, std::nullopt},
    {"QUInt4x2Storage", "quint4x2", 1, std::nullopt},
    {"QUInt2x4Storage", "quint2x4", 1, std::nullopt},
    {"", "float8_e4m3fn", 1, std::nullopt},
    {"", "float8_e4m3fnuz", 1, std::nullopt},
    {"", "float8_e5m2", 1, std::nullopt},
    {"", "float8_e5m2fnuz", 1, std::nullopt},
    {"", "float8_e8m0fnu", 1, std::nullopt},
    {"", "float4_e2m1fn_x2", 1, std::nullopt},
}};

const PytorchType* find(std::string_view PytorchType::*field, std::string_view name) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const PytorchType& type) { return type.*field == name; });
  return name.empty() || found == kTypes.end() ? nullptr : &*found;
}

}  // namespace

const PytorchType* storage_type_named(std::string_view storage) { return find(&PytorchType::storage, storage); }
const PytorchType* dtype_named(std::string_view dtype) { return find(&PytorchType::dtype, dtype); }

}  // namespace alexnet
