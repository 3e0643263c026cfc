// The tensors of a checkpoint as layers with parameters, under names without what wrappers put in front.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace alexnet {

struct SourceParameter {
  std::string name;    // "weight"
  std::string source;  // its tensor's full name in the source, or two: "0.weight_g, 0.weight_v"
  Tensor tensor;
  ElementType type;  // the source's
  std::string done;  // "weight normalisation folded"; empty for what is as it was
};

struct SourceLayer {
  std::string name;      // "features.0"
  std::string original;  // "module.features.0"
  std::vector<SourceParameter> parameters;
};

struct SourceLayers {
  std::vector<SourceLayer> layers;
  std::vector<std::string> unused;  // counters: single numbers that are no weights
};

// `module`, `model`, `_orig_mod` and the like are left out of names wherever they stand, and so is what all names begin with.
// Tensors of a list, whose names are numbers, are paired to layers. Unless `in_order`, layers are put into the order of their
// names, those with convolutions' weights first. Throws Error of kind model for two tensors of the same layer and name.
SourceLayers source_layers(std::span<const NamedTensor> tensors, bool in_order, const std::string& where);

const SourceLayer* find(const SourceLayers& layers, std::string_view name);
const SourceParameter* find(const SourceLayer& layer, std::string_view parameter);

// Whether it has running statistics and so is a batch normalisation.
bool is_batch_norm(const SourceLayer& layer);
// The rank of its weight, 0 if it has none.
std::size_t weight_rank(const SourceLayer& layer);

// "features.3" is number 3 of "features"; -1 for a name without a number at its end.
struct Numbered {
  std::string_view group;
  int number = -1;
};
Numbered numbered(std::string_view name);

}  // namespace alexnet
