// The conventions in which frameworks state response normalisation, each in its own words and with its own defaults, and
// what each means in ours (docs/conventions.md has the table).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "layers/lrn.h"

namespace alexnet::lrn {

// torch.nn.LocalResponseNorm; an even window reaches one channel further down.
struct PyTorch {
  static constexpr std::string_view kKind = "pytorch";
  static constexpr std::string_view kCall = "torch.nn.LocalResponseNorm";

  std::int64_t size = 5;  // has no default there
  double alpha = 1e-4;    // of the mean of the squares
  double beta = 0.75;
  double k = 1;

  static void fields(auto& self, auto&& visit) {
    visit("size", self.size);
    visit("alpha", self.alpha);
    visit("beta", self.beta);
    visit("k", self.k);
  }
  friend bool operator==(const PyTorch&, const PyTorch&) = default;
};

// The operator LRN; an even window reaches one channel further up.
struct Onnx {
  static constexpr std::string_view kKind = "onnx";
  static constexpr std::string_view kCall = "ai.onnx.LRN";

  std::int64_t size = 5;  // has no default there
  double alpha = 1e-4;    // of the mean of the squares
  double beta = 0.75;
  double bias = 1;

  static void fields(auto& self, auto&& visit) {
    visit("size", self.size);
    visit("alpha", self.alpha);
    visit("beta", self.beta);
    visit("bias", self.bias);
  }
  friend bool operator==(const Onnx&, const Onnx&) = default;
};

// tf.nn.local_response_normalization; normalises the last axis there, which is our channel axis.
struct TensorFlow {
  static constexpr std::string_view kKind = "tensorflow";
  static constexpr std::string_view kCall = "tf.nn.lrn";

  std::int64_t depth_radius = 5;
  double bias = 1;
  double alpha = 1;  // of the sum of the squares
  double beta = 0.5;

  static void fields(auto& self, auto&& visit) {
    visit("depth_radius", self.depth_radius);
    visit("bias", self.bias);
    visit("alpha", self.alpha);
    visit("beta", self.beta);
  }
  friend bool operator==(const TensorFlow&, const TensorFlow&) = default;
};

// The layer LRN; odd windows only. WITHIN_CHANNEL reads k and then uses 1 (lrn_layer.cpp).
struct Caffe {
  static constexpr std::string_view kKind = "caffe";
  static constexpr std::string_view kCall = "lrn_param";

  std::int64_t local_size = 5;
  double alpha = 1;  // of the mean of the squares
  double beta = 0.75;
  LrnRegion norm_region = LrnRegion::across_channels;
  double k = 1;

  static void fields(auto& self, auto&& visit) {
    visit("local_size", self.local_size);
    visit("alpha", self.alpha);
    visit("beta", self.beta);
    visit("norm_region", self.norm_region);
    visit("k", self.k);
  }
  friend bool operator==(const Caffe&, const Caffe&) = default;
};

// oneDNN's lrn_across_channels and lrn_within_channel; an even window loses a neighbour and keeps its divisor.
struct OneDnn {
  static constexpr std::string_view kKind = "onednn";
  static constexpr std::string_view kCall = "dnnl::lrn_forward";

  LrnRegion algorithm = LrnRegion::across_channels;
  std::int64_t local_size = 5;
  double alpha = 1e-4;  // of the mean of the squares
  double beta = 0.75;
  double k = 1;  // no parameter has a default there

  static void fields(auto& self, auto&& visit) {
    visit("algorithm", self.algorithm);
    visit("local_size", self.local_size);
    visit("alpha", self.alpha);
    visit("beta", self.beta);
    visit("k", self.k);
  }
  friend bool operator==(const OneDnn&, const OneDnn&) = default;
};

// The formula of Krizhevsky et al. 2012, section 3.3, with its constants. The sum runs over i - n/2 ... i + n/2.
struct Paper {
  static constexpr std::string_view kKind = "paper";
  static constexpr std::string_view kCall = "paper";

  double k = 2;
  std::int64_t n = 5;
  double alpha = 1e-4;  // of the sum of the squares
  double beta = 0.75;

  static void fields(auto& self, auto&& visit) {
    visit("k", self.k);
    visit("n", self.n);
    visit("alpha", self.alpha);
    visit("beta", self.beta);
  }
  friend bool operator==(const Paper&, const Paper&) = default;
};

// cuda-convnet, the paper's own code: layers cmrnorm (across channels) and rnorm (within a channel), not blocked. `groups` are
// the towers on separate processors, into which a window does not reach.
struct CudaConvnet {
  static constexpr std::string_view kKind = "cuda_convnet";
  static constexpr std::string_view kCall = "cuda-convnet";

  LrnRegion type = LrnRegion::across_channels;
  std::int64_t size = 5;
  double scale = 1e-4;  // of the mean of the squares; scale and pow have no defaults there
  double pow = 0.75;
  double min_div = 1;
  std::int64_t groups = 1;

  static void fields(auto& self, auto&& visit) {
    visit("type", self.type);
    visit("size", self.size);
    visit("scale", self.scale);
    visit("pow", self.pow);
    visit("min_div", self.min_div);
    visit("groups", self.groups);
  }
  friend bool operator==(const CudaConvnet&, const CudaConvnet&) = default;
};

// What a layer says in its source's words.
using Source = std::variant<PyTorch, Onnx, TensorFlow, Caffe, OneDnn, Paper, CudaConvnet>;

// The same layer in ours. Throws Error of kind model for what the source refuses too: a window below 1, an even one in Caffe.
Lrn layer(const PyTorch& source);
Lrn layer(const Onnx& source);
Lrn layer(const TensorFlow& source);
Lrn layer(const Caffe& source);
Lrn layer(const OneDnn& source);
Lrn layer(const Paper& source);
Lrn layer(const CudaConvnet& source);
Lrn layer(const Source& source);

// Our layer in the words of the convention that `like` holds, whose numbers do not matter; nothing if it has none for it.
std::optional<Source> in_words_of(const Source& like, const Lrn& layer);

// "tf.nn.lrn(depth_radius=2, bias=1, alpha=0.2, beta=0.75)".
std::string to_string(const Source& source);
// Ours: "lrn(region=across_channels, local_size=5, ...)".
std::string to_string(const Lrn& layer);

// {"convention": "tensorflow", "depth_radius": 2, ...}, as model files keep it beside the layer. Reading throws Error of kind
// model for an unknown convention, an unknown key and a value of the wrong type.
Json to_json(const Source& source);
Source source_from_json(const Json& json);

}  // namespace alexnet::lrn
