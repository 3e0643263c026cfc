// Rows of activations as array files, written in constant memory. The paths of the rows, in order, are recorded beside them:
// npz as the text array `paths`, npy and safetensors in a file PATH.paths.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/network.h"

namespace alexnet {

enum class FeatureFormat { npy, npz, safetensors };

class FeatureFile {
 public:
  // npy takes one layer. Paths in a .paths file end with `separator`. All members throw Error of kind output; without finish()
  // no file appears.
  FeatureFile(const std::filesystem::path& path, FeatureFormat format, const std::vector<TensorInfo>& layers, char separator);
  ~FeatureFile();
  FeatureFile(const FeatureFile&) = delete;
  FeatureFile& operator=(const FeatureFile&) = delete;

  // One row for each layer.
  void append(const std::string& picture, std::span<const std::span<const float>> rows);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace alexnet
