#include "tests/import/imported.h"

#include <cmath>
#include <map>

#include "formats/npz.h"
#include "runtime/network.h"
#include "tests/support.h"

namespace alexnet::test {
namespace {

// What is wrong with an element, as a part of the largest one.
double largest_difference(std::span<const float> found, std::span<const float> wanted) {
  double scale = 0;
  double difference = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    scale = std::max(scale, std::fabs(static_cast<double>(wanted[i])));
    difference = std::max(difference, std::fabs(static_cast<double>(found[i]) - static_cast<double>(wanted[i])));
  }
  return difference / scale;
}

}  // namespace

void expect_gives(const Imported& imported, const std::filesystem::path& npz, double tolerance) {
  std::map<std::string, Tensor> arrays;
  for (const auto& [name, tensor] : read_npz(npz)) arrays[name] = widened(tensor);
  const auto network = compile(imported.model, {});
  std::int64_t batch = 1;
  const auto wanted_shape = [&](const TensorInfo& info) {
    return imported.unbatched.contains(info.name) ? info.shape : info.shape.with_batch(batch);
  };
  std::vector<std::span<const float>> inputs;
  for (const auto& info : network->inputs()) {
    const auto& given = arrays.at(info.name);
    if (!imported.unbatched.contains(info.name)) batch = given.shape()[0];
    ASSERT_EQ(to_string(given.shape()), to_string(wanted_shape(info))) << info.name;
    inputs.push_back(given.values<float>());
  }
  std::vector<Tensor> results;
  std::vector<std::span<float>> outputs;
  for (const auto& info : network->outputs()) results.push_back(Tensor::zeros(info.shape.with_batch(batch)));
  for (auto& result : results) outputs.push_back(result.mutable_values<float>());
  Session(network).run(batch, inputs, outputs);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& info = network->outputs()[i];
    const auto& wanted = arrays.at(info.name);
    ASSERT_EQ(to_string(wanted_shape(info)), to_string(wanted.shape())) << info.name;
    EXPECT_LE(largest_difference(results[i].values<float>(), wanted.values<float>()), tolerance) << info.name;
  }
}

std::string outline(const Graph& graph) {
  std::vector<std::string> parts;
  for (const auto& node : graph.nodes) parts.push_back(fmt::format("{}:{}", node.name, kind(node.layer)));
  return fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace alexnet::test
