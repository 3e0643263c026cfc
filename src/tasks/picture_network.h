// A network that takes one picture, with the buffers of a batch around it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "image/preprocess.h"
#include "runtime/network.h"
#include "tasks/pictures.h"
#include "tasks/prepare.h"

namespace alexnet {

struct PictureBatchOptions {
  int batch = 16;  // pictures
  Crops crops = Crops::one;
  DecodeOptions decode = {};
  const std::atomic<int>* stop = nullptr;  // not zero: end without the rest of the batch
};

// Pictures go in as a batch; each of them that could be used has one row (ten with ten crops) in every output.
class PictureBatches {
 public:
  // Throws Error as check_takes_pictures() does.
  PictureBatches(std::shared_ptr<const Network> network, const Preprocessing& preprocessing, const PictureBatchOptions& options);

  // Takes the next inputs from the source, at most a batch of them (fewer where a list has no more to give at the moment), and
  // runs them. False at the end, and when *stop asked for one: then nothing is valid.
  bool next(const NextPicture& source);

  std::span<const PictureInput> inputs() const { return inputs_; }
  std::span<const Prepared> pictures() const { return pictures_; }
  // What the network gives in `output` (an index into Network::outputs()) for a picture without an error, crop by crop.
  std::span<const float> values(std::size_t output, std::size_t picture) const;
  double network_seconds() const { return network_seconds_; }

 private:
  bool stopped() const { return options_.stop != nullptr && *options_.stop != 0; }
  bool run(std::int64_t rows);

  std::shared_ptr<const Network> network_;
  const Preprocessing* preprocessing_;
  PictureBatchOptions options_;
  Session session_;
  std::int64_t row_elements_ = 0;
  std::vector<PictureInput> inputs_;
  std::vector<Prepared> pictures_;
  std::vector<std::int64_t> rows_;  // of each picture
  std::vector<float> data_;
  std::vector<std::vector<float>> outputs_;
  double network_seconds_ = 0;
};

// Throws Error of kind model if the network does not take exactly what the preprocessing gives, and if what it makes of a picture
// depends on the others.
void check_takes_pictures(const Network& network, const Preprocessing& preprocessing);

}  // namespace alexnet
