// From a Caffe network (prototxt and .caffemodel) to a model.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "formats/caffe.h"
#include "formats/prototxt.h"
#include "image/preprocess_presets.h"
#include "import/report.h"

namespace alexnet {

struct CaffeImportOptions {
  // What is subtracted from pictures, whose channels are in the order BGR. Without it, what the network's own data layer says, if
  // it has one; else nothing is known and preprocessing stays empty.
  PictureMean mean;
};

// Weights are taken by the layers' names, as Caffe does; layers that only the weights have are ignored. Throws Error of kind model,
// one listing everything that can't be imported or does not fit. `where` names the prototxt, `weights_where` the weights.
Imported import_caffe(const PrototxtMessage& prototxt, const std::vector<CaffeBlobs>& weights, const CaffeImportOptions& options,
                      const std::string& where, const std::string& weights_where);
Imported import_caffe(const std::filesystem::path& prototxt, const std::filesystem::path& caffemodel,
                      const CaffeImportOptions& options = {});

}  // namespace alexnet
