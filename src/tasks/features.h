// Activations of chosen layers for many pictures.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alexnet/error.h"
#include "tasks/named_network.h"
#include "tasks/picture_network.h"
#include "tasks/pictures.h"

namespace alexnet {

struct FeatureRecord {
  std::string path;
  std::optional<Error> error;
  std::vector<std::span<const float>> values;  // of each output; they live until the next record
  std::vector<std::string> notes;
};

struct FeatureTotals {
  std::uint64_t pictures = 0;
  std::uint64_t failed = 0;
  bool resources_ran_out = false;
  bool stopped = false;
};

// Records come one by one in the order of the source; memory does not grow with their number. Errors as in classify().
FeatureTotals features(const NamedNetwork& network, const Preprocessing& preprocessing, const NextPicture& source,
                       const PictureBatchOptions& options, const std::function<void(const FeatureRecord&)>& receive);

}  // namespace alexnet
