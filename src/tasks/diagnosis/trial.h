// Runs variants of a model against a reference, each layer from the reference's values of what it reads. What variants have in
// common is computed once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/network.h"
#include "tasks/named_network.h"
#include "tasks/reference_dump.h"
#include "tasks/rounding.h"

namespace alexnet {

// Of one layer. Infinite where the layer can't be computed, or has another shape than the reference's.
struct Residual {
  double relative = 0;  // as Difference::relative
  double allowed = 0;

  bool vanishes() const { return relative <= allowed; }
};

class Trials {
 public:
  // Looks at these pictures of the reference. The model's own weights and those of variants must outlive this.
  Trials(const Model& model, const ReferenceDump& reference, std::vector<std::int64_t> pictures, const CompileOptions& options);
  ~Trials();
  Trials(const Trials&) = delete;
  Trials& operator=(const Trials&) = delete;

  // Each of the reference's layers, as this variant of the model computes it.
  std::map<std::string, Residual> residuals(const Model& variant);
  // Those of them that it computes otherwise than the model given, by the text of what they do.
  std::set<std::string> touched(const Model& variant) const;

  // The network's input, from the reference's pictures turned as EXIF's orientation says.
  Residual preprocessing_residual(const Preprocessing& preprocessing, int orientation);
  // What would have to be subtracted of what these steps make of the first picture to get what the reference has; nothing without
  // a second picture that could tell such a mean image from any other cause.
  std::optional<Tensor> mean_image(const Preprocessing& preprocessing) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace alexnet
