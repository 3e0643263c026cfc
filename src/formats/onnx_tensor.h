// ONNX's TensorProto, and the files beside a model in which its data may lie.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/protobuf.h"
#include "tensor/tensor.h"

namespace alexnet {

// The name of a TensorProto.DataType: "FLOAT16"; "type 99" for a number that ONNX does not define.
std::string onnx_type_name(std::int64_t type);

// The element type for a TensorProto.DataType; nothing for those that we have none for.
std::optional<ElementType> onnx_element_type(std::int64_t type);

// The folder beside a model whose files hold tensor data.
class OnnxExternalData {
 public:
  explicit OnnxExternalData(std::optional<std::filesystem::path> folder) : folder_(std::move(folder)) {}

  // Maps the file that a tensor's `location` names, once. Throws Error of kind model, with `where`, for a location that is not a
  // plain relative path to a file that really lies inside the folder.
  std::shared_ptr<const MappedFile> file(const std::string& location, const std::string& where);
  // Those mapped so far.
  std::vector<std::filesystem::path> paths() const;

 private:
  std::optional<std::filesystem::path> folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
};

// Reads a TensorProto: a view into the bytes (kept alive by `owner`) or into the file beside the model where the data is aligned to
// its elements, else a copy. `what` stands for a tensor that has no name in messages.
NamedTensor read_onnx_tensor(const ProtobufMessage& message, const std::shared_ptr<const void>& owner, OnnxExternalData& external,
                             const std::string& where, const std::string& what);

}  // namespace alexnet
