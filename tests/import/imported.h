// Imported models against what their sources compute.
#pragma once

#include <filesystem>
#include <string>

#include "import/report.h"

namespace alexnet::test {

// Feeds the arrays of an .npz to the inputs of the same names, runs the network and expects the arrays of the outputs' names. An
// element may differ by `tolerance` of the largest one of its array. Every output must have an array.
void expect_gives(const Imported& imported, const std::filesystem::path& npz, double tolerance);

// "conv1:convolution relu1:relu ...": names and kinds of the layers in order.
std::string outline(const Graph& graph);

}  // namespace alexnet::test
