// The usual suspects: what another framework may have done otherwise, each as functions from model to model.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"

namespace alexnet {

// Weights that changes have made, each once, so that whoever compiles them knows them again by their data.
class EditedWeights {
 public:
  // The weight changed by `edit`, which goes by this name; its values are f32.
  Weight edited(const Weight& weight, const std::string& name, const std::function<Tensor(const Tensor&)>& edit);

 private:
  // The original's data, kept alive, so that its address stands for it.
  std::map<std::pair<const std::byte*, std::string>, std::pair<Weight, Weight>> made_;
};

// One way in which a suspect may show, at one place.
struct Change {
  std::string suspect;  // its name in the table
  std::string variant;  // tells changes of one suspect apart; the same at every layer
  std::string layer;    // empty: the preprocessing
  std::string finding;  // what the reference does, "divides alpha by the window's size"
  std::string advice;   // what to change: an option of convert, or key and value
  // Whether the model has the place; if not, it is left as it was.
  std::function<bool(Model&)> apply;
  int orientation = 1;  // of pictures, as EXIF numbers them: how they are turned before all preprocessing
};

struct Suspect {
  const char* name;
  const char* question;  // for people: "RGB or BGR"
  // Every way in which it may show in the model. `edits` outlives the changes.
  std::vector<Change> (*changes)(const Model& model, EditedWeights& edits);
};

// The closed list.
std::span<const Suspect> suspects();

// By the file that they stand in. Each is one suspect of the list.
namespace suspect {

// change_weights.cc
std::vector<Change> first_channels(const Model& model, EditedWeights& edits);
std::vector<Change> folded_preprocessing(const Model& model, EditedWeights& edits);
std::vector<Change> flatten_order(const Model& model, EditedWeights& edits);
std::vector<Change> group_halves(const Model& model, EditedWeights& edits);
std::vector<Change> flipped_kernels(const Model& model, EditedWeights& edits);

// change_layers.cc
std::vector<Change> lrn_alpha(const Model& model, EditedWeights& edits);
std::vector<Change> lrn_k(const Model& model, EditedWeights& edits);
std::vector<Change> pool_rounding(const Model& model, EditedWeights& edits);
std::vector<Change> dropout_scaling(const Model& model, EditedWeights& edits);
std::vector<Change> batch_norm_epsilon(const Model& model, EditedWeights& edits);

// change_structure.cc
std::vector<Change> pool_and_norm(const Model& model, EditedWeights& edits);
std::vector<Change> missing_relu(const Model& model, EditedWeights& edits);
std::vector<Change> softmax(const Model& model, EditedWeights& edits);
std::vector<Change> shifted_labels(const Model& model, EditedWeights& edits);

// change_preprocessing.cc
std::vector<Change> channels(const Model& model, EditedWeights& edits);
std::vector<Change> range(const Model& model, EditedWeights& edits);
std::vector<Change> mean(const Model& model, EditedWeights& edits);
std::vector<Change> deviation(const Model& model, EditedWeights& edits);
std::vector<Change> resize_filter(const Model& model, EditedWeights& edits);
std::vector<Change> resize_size(const Model& model, EditedWeights& edits);
std::vector<Change> crop(const Model& model, EditedWeights& edits);
std::vector<Change> orientation(const Model& model, EditedWeights& edits);
std::vector<Change> whole_preprocessing(const Model& model, EditedWeights& edits);

}  // namespace suspect
}  // namespace alexnet
