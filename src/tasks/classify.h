// What photographs show: the main job.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alexnet/error.h"
#include "runtime/network.h"
#include "tasks/named_network.h"
#include "tasks/picture_network.h"
#include "tasks/pictures.h"
#include "tasks/top.h"

namespace alexnet {

struct ClassifyOptions {
  PictureBatchOptions pictures = {};
  std::size_t top = 5;
  bool logits = false;
};

// What is known about one picture: either an error or all the rest.
struct Classification {
  std::string path;
  std::optional<std::int64_t> target = {};  // its class, where that is known
  std::optional<Error> error;
  int width = 0;
  int height = 0;
  std::vector<ScoredClass> top;
  std::vector<float> logits;       // on request; with ten crops, their mean
  std::vector<std::string> notes;  // for curious users: warnings of the decoder, frames left out
};

struct ClassifyTotals {
  std::uint64_t pictures = 0;
  std::uint64_t failed = 0;
  bool resources_ran_out = false;  // at least one of the failures was about memory or descriptors
  bool stopped = false;            // before the last picture, because *stop asked for it
  // Sums over all pictures; decoding and resizing run on several threads at once.
  double decode_seconds = 0;
  double resize_seconds = 0;
  double network_seconds = 0;
};

// Runs the pictures of the source through a network of compile_for_scores(). Records come batch by batch in the order of the
// source. Memory does not grow with the number of pictures. Throws Error for what is wrong with the model, and whatever
// `receive` throws; what is wrong with a picture is in its record.
ClassifyTotals classify(std::shared_ptr<const Network> network, const Preprocessing& preprocessing, const NextPicture& source,
                        const ClassifyOptions& options, const std::function<void(std::span<Classification>)>& receive);

}  // namespace alexnet
