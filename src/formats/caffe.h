// Caffe's binary files (caffe.proto): the learned blobs of a .caffemodel, by layer, and mean.binaryproto. The network's structure
// is in a prototxt; what a .caffemodel says about it is not read.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace alexnet {

struct CaffeBlobs {
  std::string layer;
  std::vector<Tensor> blobs;  // f32, or f64 where the file has doubles; old files pad shapes with ones in front
};

// Whether the bytes begin as a .caffemodel does: a cheap look, to tell formats apart.
bool looks_like_caffemodel(std::span<const std::byte> file);

// The layers with blobs, in the file's order, in either generation of the format (V1 `layers`, V2 `layer`). Tensors are views into
// the mapping where their data is aligned to their elements, else copies. Throws Error of kind model, also for V0 files and for
// files that mix generations.
std::vector<CaffeBlobs> read_caffemodel(const std::filesystem::path& path);
// The same for a file in memory, kept alive by `owner`; `where` stands for it in messages.
std::vector<CaffeBlobs> read_caffemodel(std::span<const std::byte> file, std::shared_ptr<const void> owner,
                                        const std::string& where);

// A mean picture as f32 (channels, height, width), channels in BGR order.
Tensor read_binaryproto(const std::filesystem::path& path);
Tensor read_binaryproto(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where);

}  // namespace alexnet
