// Mistakes to be found again: each changes a model (or what is written down of it) as another framework may have meant it
// otherwise.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/model.h"

namespace alexnet::test {

struct Plant {
  std::string suspect;  // that must name it
  std::string what;
  // The model as the other framework understands it; false if it has no place for this mistake.
  std::function<bool(Model&)> apply;
  int orientation = 1;  // how the other framework turns pictures, as EXIF numbers it
};

// Of layers and weights, each at one place or everywhere.
std::vector<Plant> layer_plants();
// Of preprocessing.
std::vector<Plant> preprocessing_plants();

}  // namespace alexnet::test
