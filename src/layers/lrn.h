#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

enum class LrnRegion { across_channels, within_channel };

// On which side of its centre a window of even size has one neighbour more; odd sizes are symmetric.
enum class EvenWindow {
  before,  // towards lower channels: PyTorch
  after,   // towards higher channels: ONNX
  none,    // local_size - 1 neighbours, still divided by local_size: oneDNN
};

// Local response normalisation (Krizhevsky et al. 2012, section 3.3) of (N, C, ...):
//   y = x / (k + alpha / m * sum of x*x over the window)^beta
// Across channels the window is `local_size` channels around the element's own, and m = local_size. Within a channel (rank 4
// only) it is a square of local_size x local_size pixels, and m = local_size^2. Windows are cut off at the borders; m stays.
// With groups > 1 the channels are that many towers, and no window reaches into another tower.
// Conventions that mean alpha or the window otherwise are constructed by lrn_conventions.h.
struct Lrn {
  static constexpr std::string_view kKind = "lrn";

  LrnRegion region = LrnRegion::across_channels;
  std::int64_t local_size = 5;
  double alpha = 1e-4;
  double beta = 0.75;
  double k = 1;
  EvenWindow even_window = EvenWindow::before;
  std::int64_t groups = 1;

  static void fields(auto& self, auto&& visit) {
    visit("region", self.region);
    visit("local_size", self.local_size);
    visit("alpha", self.alpha);
    visit("beta", self.beta);
    visit("k", self.k);
    visit("even_window", self.even_window);
    visit("groups", self.groups);
  }
  friend bool operator==(const Lrn&, const Lrn&) = default;
};

// How far the window reaches to either side of its centre.
struct LrnReach {
  std::int64_t before;
  std::int64_t after;
};
LrnReach reach(const Lrn& layer);

Shape output_shape(const Lrn& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Lrn& layer, std::span<const Shape> inputs);
Tensor reference(const Lrn& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
