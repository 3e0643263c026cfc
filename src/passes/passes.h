// What is done to a model before it is compiled, each step a function Model to Model in a file of its own. A pass never changes
// what a name means: whatever can still be asked for by its name has the values that it had before, to the arithmetic's
// tolerance. Fusion that concerns only speed is the runtime's.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/model.h"

namespace alexnet {

struct Optimised {
  Model model;
  // Names that no layer makes any more, each with the name under which the same values are found.
  std::map<std::string, std::string> aliases;
  // What was done, a line for each change: "dropped dropout 'drop6'".
  std::vector<std::string> notes;

  // The name under which the values of `name` are found now.
  const std::string& resolved(const std::string& name) const;
};

// All passes in their order. The names in `keep` and the graph's outputs stay computable (as aliases, if need be; the graph's
// own list of outputs then has the resolved names); other names may vanish. The model must have passed check().
Optimised optimised(Model model, std::span<const std::string> keep);

using Pass = Optimised (*)(Optimised, std::span<const std::string> keep);
struct NamedPass {
  const char* name;
  Pass run;
};
// The visible list.
std::span<const NamedPass> passes();

// Readers of a dropout read its input.
Optimised drop_dropout(Optimised in, std::span<const std::string> keep);

// A batch normalisation with stored statistics, a MABN, a scale-shift and a plain factor are each a scale and a shift of every
// channel. They are folded, in float64, into the convolution or linear layer before them, which takes over their name, if
// nothing else needs that one's values; or into the one behind them, if that is all that reads them and it pads nothing; or else
// with such a layer behind them into one scale-shift. int8 weights stay int8 where whole rows are scaled.
Optimised fold_affine(Optimised in, std::span<const std::string> keep);

}  // namespace alexnet
