#include "tasks/run.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

constexpr std::int64_t kRowsOfARun = 32;  // a signal is seen between runs

[[noreturn]] void refuse(const std::string& input, std::string message, std::string hint = {}) {
  throw Error(ErrorKind::usage, "input " + shown(input), std::move(message), std::move(hint));
}

std::string names_of(const std::vector<TensorInfo>& tensors) {
  std::vector<std::string> names;
  for (const auto& tensor : tensors) names.push_back(fmt::format("{} ({})", tensor.name, to_string(tensor.shape)));
  return join(names, ", ");
}

// The inputs in the network's order, as f32 with a batch in front.
std::vector<Tensor> in_order(const Network& network, const std::vector<NamedTensor>& given) {
  std::vector<Tensor> result(network.inputs().size());
  for (const auto& [name, tensor] : given) {
    const auto& infos = network.inputs();
    const auto info = std::find_if(infos.begin(), infos.end(), [&](const TensorInfo& i) { return i.name == name; });
    if (info == infos.end()) refuse(name, "is not in the network", "it takes " + names_of(infos));
    Tensor& slot = result[static_cast<std::size_t>(info - infos.begin())];
    if (slot.shape().rank() > 0) refuse(name, "is given twice");
    const Shape& found = tensor.shape();
    if (found == info->shape) {
      slot = widened(tensor).reshaped(found.with_batch(1));
    } else if (found.rank() == info->shape.rank() + 1 && found.without_batch() == info->shape) {
      slot = widened(tensor);
    } else {
      refuse(name, fmt::format("has shape {}", to_string(found)),
             fmt::format("the network takes {}, or a batch of them", to_string(info->shape)));
    }
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i].shape().rank() == 0)
      refuse(network.inputs()[i].name, "is missing", "the network takes " + names_of(network.inputs()));
    if (result[i].shape()[0] != result[0].shape()[0]) {
      refuse(network.inputs()[i].name,
             fmt::format("has a batch of {}, the first input one of {}", result[i].shape()[0], result[0].shape()[0]));
    }
  }
  return result;
}

}  // namespace

std::vector<NamedTensor> run(const NamedNetwork& network, const std::vector<NamedTensor>& given, const std::atomic<int>* stop) {
  const std::vector<Tensor> inputs = in_order(*network.network, given);
  const std::int64_t batch = inputs.empty() ? 0 : inputs[0].shape()[0];
  std::vector<Tensor> outputs;
  for (const auto& info : network.network->outputs()) outputs.push_back(Tensor::zeros(info.shape.with_batch(batch)));
  Session session(network.network);
  const bool whole = !network.network->plan().whole_batch.empty();
  const std::int64_t rows_of_a_run = whole ? std::max<std::int64_t>(batch, 1) : kRowsOfARun;
  for (std::int64_t done = 0; done < batch; done += rows_of_a_run) {
    if (stop != nullptr && *stop != 0) return {};
    const std::int64_t rows = std::min(rows_of_a_run, batch - done);
    const auto part = [&](auto values) {
      const std::size_t width = values.size() / static_cast<std::size_t>(batch);
      return values.subspan(static_cast<std::size_t>(done) * width, static_cast<std::size_t>(rows) * width);
    };
    std::vector<std::span<const float>> sources;
    std::vector<std::span<float>> destinations;
    for (const auto& input : inputs) sources.push_back(part(input.values<float>()));
    for (auto& output : outputs) destinations.push_back(part(output.mutable_values<float>()));
    session.run(rows, sources, destinations);
  }
  std::vector<NamedTensor> result;
  for (std::size_t i = 0; i < network.outputs.size(); ++i)
    result.push_back({network.outputs[i].name, outputs[network.positions[i]]});
  return result;
}

}  // namespace alexnet
