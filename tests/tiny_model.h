// A whole model that is small enough to be run by the hundred.
#pragma once

#include <filesystem>

#include "model/model.h"

namespace alexnet::test {

// 3x32x32 pictures, two convolutions (the second in two groups), LRN, pools, two linear layers, ten classes. Its weights are
// always the same random numbers; it knows nothing about pictures. Layers: conv1, conv1.relu, norm1, pool1, conv2, conv2.relu,
// pool2, flatten, fc3, fc3.relu, fc4, prob.
Model tiny_model();

// A file of it in the folder.
std::filesystem::path write_tiny_model(const std::filesystem::path& folder);

}  // namespace alexnet::test
