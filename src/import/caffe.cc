#include "import/caffe.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "import/caffe_builder.h"
#include "import/caffe_net.h"

namespace alexnet {
namespace {

std::vector<std::string> unsupported(const CaffeNet& net) {
  std::map<std::string, std::vector<std::string>> layers;
  for (const auto& layer : net.layers) {
    if (!is_supported_caffe_type(layer.type)) layers[layer.type].push_back(shown(layer.name));
  }
  std::vector<std::string> result;
  for (const auto& [type, names] : layers) {
    result.push_back(fmt::format("layers of type {} are not supported: {}", printable(type), join(names, ", ")));
  }
  return result;
}

// The blobs that nothing makes, because what would make them could not be imported: their readers bring no problems of their own.
bool is_missing(const CaffeLayer& layer, const std::set<std::string>& missing) {
  return std::ranges::any_of(layer.bottoms, [&](const auto& bottom) { return missing.contains(bottom); });
}

// As the preset does; what the data layer says of mean and scale counts where no mean was given.
Preprocessing preprocessing_of(const CaffeNet& net, const CaffeImportOptions& options, Imported& imported) {
  const Shape& shape = net.inputs.front().shape;
  PictureMean mean = options.mean;
  const bool given = mean.image || mean.values;
  const auto values = net.transform.all("mean_value");
  if (!given && (values.size() == 1 || values.size() == 3)) {
    mean.values.emplace();
    for (std::size_t i = 0; i < 3; ++i) (*mean.values)[i] = values[values.size() == 1 ? 0 : i]->number();
    imported.choices.emplace_back("mean", "mean_value of the network's data layer");
  }
  if (net.transform.find("mean_file") != nullptr && !mean.values && !mean.image) {
    imported.warnings.push_back("its data layer subtracts a mean picture from a file of its own; preprocessing is not known");
  }
  if (shape.rank() != 4 || shape[1] != 3 || (!mean.values && !mean.image)) return {};
  Preprocessing result = preprocess_preset("caffe", {shape[2], shape[3]}, mean);
  if (const auto* scale = net.transform.find("scale"); scale != nullptr && scale->number() != 1) {
    result.steps.emplace_back(Divide{.by = 1 / scale->number()});
  }
  imported.choices.emplace_back("channels", "bgr, as Caffe reads pictures");
  return result;
}

}  // namespace

Imported import_caffe(const PrototxtMessage& prototxt, const std::vector<CaffeBlobs>& weights, const CaffeImportOptions& options,
                      const std::string& where, const std::string& weights_where) {
  const CaffeNet net = caffe_net(prototxt, where);
  Imported imported;
  auto problems = unsupported(net);
  CaffeBuilder builder(net, weights, imported);
  std::set<std::string> missing;
  for (const auto& layer : net.layers) {
    bool made = false;
    if (is_supported_caffe_type(layer.type) && !is_missing(layer, missing)) {
      try {
        lower(layer, builder);
        made = true;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::model) throw;
        const auto inside = error.where().empty() ? "" : error.where() + ": ";
        problems.push_back(fmt::format("{}: {}{}", layer.place, inside, error.message()));
      }
    }
    if (!made) missing.insert(layer.tops.begin(), layer.tops.end());
  }
  if (!problems.empty()) throw Error(ErrorKind::model, where, join(problems, "; "));
  builder.finish();
  imported.model.preprocessing = preprocessing_of(net, options, imported);
  imported.format = net.name.empty() ? "Caffe" : fmt::format("Caffe, network {}", shown(net.name));
  imported.notes.insert(imported.notes.end(), net.notes.begin(), net.notes.end());
  imported.choices.emplace_back("weights", weights_where);
  check(imported.model, where);
  warn_of_odd_weights(imported);
  return imported;
}

Imported import_caffe(const std::filesystem::path& prototxt, const std::filesystem::path& caffemodel,
                      const CaffeImportOptions& options) {
  return import_caffe(read_prototxt(prototxt), read_caffemodel(caffemodel), options, prototxt.string(), caffemodel.string());
}

}  // namespace alexnet
