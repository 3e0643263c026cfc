// What the caller decides about a source that does not say it.
#pragma once

#include "import/source.h"

namespace alexnet {

// Reinterprets the imported model as the options say and notes each choice. Throws Error of kind usage for a choice that the
// source settles itself, naming the option of `alexnet convert`.
void apply_choices(Source& source, const SourceOptions& options);

}  // namespace alexnet
