#include "tasks/picture_network.h"

#include <algorithm>
#include <cassert>
#include <chrono>

#include <fmt/format.h>

#include "runtime/parallel.h"

namespace alexnet {
namespace {

// Rows of one Session::run(): as many as fill the machine, few enough that a signal is seen soon.
constexpr std::int64_t kRowsOfARun = 32;

}  // namespace

void check_takes_pictures(const Network& network, const Preprocessing& preprocessing) {
  if (network.inputs().size() != 1) {
    throw Error(ErrorKind::model, "", fmt::format("the network takes {} inputs, not one picture", network.inputs().size()),
                "alexnet run takes tensors");
  }
  if (const auto& coupled = network.plan().whole_batch; !coupled.empty()) {
    throw Error(ErrorKind::model, fmt::format("layer '{}'", coupled.front()),
                "takes its statistics from the batch, so that a picture has no result of its own",
                "alexnet stats --recalibrate stores statistics in a model; alexnet run takes a batch as a whole");
  }
  if (preprocessing.steps.empty()) {
    throw Error(ErrorKind::model, "", "does not say what is done to pictures first",
                "--preprocess says it, for convert and for one run");
  }
  const TensorInfo& input = network.inputs().front();
  const auto shape = output_shape(preprocessing);
  if (!shape || *shape != input.shape) {
    throw Error(ErrorKind::model, "",
                fmt::format("the network takes {} as '{}', but its preprocessing gives {}", to_string(input.shape), input.name,
                            shape ? to_string(*shape) : "a size that depends on the picture"));
  }
}

PictureBatches::PictureBatches(std::shared_ptr<const Network> network, const Preprocessing& preprocessing,
                               const PictureBatchOptions& options)
    : network_(std::move(network)), preprocessing_(&preprocessing), options_(options), session_(network_) {
  check_takes_pictures(*network_, preprocessing);
  row_elements_ = network_->inputs().front().shape.elements();
  outputs_.resize(network_->outputs().size());
}

bool PictureBatches::next(const NextPicture& source) {
  inputs_.clear();
  while (static_cast<int>(inputs_.size()) < options_.batch) {
    PictureInput input;
    if (source(input, /*wait=*/inputs_.empty()) != PictureSource::Next::picture) break;
    inputs_.push_back(std::move(input));
  }
  if (inputs_.empty()) return false;

  const auto count_of_crops = crop_count(options_.crops);
  const auto pictures = static_cast<std::int64_t>(inputs_.size());
  const auto elements = static_cast<std::size_t>(count_of_crops * row_elements_);
  data_.resize(std::max(data_.size(), inputs_.size() * elements));
  pictures_.assign(inputs_.size(), {});
  parallel_for(pictures, network_->threads(), [&](std::int64_t i) {
    if (stopped()) return;
    const auto at = static_cast<std::size_t>(i);
    pictures_[at] = prepare(inputs_[at], *preprocessing_, options_.crops, options_.decode, options_.stop,
                            std::span(data_).subspan(at * elements, elements));
  });
  if (stopped()) return false;

  // The good ones close ranks.
  std::int64_t rows = 0;
  rows_.assign(inputs_.size(), 0);
  for (std::size_t i = 0; i < pictures_.size(); ++i) {
    if (pictures_[i].error) continue;
    rows_[i] = rows;
    const auto src = data_.begin() + static_cast<std::ptrdiff_t>(i * elements);
    const auto dst = data_.begin() + static_cast<std::ptrdiff_t>(rows * row_elements_);
    if (src != dst) std::copy(src, src + static_cast<std::ptrdiff_t>(elements), dst);
    rows += count_of_crops;
  }
  return run(rows);
}

bool PictureBatches::run(std::int64_t rows) {
  const auto start = std::chrono::steady_clock::now();
  const auto& infos = network_->outputs();
  for (std::size_t i = 0; i < infos.size(); ++i) outputs_[i].resize(static_cast<std::size_t>(rows * infos[i].shape.elements()));
  for (std::int64_t done = 0; done < rows; done += kRowsOfARun) {
    if (stopped()) return false;
    const std::int64_t now = std::min(kRowsOfARun, rows - done);
    const auto part = [&](auto& buffer, std::int64_t width) {
      return std::span(buffer).subspan(static_cast<std::size_t>(done * width), static_cast<std::size_t>(now * width));
    };
    const std::span<const float> input = part(data_, row_elements_);
    std::vector<std::span<float>> outputs;
    for (std::size_t i = 0; i < infos.size(); ++i) outputs.push_back(part(outputs_[i], infos[i].shape.elements()));
    session_.run(now, {&input, 1}, outputs);
  }
  network_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return true;
}

std::span<const float> PictureBatches::values(std::size_t output, std::size_t picture) const {
  assert(!pictures_[picture].error);
  const auto width = static_cast<std::size_t>(network_->outputs()[output].shape.elements());
  return std::span(outputs_[output])
      .subspan(static_cast<std::size_t>(rows_[picture]) * width, static_cast<std::size_t>(crop_count(options_.crops)) * width);
}

}  // namespace alexnet
