// Classes that are taken for each other, put together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tasks/evaluate.h"

namespace alexnet {

// Groups of classes that are confused more with each other than chance would have it: greedy agglomeration to the largest
// modularity (M. E. J. Newman, Phys. Rev. E 69, 066133, 2004; Clauset et al. 2004) of the graph whose edges are the mistakes in
// either direction. Only the `most` classes with the most mistakes take part, and none without any. Largest group first; in a
// group, classes that were joined early stand beside each other. Takes time with the cube of `most`.
std::vector<std::vector<std::int64_t>> class_groups(std::span<const Confusion> mistakes, std::size_t most);

}  // namespace alexnet
