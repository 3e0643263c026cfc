#include "tasks/features.h"

namespace alexnet {

FeatureTotals features(const NamedNetwork& network, const Preprocessing& preprocessing, const NextPicture& source,
                       const PictureBatchOptions& options, const std::function<void(const FeatureRecord&)>& receive) {
  PictureBatches batches(network.network, preprocessing, options);
  FeatureTotals totals;
  while (batches.next(source)) {
    for (std::size_t i = 0; i < batches.inputs().size(); ++i) {
      const Prepared& picture = batches.pictures()[i];
      FeatureRecord record{.path = batches.inputs()[i].path, .error = picture.error, .values = {}, .notes = picture.notes};
      ++totals.pictures;
      if (picture.error) {
        ++totals.failed;
        totals.resources_ran_out |= picture.error->kind() == ErrorKind::resources;
      }
      if (!picture.error) {
        for (const std::size_t position : network.positions) record.values.push_back(batches.values(position, i));
      }
      receive(record);
    }
  }
  totals.stopped = options.stop != nullptr && *options.stop != 0;
  return totals;
}

}  // namespace alexnet
