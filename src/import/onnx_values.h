// What the importer of ONNX graphs knows about values: extents with a batch that may be free, and constants with their origin.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alexnet/error.h"
#include "tensor/tensor.h"

namespace alexnet {

// ONNX's view of a shape: the batch is one of the extents.
using Extents = std::vector<std::int64_t>;

// Stands for the size of a batch that is free. Not a size, nor anything that exporters write: arithmetic on it gives itself away.
inline constexpr std::int64_t kBatch = std::numeric_limits<std::int64_t>::min() / 3;

// A computation that is right for one size of the batch only, or that mixes the samples of a batch.
class BatchMixed : public Error {
 public:
  explicit BatchMixed(std::string message) : Error(ErrorKind::model, "", std::move(message)) {}
};

// A value that is known before the network runs.
struct OnnxConstant {
  Tensor tensor;
  std::string source;  // the initializers that it was made from
  std::string done;    // what was done to them: "transposed"; empty for nothing
};

// "batch x 3 x 227 x 227"
std::string to_string(std::span<const std::int64_t> extents);

inline Extents extents_of(const Tensor& tensor) {
  const auto extents = tensor.shape().extents();
  return {extents.begin(), extents.end()};
}

// The elements as whole numbers; throws Error of kind model for other types. `what` names the tensor in the message.
std::vector<std::int64_t> integers(const Tensor& tensor, std::string_view what);
// The only element as a number, rounded from float32 to the shortest decimal that gives it: exporters write 1e-4 as
// 9.999999747378752e-05.
double scalar(const Tensor& tensor, std::string_view what);
// That rounding.
double as_written(float value);

}  // namespace alexnet
