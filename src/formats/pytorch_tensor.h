#pragma once

#include <cstdint>
#include <string>

#include "formats/pickle.h"
#include "formats/pytorch_file.h"
#include "tensor/tensor.h"

namespace alexnet {

// Whether the node is a call that rebuilds a tensor, of whatever kind.
bool is_pytorch_tensor(const Pickle& pickle, PickleRef node);

// Makes tensors of an entry's nodes. A contiguous tensor is a view into the file; others are copied, in all at most four
// times the file's size and 64 MB, so that a stride of 0 can't ask for more memory than there is.
class PytorchTensorReader {
 public:
  explicit PytorchTensorReader(const PytorchFile& file);
  // Throws Error of kind model, naming the tensor, for types that are not supported (quantised, sparse, complex, float8),
  // for values that PyTorch would negate or conjugate, and for what does not fit into its storage.
  Tensor read(PickleRef node, const std::string& name);

 private:
  const PytorchFile& file_;
  std::uint64_t copyable_;
  std::map<std::string_view, bool> checked_;
};

}  // namespace alexnet
