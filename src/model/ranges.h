// Between which numbers activations lie, measured on pictures: Model::ranges, understood. int8 takes its scales from them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "graph/graph.h"

namespace alexnet {

struct Range {
  double lowest = 0;  // at most 0: what is stored in 8 bits must hold a zero
  double highest = 0;

  friend bool operator==(const Range&, const Range&) = default;
};

struct Ranges {
  std::string data;  // which pictures
  std::int64_t pictures = 0;
  std::map<std::string, Range> tensors;  // by the name of a layer or an input

  friend bool operator==(const Ranges&, const Ranges&) = default;
};

// {"data", "pictures", "tensors": {"conv1.relu": [0, 31.5], ...}}. Throws Error of kind model for anything else, and for ranges
// that are not finite or do not hold zero.
Ranges ranges_from_json(const Json& json);
// Throws Error of kind model for a name that the graph does not have.
void check(const Ranges& ranges, const Graph& graph);
Json to_json(const Ranges& ranges);

}  // namespace alexnet
