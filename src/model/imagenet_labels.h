// The class names that networks trained on ImageNet share.
#pragma once

#include <vector>

#include "formats/label_list.h"

namespace alexnet {

// WordNet ids and names of the 1000 classes of ILSVRC 2012, in the order of the outputs (models/imagenet.md has their origin);
// carried inside the library.
std::vector<Label> imagenet_labels();

}  // namespace alexnet
