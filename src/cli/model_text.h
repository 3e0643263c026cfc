// How parts of a model are told to people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/label_list.h"
#include "image/preprocess.h"

namespace alexnet::cli {

// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);
std::string grouped(std::int64_t number);

// "resize shorter=256 filter=bilinear", a line for each step.
std::vector<std::string> preprocessing_lines(const Preprocessing& preprocessing);

// "labels 1000: tench, Tinca tinca; goldfish; ..."
std::string labels_line(const std::vector<Label>& labels);

}  // namespace alexnet::cli
