// Attributes of ONNX nodes by name, with the defaults that operators give them. All throw Error of kind model for an attribute of
// another type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx.h"

namespace alexnet {

bool has_attribute(const OnnxNode& node, const std::string& name);
std::int64_t int_attribute(const OnnxNode& node, const std::string& name, std::int64_t otherwise);
// Rounded to the shortest decimal that gives the float32 in the file.
double float_attribute(const OnnxNode& node, const std::string& name, double otherwise);
std::string text_attribute(const OnnxNode& node, const std::string& name, const std::string& otherwise);
std::vector<std::int64_t> ints_attribute(const OnnxNode& node, const std::string& name,
                                         const std::vector<std::int64_t>& otherwise = {});

}  // namespace alexnet
