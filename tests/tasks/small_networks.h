// Networks with generated weights that are run by the hundred.
#pragma once

#include <string>

#include "model/model.h"

namespace alexnet::test {

// An architecture with a sixteenth of its channels, and as few pixels as leave 2 x 2 behind the last pool. krizhevsky2012 subtracts
// a mean image, as its code did.
Model reduced_network(const std::string& name);

// With batch normalisations, and pools whose windows do not fit.
Model normalised_network();

}  // namespace alexnet::test
