// The two containers of torch.save: the zip archive (default since 1.6) and the older row of pickles and raw data. Both
// become a pickle and the storages that it refers to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/pickle.h"
#include "tensor/element_type.h"

namespace alexnet {

// What a storage class or dtype of PyTorch holds.
struct PytorchType {
  std::string_view storage;  // "FloatStorage"; empty if tensors of this type lie in untyped storages only
  std::string_view dtype;    // "float32"
  std::size_t element_bytes;
  std::optional<ElementType> type;  // none for what we do not read
};
// Nothing for names that PyTorch does not have. The storage may be "UntypedStorage", which counts bytes.
const PytorchType* storage_type_named(std::string_view storage);
const PytorchType* dtype_named(std::string_view dtype);

// A persistent id of the pickle: ('storage', class, key, location, count[, view]).
struct PytorchStorageId {
  const PytorchType* type = nullptr;
  std::string_view key;
  std::uint64_t elements = 0;
  // The oldest files may look at a part only.
  std::uint64_t view_offset = 0;
  std::uint64_t view_elements = 0;
};

struct PytorchStorage {
  std::span<const std::byte> bytes;
  std::optional<std::uint32_t> crc;  // not yet checked
};

struct PytorchFile {
  std::string where;
  std::string_view container;  // "zip" or "legacy"
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // of the bytes
  Pickle pickle;
  std::map<std::string, PytorchStorage, std::less<>> storages;
};

// Whether the bytes begin as something that torch.save wrote, readable or not: a cheap look, to tell formats apart.
bool looks_like_pytorch(std::span<const std::byte> file);

// Throws Error of kind model, with a name for what is refused: TorchScript, the tar of the earliest versions, text
// pickles, big-endian data, compressed entries.
PytorchFile read_pytorch_file(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const std::string& where);

// Throws Error of kind model for ids of another form and unknown storage classes.
PytorchStorageId read_storage_id(const Pickle& pickle, const PicklePersistent& persistent, const std::string& where);

}  // namespace alexnet
