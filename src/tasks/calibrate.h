// What int8 needs to know of a model, and what each precision costs it, measured on pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/accuracy.h"
#include "model/model.h"
#include "model/ranges.h"
#include "runtime/network.h"
#include "tasks/picture_network.h"

namespace alexnet {

struct CalibrateOptions {
  PictureBatchOptions pictures = {};
  CompileOptions compile = {};                                             // all but the precision and what is kept
  std::vector<Precision> precisions = {Precision::bf16, Precision::int8};  // to compare with f32
};

// A range for each output of a layer and each input: from the smallest to the largest number of all pictures, with zero inside.
// (Cut off at the mean of the pictures' largest, the default model's logits are twice as far from f32's.) Throws Error of kind
// model for a network that does not take pictures, usage if not one picture could be used.
Ranges measured_ranges(const Model& model, const std::vector<std::string>& operands, const CalibrateOptions& options);

struct LabelledPicture {
  std::string path;
  std::size_t target = 0;  // the right class

  friend bool operator==(const LabelledPicture&, const LabelledPicture&) = default;
};
// The pictures of a LabelledSet; nothing if the folder is none.
std::optional<std::vector<LabelledPicture>> labelled_pictures(const std::filesystem::path& folder,
                                                              const std::vector<Label>& labels);

// How often each precision that the model can be computed in is right; int8 needs the model's ranges. bf16 is emulated where the
// processor lacks it, but has AVX-512. Pictures that can't be used are left out. `data` and `command` are the caller's to fill in.
Accuracy measured_accuracy(const Model& model, const std::vector<LabelledPicture>& pictures, const CalibrateOptions& options);

// Measures both on the pictures in a folder and writes them into the model. Where the folder does not say what its pictures show,
// f32's answer counts as the right one. Throws Error of kind usage if not one picture could be used.
void calibrate(Model& model, const std::filesystem::path& folder, const CalibrateOptions& options);

}  // namespace alexnet
