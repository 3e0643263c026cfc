// Statistics of layers over many pictures, in one stable pass; networks that are given such statistics; whitening.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "alexnet/error.h"
#include "model/model.h"
#include "tasks/named_network.h"
#include "tasks/picture_network.h"
#include "tasks/pictures.h"
#include "tensor/moments.h"
#include "tensor/whitening.h"

namespace alexnet {

struct LayerStatistics {
  std::string layer;
  Shape shape;                    // of one sample
  std::vector<Moments> channels;  // over pictures and pixels (tf.nn.moments over all axes but the channel's)
};

// Called for each picture in the order of the source.
using ReceivePicture = std::function<void(const PictureInput& input, const Prepared& picture)>;

// Of every output of the network. What each picture adds is merged in the order of the source, so that the bits depend neither on
// threads nor on batches. Pictures that can't be used are passed over. Throws what PictureBatches does.
std::vector<LayerStatistics> statistics(const NamedNetwork& network, const Preprocessing& preprocessing, const NextPicture& source,
                                        const PictureBatchOptions& options, const ReceivePicture& receive);

// The moments of the channels of what a layer of this model makes.
using Measure = std::function<std::vector<Moments>(const Model& model, const std::string& layer)>;

struct Recalibrated {
  Model model;
  std::vector<std::string> layers;  // that have new statistics
};

// Gives each batch normalisation, in the order of the graph, the mean and population variance of what it reads; those before it
// have theirs already. Means are thus what torch.optim.swa_utils.update_bn gives with all pictures in one batch, variances too but
// for its divisor, one less than the count. A batch_statistics_norm becomes a batch_norm; a moving_average_batch_norm gets the
// second moment. What was measured on the old network (golden logits, accuracy, ranges) is dropped. Throws Error of kind model for
// a network without batch normalisations and for statistics that are not finite.
Recalibrated recalibrated(const Model& model, const Measure& measure);

enum class WhitenedSamples {
  pixels,    // the channels of each pixel: a small matrix
  pictures,  // whole pictures, of at most 4096 values
};

// Mean and covariance of the network's input over many pictures, merged as above.
Covariance input_covariance(const Preprocessing& preprocessing, const Shape& input, WhitenedSamples samples, int threads,
                            const NextPicture& source, const PictureBatchOptions& options, const ReceivePicture& receive);

}  // namespace alexnet
