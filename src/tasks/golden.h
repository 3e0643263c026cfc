// The picture that a model file carries with the scores that the network gives for it.
#pragma once

#include <optional>

#include "model/model.h"
#include "runtime/network.h"

namespace alexnet {

// U8 (96, 128, 3): rings around a corner, closer the further out, in another rhythm for each colour, so that all the frequencies
// and colours occur that a network looks at. Always the same bytes.
Tensor golden_picture();

// The picture with the scores of the model for it, computed in f32. Throws Error as compile() does, and of kind model if the
// network does not take what preprocessing makes of pictures, has no row of scores, or gives scores that are not finite.
Golden make_golden(const Model& model, const CompileOptions& options);

// What preprocessing makes of the model's golden picture; nothing where it has none. Throws Error of kind preprocessing.
std::optional<Tensor> golden_input(const Model& model);

// The scores that the model gives for a picture U8 (height, width, 3).
std::vector<float> scores_of(const Model& model, const Tensor& picture, const CompileOptions& options);

// How far this machine's logits for the golden picture are from those stored in the model.
struct GoldenCheck {
  double largest_difference = 0;
  double largest_logit = 0;
  double tolerance = 0;  // of the difference, as part of the largest logit
  bool agrees = false;
};

// Throws Error of kind model if the model has no golden picture.
GoldenCheck check_golden(const Model& model, const CompileOptions& options);

}  // namespace alexnet
