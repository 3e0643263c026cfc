// Whole networks against PyTorch in float64 (tools/dump_reference.py).
#include "runtime/network.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "formats/safetensors.h"
#include "image/decode.h"
#include "model/architecture.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"
#include "tests/support.h"

namespace alexnet {
namespace {

// What f32 may lose from end to end; the logits of a network lie within a few times their largest magnitude.
constexpr double kAllowed = 1e-5;

std::filesystem::path golden_path(const std::string& name) {
  return test::source_path("tests/golden/runtime/" + name + ".safetensors");
}

std::map<std::string, Tensor> golden(const std::string& name) {
  std::map<std::string, Tensor> result;
  for (auto& [key, tensor] : read_safetensors(golden_path(name)).tensors) result[key] = tensor;
  return result;
}

template <typename T>
void expect_close(std::span<const float> found, std::span<const T> expected, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double largest = 0;
  double error = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(expected[i])));
    error = std::max(error, std::fabs(static_cast<double>(found[i]) - static_cast<double>(expected[i])));
  }
  testing::Test::RecordProperty("error_" + what, fmt::format("{:.2e}", error / largest));
  EXPECT_LE(error, kAllowed * largest) << what << ", largest " << largest;
}

// What the graph reads where it is flattened.
std::string name_before_flatten(const Graph& graph) {
  return std::ranges::find_if(graph.nodes, [](const Node& node) { return std::holds_alternative<Flatten>(node.layer); })->inputs[0];
}

class NetworkTest : public testing::TestWithParam<std::string> {};

TEST_P(NetworkTest, GivesPyTorchsLogits) {
  const Model model = test::generated_model(architecture(GetParam()).graph);
  const auto expected = golden(GetParam());
  const Shape sample = model.graph.inputs[0].shape;
  const Tensor x = test::generated_tensor(sample.with_batch(2), "data", 200);
  const auto outputs = test::run(model, {x}, {.keep = {logits_name(model.graph), name_before_flatten(model.graph)}});
  expect_close(outputs[1].values<float>(), expected.at("logits").values<double>(), "logits");
  std::vector<float> middle;
  for (std::size_t i = 0; i < outputs[2].values<float>().size(); i += 101) middle.push_back(outputs[2].values<float>()[i]);
  expect_close(std::span<const float>(middle), expected.at("middle").values<double>(), "middle");
}

// Of each photograph's logits the file holds every 8th, another eighth for the next photograph, and the largest of all.
TEST_P(NetworkTest, GivesPyTorchsLogitsForPhotographs) {
  ALEXNET_NEEDS_SHARED_DATA();
  constexpr std::size_t kKnown = 125;
  const auto expected = golden("photos");
  const auto rows = expected.at(GetParam()).values<float>();
  const auto largest = expected.at(GetParam() + ".largest").values<float>();
  const auto best = expected.at(GetParam() + ".best").values<std::int32_t>();
  const Architecture known = architecture(GetParam());
  const auto network = compile(test::generated_model(known.graph), {.keep = {logits_name(known.graph)}});
  Session session(network);
  const auto pictures = Json::parse(read_safetensors(golden_path("photos")).metadata.at("pictures"));
  ASSERT_EQ(pictures.size(), 48u);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto path = test::shared_path("data/photos/" + pictures[i].get<std::string>());
    const auto file = MappedFile::open(path);
    const Tensor picture = preprocess(known.preprocessing, decode(file->bytes(), {}, path.string()).image);
    const Tensor x = picture.reshaped(picture.shape().with_batch(1));
    const auto outputs = test::run(session, *network, {x});
    const auto logits = outputs[1].values<float>();
    const auto known_row = rows.subspan(kKnown * i, kKnown);
    std::vector<float> row(known_row.begin(), known_row.end());
    std::vector<float> found;
    for (std::size_t k = i % 8; k < logits.size(); k += 8) found.push_back(logits[k]);
    row.push_back(largest[i]);
    found.push_back(std::fabs(*std::ranges::max_element(logits, {}, [](float logit) { return std::fabs(logit); })));
    expect_close(found, std::span<const float>(row), path.stem().string());
    EXPECT_EQ(std::ranges::max_element(logits) - logits.begin(), best[i]) << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, NetworkTest, testing::ValuesIn(architecture_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace alexnet
