// Class names as model files hold them.
#pragma once

#include <vector>

#include "base/json.h"
#include "formats/label_list.h"

namespace alexnet {

// [{"id": "n02123045", "label": "tabby, tabby cat"}, ...]. Throws Error of kind model, naming the output from 0, for anything
// else, an empty label, control characters, and two outputs that neither id nor label tells apart.
std::vector<Label> labels_from_json(const Json& json);
Json to_json(const std::vector<Label>& labels);

}  // namespace alexnet
