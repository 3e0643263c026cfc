#include "formats/caffe.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/protobuf.h"

namespace alexnet {
namespace {

// An empty record takes two bytes in a file and some hundred in memory.
constexpr std::size_t kMaxRecords = 100'000;

// Field numbers of caffe.proto.
enum NetParameter : std::uint32_t { kLayersV1 = 2, kLayers = 100 };
struct LayerFields {
  std::uint32_t name;
  std::uint32_t blobs;
  std::uint32_t v0;  // a field that only networks of the generation V0 have; 0 for none
};
constexpr LayerFields kV1{.name = 4, .blobs = 6, .v0 = 1};
constexpr LayerFields kV2{.name = 1, .blobs = 7, .v0 = 0};

enum BlobField : std::uint32_t { kNum = 1, kChannels, kHeight, kWidth, kData, kDiff, kShape, kDoubleData };

struct BlobRecord {
  std::array<std::optional<std::int64_t>, 4> legacy;
  std::vector<std::int64_t> dims;
  bool has_doubles = false;
};

BlobRecord read_record(ProtobufMessage message) {
  BlobRecord record;
  while (message.next()) {
    switch (message.field()) {
      case kNum:
      case kChannels:
      case kHeight:
      case kWidth: {
        const auto axis = message.field() - kNum;
        record.legacy[axis] = message.integer();
        break;
      }
      case kShape: {
        auto shape = message.message("BlobShape");
        while (shape.next()) {
          if (shape.field() == 1) {
            shape.append_to(record.dims, Shape::kMaxRank);
          } else {
            shape.skip();
          }
        }
        break;
      }
      case kDoubleData: record.has_doubles = true; [[fallthrough]];
      default: message.skip();
    }
  }
  // Caffe's rule: any of the four old extents makes all four the shape; those left out are 0.
  if (std::ranges::any_of(record.legacy, [](const auto& extent) { return extent.has_value(); })) {
    record.dims.clear();
    for (const auto& extent : record.legacy) record.dims.push_back(extent.value_or(0));
  }
  return record;
}

// The values of a blob's field as one tensor: in place when they are packed in one piece, as every writer does.
template <typename T>
Tensor read_values(ProtobufMessage message, std::uint32_t field, const Shape& shape, const std::shared_ptr<const void>& owner) {
  const auto elements = static_cast<std::size_t>(shape.elements());
  std::optional<std::span<const std::byte>> whole;
  for (auto scan = message; scan.next();) {
    if (scan.field() == field && scan.packed()) {
      const auto bytes = scan.bytes();
      if (bytes.size() / sizeof(T) == elements && bytes.size() % sizeof(T) == 0) whole = bytes;
    } else {
      scan.skip();
    }
  }
  if (whole) return Tensor::view_or_copy(*kElementTypeOf<T>, shape, *whole, owner);
  std::vector<T> values;
  while (message.next()) {
    if (message.field() == field) {
      message.append_to(values, elements);
    } else {
      message.skip();
    }
  }
  if (values.size() != elements) {
    message.fail(fmt::format("has {} values, its shape {} wants {}", values.size(), to_string(shape), elements));
  }
  return Tensor::of<T>(shape, values);
}

Tensor read_blob(const ProtobufMessage& message, const std::shared_ptr<const void>& owner) {
  const auto record = read_record(message);
  const auto shape = Shape::make(record.dims);
  if (!shape) message.fail(fmt::format("has the impossible shape {}", fmt::join(record.dims, "x")));
  return record.has_doubles ? read_values<double>(message, kDoubleData, *shape, owner)
                            : read_values<float>(message, kData, *shape, owner);
}

CaffeBlobs read_layer(ProtobufMessage message, const LayerFields& fields, const std::shared_ptr<const void>& owner,
                      const std::string& where) {
  CaffeBlobs result;
  std::vector<ProtobufMessage> blobs;  // read last, so that errors can name the layer
  while (message.next()) {
    const auto field = message.field();
    if (field == fields.name) {
      result.layer = message.text();
    } else if (field == fields.blobs) {
      if (blobs.size() == kMaxRecords) message.fail(fmt::format("has more than {} blobs", kMaxRecords));
      blobs.push_back(message.message("BlobProto"));
    } else if (field == fields.v0) {
      throw Error(ErrorKind::model, where, "is a network of Caffe's generation V0, which is not read",
                  "Caffe's tools upgrade_net_proto_binary and upgrade_net_proto_text bring it up to date");
    } else {
      message.skip();
    }
  }
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    try {
      result.blobs.push_back(read_blob(blobs[i], owner));
    } catch (const Error& error) {
      throw Error(error.kind(), where, fmt::format("layer {}, blob {}: {}", shown(result.layer), i, error.message()));
    }
  }
  return result;
}

}  // namespace

bool looks_like_caffemodel(std::span<const std::byte> file) {
  static const std::string kNowhere;
  ProtobufMessage message(file, "NetParameter", kNowhere);
  try {
    while (message.next()) {
      const auto field = message.field();
      if (field == kLayersV1 || field == kLayers) return message.packed();
      if (field > 8 || (field == 1 && !message.packed())) return false;
      message.skip();
    }
  } catch (const Error&) {
  }
  return false;
}

std::vector<CaffeBlobs> read_caffemodel(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_caffemodel(file->bytes(), file, path.string());
}

std::vector<CaffeBlobs> read_caffemodel(std::span<const std::byte> file, std::shared_ptr<const void> owner,
                                        const std::string& where) {
  std::vector<CaffeBlobs> result;
  std::uint32_t generation = 0;
  std::size_t layers = 0;
  ProtobufMessage message(file, "NetParameter", where);
  while (message.next()) {
    const auto field = message.field();
    if (field != kLayersV1 && field != kLayers) {
      message.skip();
      continue;
    }
    if (generation != 0 && generation != field) message.fail("mixes `layer` and `layers`, two generations of the format");
    generation = field;
    if (++layers > kMaxRecords) message.fail(fmt::format("has more than {} layers", kMaxRecords));
    auto layer = field == kLayers ? read_layer(message.message("LayerParameter"), kV2, owner, where)
                                  : read_layer(message.message("V1LayerParameter"), kV1, owner, where);
    if (!layer.blobs.empty()) result.push_back(std::move(layer));
  }
  if (result.empty()) message.fail("has no layer with weights");
  return result;
}

Tensor read_binaryproto(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_binaryproto(file->bytes(), file, path.string());
}

Tensor read_binaryproto(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where) {
  const ProtobufMessage message(file, "BlobProto", where);
  const Tensor blob = read_blob(message, owner);
  const auto extents = blob.shape().extents();
  const auto ones = std::ranges::find_if(extents, [](auto extent) { return extent != 1; });
  const auto leading = std::min<std::ptrdiff_t>(ones - extents.begin(), std::ssize(extents) - 3);
  if (std::ssize(extents) < 3 || std::ssize(extents) - leading != 3 || blob.shape().elements() == 0) {
    message.fail(fmt::format("is no picture: its shape is {}", to_string(blob.shape())));
  }
  return widened(blob).reshaped(Shape(extents.subspan(static_cast<std::size_t>(leading))));
}

}  // namespace alexnet
