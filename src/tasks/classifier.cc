#include "alexnet/classifier.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "alexnet/version.h"
#include "base/text.h"
#include "image/decode.h"
#include "image/preprocess.h"
#include "model/embedded_model.h"
#include "model/model_file.h"
#include "tasks/named_network.h"
#include "tasks/picture_network.h"
#include "tasks/prepare.h"
#include "tasks/top.h"

namespace alexnet {

std::string_view version() { return ALEXNET_VERSION; }

struct Classifier::Impl {
  std::vector<Label> labels;
  Preprocessing preprocessing;
  DecodeOptions decode_options;
  NamedNetwork network;  // its outputs: the scores, then the layers asked for
  std::mutex mutex;
  std::vector<std::unique_ptr<Session>> idle;

  std::unique_ptr<Session> take_session() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return std::make_unique<Session>(network.network);
    auto session = std::move(idle.back());
    idle.pop_back();
    return session;
  }

  void give_back(std::unique_ptr<Session> session) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(session));
  }

  std::size_t output(const std::string& layer) const {
    for (std::size_t i = 0; i < network.outputs.size(); ++i) {
      if (network.outputs[i].name == layer) return i;
    }
    throw Error(ErrorKind::usage, "layer " + shown(layer), "is not among those that were asked for",
                "name it in ClassifierOptions::layers");
  }

  // Every output of the network for one picture.
  std::vector<std::vector<float>> run(const Decoded& picture) {
    const Tensor input = preprocess(preprocessing, picture.image);
    std::vector<std::vector<float>> values;
    for (const auto& info : network.network->outputs()) values.emplace_back(static_cast<std::size_t>(info.shape.elements()));
    const std::span<const float> source = input.values<float>();
    const std::vector<std::span<float>> destinations(values.begin(), values.end());
    auto session = take_session();
    session->run(1, {&source, 1}, destinations);
    give_back(std::move(session));
    return values;
  }

  std::vector<std::vector<float>> run(const std::filesystem::path& picture) {
    return run(load_picture(picture.string(), decode_options, nullptr));
  }
  std::vector<std::vector<float>> run(std::span<const std::byte> picture) {
    return run(decode(picture, decode_options, "picture"));
  }

  std::vector<Answer> answers(const std::vector<float>& scores, std::size_t count) const {
    std::vector<Answer> result;
    for (const auto& scored : top(softmax(scores), count)) {
      const auto index = static_cast<std::size_t>(scored.index);
      const Label label = index < labels.size() ? labels[index] : Label{};
      result.push_back({index, label.id, label.label, scored.probability});
    }
    return result;
  }

  static std::unique_ptr<Impl> of(const Model& model, const ClassifierOptions& options) {
    auto impl = std::make_unique<Impl>();
    impl->labels = model.labels;
    impl->preprocessing = model.preprocessing;
    impl->decode_options = {.max_pixels = options.max_pixels, .allow_truncated = options.allow_truncated};
    std::vector<std::string> outputs{logits_name(model.graph)};
    for (const auto& layer : options.layers) {
      if (std::find(outputs.begin(), outputs.end(), layer) == outputs.end()) outputs.push_back(layer);
    }
    impl->network = compile_named(model, outputs,
                                  {.threads = options.threads, .max_memory = options.max_memory, .prepared = options.cache_folder});
    check_takes_pictures(*impl->network.network, impl->preprocessing);
    return impl;
  }
};

Classifier::Classifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

Classifier Classifier::embedded(const ClassifierOptions& options) {
  return Classifier(Impl::of(read_model(embedded_model(), nullptr, "embedded model"), options));
}

Classifier Classifier::load(const std::filesystem::path& model, const ClassifierOptions& options) {
  return Classifier(Impl::of(read_model(model), options));
}

std::vector<Answer> Classifier::classify(const std::filesystem::path& picture, std::size_t top) const {
  return impl_->answers(impl_->run(picture).front(), top);
}

std::vector<Answer> Classifier::classify(std::span<const std::byte> picture, std::size_t top) const {
  return impl_->answers(impl_->run(picture).front(), top);
}

std::vector<float> Classifier::logits(const std::filesystem::path& picture) const { return impl_->run(picture).front(); }
std::vector<float> Classifier::logits(std::span<const std::byte> picture) const { return impl_->run(picture).front(); }

std::vector<float> Classifier::features(const std::filesystem::path& picture, const std::string& layer) const {
  const std::size_t output = impl_->output(layer);
  return impl_->run(picture)[impl_->network.positions[output]];
}

std::vector<float> Classifier::features(std::span<const std::byte> picture, const std::string& layer) const {
  const std::size_t output = impl_->output(layer);
  return impl_->run(picture)[impl_->network.positions[output]];
}

std::vector<std::int64_t> Classifier::shape(const std::string& layer) const {
  const auto extents = impl_->network.outputs[impl_->output(layer)].shape.extents();
  return {extents.begin(), extents.end()};
}

std::size_t Classifier::classes() const { return static_cast<std::size_t>(impl_->network.outputs.front().shape.elements()); }

std::vector<std::int64_t> Classifier::input_shape() const {
  const auto extents = impl_->network.network->inputs().front().shape.extents();
  return {extents.begin(), extents.end()};
}

}  // namespace alexnet
