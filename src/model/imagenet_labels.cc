#include "model/imagenet_labels.h"

// Defined by the assembler file that cmake/EmbedFile.cmake writes.
extern "C" {
extern const char alexnet_imagenet_labels_begin[];
extern const char alexnet_imagenet_labels_end[];
}

namespace alexnet {

std::vector<Label> imagenet_labels() {
  return parse_label_list({alexnet_imagenet_labels_begin, alexnet_imagenet_labels_end}, "imagenet");
}

}  // namespace alexnet
