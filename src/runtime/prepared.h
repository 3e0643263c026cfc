// Weights in the form in which kernels read them, kept in a folder from one process to the next: a file for each tensor, under a
// name that says what it was made of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/fingerprint.h"
#include "model/weight.h"
#include "tensor/tensor.h"

namespace alexnet {

// Adds all that a weight says.
Fingerprint& add(Fingerprint& key, const Weight& weight);

// What became of the tensors of one network.
struct PreparedCounts {
  std::uint64_t mapped = 0;                // tensors that were there
  std::uint64_t kept = 0;                  // that were made, and written
  std::vector<std::string> problems = {};  // why others were not written, or not taken
};

class WeightStore {
 public:
  // All files together take at most `limit` bytes: the oldest go. The folder is made with the first file.
  explicit WeightStore(std::filesystem::path folder, std::uint64_t limit = kLimit);

  // A tensor of this type and shape, which depends on nothing but `key`, the program and oneDNN's version: mapped if the folder has
  // it whole, else what `make` gives, which is then kept. A folder that can't be used, or that others could write to, and
  // files that are damaged change nothing but the time it takes. From any thread.
  Tensor get(const Fingerprint& key, ElementType type, const Shape& shape, const std::function<Tensor()>& make);

  // Not while get() runs.
  const PreparedCounts& counts() const { return counts_; }

  static constexpr std::uint64_t kLimit = std::uint64_t{1} << 30;

 private:
  bool usable();
  void keep(const std::filesystem::path& path, const Fingerprint::Value& key, const Tensor& tensor);
  void make_room(const std::filesystem::path& newest);

  void note(std::string problem);

  std::filesystem::path folder_;
  std::uint64_t limit_;
  std::mutex mutex_;  // for what follows
  bool tried_ = false;
  bool usable_ = false;
  PreparedCounts counts_;
};

// get() of a folder, or make() without one.
inline Tensor prepared(WeightStore* folder, const Fingerprint& key, ElementType type, const Shape& shape,
                       const std::function<Tensor()>& make) {
  return folder == nullptr ? make() : folder->get(key, type, shape, make);
}

}  // namespace alexnet
