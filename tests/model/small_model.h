// A network small enough to write down, with every kind of parameter and rows of odd length.
#pragma once

#include "model/model.h"

namespace alexnet::test {

// data 3x8x8 -> conv1 5@3x3 -> bn1 -> conv1.relu -> flatten -> fc2 (4 classes) -> prob; weights from a fixed seed, 3 of 4 zero.
Model small_model();

}  // namespace alexnet::test
