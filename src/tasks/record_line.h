// A record of docs/records.md, read back from its line of JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alexnet/error.h"

namespace alexnet {

struct ReadClass {
  std::int64_t index = 0;
  std::string id;          // may be empty
  double probability = 0;  // NaN if the record has none
};

struct ReadRecord {
  std::string path;  // the true bytes
  std::optional<Error> error;
  std::vector<ReadClass> top;  // empty with an error
  bool logits = false;         // whether it has them
};

// Other keys are passed over: who else writes such records may have more to say. Throws Error of kind model, without a place.
ReadRecord read_record(std::string_view line);

}  // namespace alexnet
