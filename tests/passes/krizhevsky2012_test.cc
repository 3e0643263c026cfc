// The architecture of 2012 against plain NumPy, whose two towers are computed apart (tools/make_krizhevsky_golden.py).
#include <cmath>

#include "formats/safetensors.h"
#include "model/architecture.h"
#include "passes/passes.h"
#include "tests/layers/golden.h"
#include "tests/passes/plain_run.h"
#include "tests/support.h"

namespace alexnet::test {
namespace {

// An eighth of the channels, a 128th of the features, ten classes, on pictures of 67x67; weights as the tool makes them.
Model small_network() {
  Model model;
  model.graph = architecture("krizhevsky2012").graph;
  model.graph.inputs[0].shape = {3, 67, 67};
  for (auto& node : model.graph.nodes) {
    if (auto* convolution = std::get_if<Convolution>(&node.layer)) convolution->out_channels /= 8;
    if (auto* linear = std::get_if<Linear>(&node.layer)) linear->out_features = node.name == "fc8" ? 10 : 32;
  }
  std::uint64_t seed = 1;  // which is the input's
  for (const auto& [name, layer, shape] : parameters(model.graph)) {
    model.weights[name] = Weight::of(generated(shape, ++seed, -1, 1));
  }
  return model;
}

void expect_near(const Tensor& found, const Tensor& wanted, double tolerance) {
  ASSERT_EQ(found.shape(), wanted.shape());
  double largest = 0;
  for (const double value : wanted.values<double>()) largest = std::max(largest, std::fabs(value));
  for (std::size_t i = 0; i < wanted.values<double>().size(); ++i) {
    ASSERT_NEAR(static_cast<double>(found.values<float>()[i]), wanted.values<double>()[i], tolerance * largest) << i;
  }
}

TEST(Krizhevsky2012, IsWhatNumPyComputesWithTwoTowers) {
  const Model model = small_network();
  const Tensor input = generated({2, 3, 67, 67}, 1, -100, 100);
  const auto golden = read_safetensors(source_path("tests/golden/krizhevsky2012.safetensors"));
  ASSERT_EQ(golden.tensors.size(), 4u);
  const auto plain = plain_run(model, {{"data", input}});
  const std::vector<std::string> keep{"norm1", "pool2", "flatten", "fc8"};
  const auto folded = optimised(model, keep);
  const auto run = plain_run(folded.model, {{"data", input}});
  for (const auto& [name, wanted] : golden.tensors) {
    SCOPED_TRACE(name);
    // Each of the eight layers rounds once, to 2^-24 of its largest element; later ones pass that on with at most the gain that
    // they have for everything else.
    expect_near(plain.at(name), wanted, 8 * 0x1p-24);
    expect_near(run.at(folded.resolved(name)), wanted, 8 * 0x1p-24);
  }
}

TEST(Krizhevsky2012, FoldsTheHalvingBehindDropoutAway) {
  const auto folded = optimised(small_network(), {});
  EXPECT_THAT(folded.notes, testing::ElementsAre("folded scale 'drop6' into linear 'fc7' behind it",
                                                 "folded scale 'drop7' into linear 'fc8' behind it"));
}

}  // namespace
}  // namespace alexnet::test
