// What `features` writes for every layer of the default model and of small models of each architecture, against PyTorch in float64
// (tools/dump_reference.py --features).
#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "formats/npz.h"
#include "formats/safetensors.h"
#include "image/decode.h"
#include "model/architecture.h"
#include "model/model_file.h"
#include "tests/cli/fixture.h"
#include "tests/runtime/generated.h"

namespace alexnet {
namespace {

// What f32 may lose on the way to a layer, as for the logits.
constexpr double kAllowed = 1e-5;

// As tools/dump_reference.py reduces it: an eighth of the channels, a 64th of the features.
Graph reduced(Graph graph) {
  for (auto& node : graph.nodes) {
    if (auto* layer = std::get_if<Convolution>(&node.layer)) layer->out_channels /= 8;
    if (auto* layer = std::get_if<Linear>(&node.layer)) layer->out_features /= 64;
  }
  return graph;
}

std::vector<std::string> model_names() {
  std::vector<std::string> names = architecture_names();
  names.emplace_back("alexnet-tiny200");
  return names;
}

class ReferenceFeatures : public testing::TestWithParam<std::string> {
 protected:
  std::filesystem::path model_path() const {
    if (GetParam() == "alexnet-tiny200") return test::source_path("models/alexnet-tiny200.safetensors");
    const Architecture known = architecture(GetParam());
    Model model = test::generated_model(reduced(known.graph));
    model.preprocessing = known.preprocessing;
    write_model(model, folder_.path() / "model.safetensors");
    return folder_.path() / "model.safetensors";
  }

  const test::TemporaryFolder folder_;
};

TEST_P(ReferenceFeatures, AreThoseOfPyTorchForEveryLayer) {
  if (!jpeg_decoder().starts_with("libjpeg-turbo")) GTEST_SKIP() << "stb_image decodes JPEG to other bytes than the reference";
  const Safetensors golden = read_safetensors(test::source_path("tests/golden/runtime/features/" + GetParam() + ".safetensors"));
  const Json layers = Json::parse(golden.metadata.at("layers"));
  std::vector<std::string> names;
  for (const auto& layer : layers) names.push_back(layer["name"]);

  std::vector<std::string> arguments{"features",       "-m",  model_path().string(),
                                     "--precision",    "f32", "--layer",
                                     join(names, ","), "-o",  (folder_.path() / "out.npz").string()};
  for (const auto& picture : Json::parse(golden.metadata.at("pictures"))) {
    arguments.push_back(test::source_path("data/" + picture.get<std::string>()).string());
  }
  const auto result = test::run(arguments);
  ASSERT_EQ(result.exit_code, 0) << result;

  std::map<std::string, Tensor> found;
  for (auto& [name, tensor] : read_npz(folder_.path() / "out.npz")) found[name] = tensor;
  EXPECT_EQ(found.size(), layers.size());
  for (const auto& [name, wanted] : golden.tensors) {
    const auto layer = std::ranges::find_if(layers, [&](const Json& entry) { return entry["name"] == name; });
    ASSERT_TRUE(found.contains(name)) << name;
    ASSERT_TRUE(std::ranges::equal(found[name].shape().extents(), (*layer)["shape"].get<std::vector<std::int64_t>>()))
        << name << " has the shape " << to_string(found[name].shape());
    const auto values = found[name].values<float>();
    const auto step = (*layer)["step"].get<std::size_t>();
    const auto largest = (*layer)["largest"].get<double>();
    ASSERT_EQ(wanted.values<float>().size(), (values.size() + step - 1) / step) << name;
    double error = 0;
    for (std::size_t i = 0; i * step < values.size(); ++i) {
      error = std::max(error, std::fabs(static_cast<double>(values[i * step]) - static_cast<double>(wanted.values<float>()[i])));
    }
    EXPECT_LE(error, kAllowed * largest) << name << ", largest " << largest;
    RecordProperty(name, fmt::format("{:.1e}", error / largest));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ReferenceFeatures, testing::ValuesIn(model_names()), [](const auto& test) {
  std::string name = test.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace alexnet
