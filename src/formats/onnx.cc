#include "formats/onnx.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/onnx_tensor.h"
#include "formats/protobuf.h"

namespace alexnet {
namespace {

// An empty record takes two bytes in a file and some hundred in memory.
constexpr std::size_t kMaxRecords = 1'000'000;
constexpr int kMaxDepth = 16;

// What the exporter of PyTorch notes about a node that is worth keeping: the modules that it came from.
constexpr std::string_view kScopes = "pkg.torch.onnx.name_scopes";

class Reader {
 public:
  Reader(std::shared_ptr<const void> owner, std::string where, std::optional<std::filesystem::path> folder)
      : owner_(std::move(owner)), where_(std::move(where)), external_(std::move(folder)) {}

  OnnxModel model(std::span<const std::byte> file);

 private:
  OnnxGraph graph(ProtobufMessage message, int depth);
  OnnxNode node(ProtobufMessage message, int depth);
  std::pair<std::string, OnnxAttribute> attribute(ProtobufMessage message, const std::string& node, int depth);
  OnnxValue value(ProtobufMessage message);
  void value_type(ProtobufMessage message, OnnxValue& value);
  void value_shape(ProtobufMessage message, OnnxValue& value);
  std::pair<std::string, std::string> entry(ProtobufMessage message);

  void count(const ProtobufMessage& message) {
    if (++records_ > kMaxRecords) message.fail(fmt::format("is one of more than {} records", kMaxRecords));
  }

  std::shared_ptr<const void> owner_;
  std::string where_;
  OnnxExternalData external_;
  std::size_t records_ = 0;
};

std::pair<std::string, std::string> Reader::entry(ProtobufMessage message) {
  count(message);
  std::pair<std::string, std::string> result;
  while (message.next()) {
    switch (message.field()) {
      case 1: result.first = message.text(); break;
      case 2: result.second = message.text(); break;
      default: message.skip();
    }
  }
  return result;
}

void Reader::value_shape(ProtobufMessage message, OnnxValue& value) {
  value.shape.emplace();
  while (message.next()) {
    if (message.field() != 1) {
      message.skip();
      continue;
    }
    auto dimension = message.message("TensorShapeProto.Dimension");
    count(dimension);
    auto& extent = value.shape->emplace_back();
    while (dimension.next()) {
      if (dimension.field() == 1) {
        extent = dimension.integer();
      } else {
        dimension.skip();
      }
    }
  }
}

void Reader::value_type(ProtobufMessage message, OnnxValue& value) {
  while (message.next()) {
    if (message.field() != 1) {  // sequences, maps, optionals
      message.skip();
      continue;
    }
    auto tensor = message.message("TypeProto.Tensor");
    while (tensor.next()) {
      switch (tensor.field()) {
        case 1: value.element_type = tensor.integer(); break;
        case 2: value_shape(tensor.message("TensorShapeProto"), value); break;
        default: tensor.skip();
      }
    }
  }
}

OnnxValue Reader::value(ProtobufMessage message) {
  count(message);
  OnnxValue result;
  while (message.next()) {
    switch (message.field()) {
      case 1: result.name = message.text(); break;
      case 2: value_type(message.message("TypeProto"), result); break;
      default: message.skip();
    }
  }
  return result;
}

// Type numbers are those of AttributeProto.AttributeType. Files of the format's first versions leave the type out: the field that
// is there tells it.
std::pair<std::string, OnnxAttribute> Reader::attribute(ProtobufMessage message, const std::string& node, int depth) {
  count(message);
  enum Type : std::int64_t { kUndefined, kFloat, kInt, kString, kTensor, kGraph, kFloats, kInts, kStrings };
  std::string name;
  std::int64_t type = kUndefined;
  std::int64_t found = kUndefined;
  float f = 0;
  std::int64_t i = 0;
  std::string s;
  std::optional<ProtobufMessage> tensor, graph_message;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::vector<std::string> strings;
  const auto raw_text = [&] {
    const auto bytes = message.bytes();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  while (message.next()) {
    switch (message.field()) {
      case 1: name = message.text(); break;
      case 2: f = message.f32(), found = kFloat; break;
      case 3: i = message.integer(), found = kInt; break;
      case 4: s = raw_text(), found = kString; break;
      case 5: tensor = message.message("TensorProto"), found = kTensor; break;
      case 6: graph_message = message.message("GraphProto"), found = kGraph; break;
      case 7: message.append_to(floats, kMaxRecords), found = kFloats; break;
      case 8: message.append_to(ints, kMaxRecords), found = kInts; break;
      case 9:
        count(message);
        strings.push_back(raw_text()), found = kStrings;
        break;
      case 20: type = message.integer(); break;
      default: message.skip();
    }
  }
  if (type == kUndefined) type = found;
  const auto what = [&] { return fmt::format("attribute {} of node {}", shown(name), shown(node)); };
  // A number that is 0 and a list that is empty may be left out of the file, but nothing else.
  const bool absent = found == kUndefined && type != kTensor && type != kGraph;
  if (found != type && !absent && type <= kStrings)
    message.fail(fmt::format("holds something else than its type says: {}", what()));
  switch (type) {
    case kFloat: return {name, f};
    case kInt: return {name, i};
    case kString: return {name, s};
    case kTensor: return {name, read_onnx_tensor(*tensor, owner_, external_, where_, what()).tensor};
    case kGraph: return {name, std::make_shared<const OnnxGraph>(graph(*graph_message, depth + 1))};
    case kFloats: return {name, floats};
    case kInts: return {name, ints};
    case kStrings: return {name, strings};
    default: return {name, std::monostate{}};
  }
}

OnnxNode Reader::node(ProtobufMessage message, int depth) {
  count(message);
  OnnxNode result;
  std::vector<ProtobufMessage> attributes;  // read last, so that errors can name the node
  while (message.next()) {
    switch (message.field()) {
      case 1:
        count(message);
        result.inputs.push_back(message.text());
        break;
      case 2:
        count(message);
        result.outputs.push_back(message.text());
        break;
      case 3: result.name = message.text(); break;
      case 4: result.op_type = message.text(); break;
      case 5: attributes.push_back(message.message("AttributeProto")); break;
      case 7: result.domain = message.text(); break;
      case 9: {
        auto [key, text] = entry(message.message("StringStringEntryProto"));
        if (key == kScopes) result.metadata[key] = std::move(text);
        break;
      }
      default: message.skip();
    }
  }
  if (result.domain == "ai.onnx") result.domain.clear();
  const auto& known_as = result.name.empty() && !result.outputs.empty() ? result.outputs.front() : result.name;
  for (const auto& each : attributes) {
    auto [name, value] = attribute(each, known_as, depth);
    if (!result.attributes.emplace(name, std::move(value)).second) {
      message.fail(fmt::format("has the attribute {} twice: node {}", shown(name), shown(known_as)));
    }
  }
  return result;
}

OnnxGraph Reader::graph(ProtobufMessage message, int depth) {
  if (depth > kMaxDepth) message.fail(fmt::format("is nested deeper than {}", kMaxDepth));
  OnnxGraph result;
  while (message.next()) {
    switch (message.field()) {
      case 1: result.nodes.push_back(node(message.message("NodeProto"), depth)); break;
      case 2: result.name = message.text(); break;
      case 5: {
        const auto tensor = message.message("TensorProto");
        count(tensor);
        result.initializers.push_back(read_onnx_tensor(tensor, owner_, external_, where_, "an initializer without a name"));
        break;
      }
      case 11: result.inputs.push_back(value(message.message("ValueInfoProto"))); break;
      case 12: result.outputs.push_back(value(message.message("ValueInfoProto"))); break;
      case 15: message.fail("has sparse initializers, which are not read");
      default: message.skip();
    }
  }
  return result;
}

OnnxModel Reader::model(std::span<const std::byte> file) {
  ProtobufMessage message(file, "ModelProto", where_);
  OnnxModel result;
  bool has_graph = false;
  while (message.next()) {
    switch (message.field()) {
      case 1: result.ir_version = message.integer(); break;
      case 2: result.producer = message.text() + result.producer; break;
      case 3: result.producer += " " + message.text(); break;
      case 7:
        if (std::exchange(has_graph, true)) message.fail("has two graphs");
        result.graph = graph(message.message("GraphProto"), 0);
        break;
      case 8: {
        auto opset = message.message("OperatorSetIdProto");
        count(opset);
        std::string domain;
        std::int64_t version = 0;
        while (opset.next()) {
          switch (opset.field()) {
            case 1: domain = opset.text(); break;
            case 2: version = opset.integer(); break;
            default: opset.skip();
          }
        }
        result.opsets[domain == "ai.onnx" ? "" : domain] = version;
        break;
      }
      default: message.skip();
    }
  }
  if (!has_graph) message.fail("has no graph");
  result.external_files = external_.paths();
  return result;
}

}  // namespace

bool looks_like_onnx(std::span<const std::byte> file) {
  static const std::string kNowhere;
  static const std::set<std::uint32_t> kFields{1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25};
  // Every writer puts the fields in order: the format's version comes first.
  if (file.empty() || file.front() != std::byte{0x08}) return false;
  ProtobufMessage message(file, "ModelProto", kNowhere);
  try {
    while (message.next()) {
      if (!kFields.contains(message.field())) return false;
      if (message.field() == 7) return true;
      message.skip();
    }
  } catch (const Error&) {
  }
  return false;
}

OnnxModel read_onnx(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_onnx(file->bytes(), file, path.string(), path.parent_path());
}

OnnxModel read_onnx(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where,
                    const std::optional<std::filesystem::path>& folder) {
  return Reader(std::move(owner), where, folder).model(file);
}

}  // namespace alexnet
