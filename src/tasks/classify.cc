#include "tasks/classify.h"

#include <algorithm>

namespace alexnet {
namespace {

// Rows of scores, one a crop.
void score(Classification& record, std::span<const float> scores, std::size_t crops, const ClassifyOptions& options) {
  const std::size_t classes = scores.size() / crops;
  std::vector<double> probabilities(classes, 0.0);
  std::vector<double> mean(classes, 0.0);
  for (std::size_t crop = 0; crop < crops; ++crop) {
    const auto row = scores.subspan(crop * classes, classes);
    const auto of_crop = softmax(row);
    for (std::size_t i = 0; i < classes; ++i) {
      probabilities[i] += of_crop[i] / static_cast<double>(crops);
      mean[i] += static_cast<double>(row[i]) / static_cast<double>(crops);
    }
  }
  record.top = top(probabilities, options.top);
  if (options.logits) record.logits.assign(mean.begin(), mean.end());
}

}  // namespace

ClassifyTotals classify(std::shared_ptr<const Network> network, const Preprocessing& preprocessing, const NextPicture& source,
                        const ClassifyOptions& options, const std::function<void(std::span<Classification>)>& receive) {
  const auto crops = static_cast<std::size_t>(crop_count(options.pictures.crops));
  PictureBatches batches(std::move(network), preprocessing, options.pictures);
  ClassifyTotals totals;
  std::vector<Classification> records;
  while (batches.next(source)) {
    records.clear();
    for (std::size_t i = 0; i < batches.inputs().size(); ++i) {
      const Prepared& picture = batches.pictures()[i];
      Classification record{.path = batches.inputs()[i].path,
                            .target = batches.inputs()[i].target,
                            .error = picture.error,
                            .width = picture.width,
                            .height = picture.height,
                            .top = {},
                            .logits = {},
                            .notes = picture.notes};
      ++totals.pictures;
      if (picture.error) {
        ++totals.failed;
        totals.resources_ran_out |= picture.error->kind() == ErrorKind::resources;
      } else {
        score(record, batches.values(0, i), crops, options);
      }
      totals.decode_seconds += picture.decode_seconds;
      totals.resize_seconds += picture.resize_seconds;
      records.push_back(std::move(record));
    }
    totals.network_seconds += batches.network_seconds();
    receive(records);
  }
  totals.stopped = options.pictures.stop != nullptr && *options.pictures.stop != 0;
  return totals;
}

}  // namespace alexnet
