#include "tasks/stats.h"

#include <array>
#include <cmath>

#include "formats/safetensors.h"
#include "tests/pictures.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

class StatsTest : public testing::Test {
 protected:
  StatsTest() {
    for (unsigned i = 0; i < 7; ++i)
      paths_.push_back(folder_.write(fmt::format("{}.ppm", i), test::noise_ppm(40, 44 + static_cast<int>(i), i)).string());
  }

  std::vector<LayerStatistics> measured(const std::vector<std::string>& layers, int threads, int batch) const {
    PictureSource pictures(paths_, {});
    const NextPicture next = [&](PictureInput& input, bool wait) { return pictures.next(input, wait); };
    return statistics(compile_named(model_, layers, {.threads = threads}), model_.preprocessing, next, {.batch = batch},
                      [](const PictureInput&, const Prepared&) {});
  }

  test::TemporaryFolder folder_;
  std::vector<std::string> paths_;
  Model model_ = test::tiny_model();
};

// Against sums over all values at once, in long double.
TEST_F(StatsTest, AreMeanAndPopulationVarianceOverAllPicturesAndPixels) {
  const auto found = measured({"data", "fc4"}, 2, 3);
  for (const auto& layer : found) {
    const auto network = compile_named(model_, {layer.layer}, {.threads = 1});
    PictureSource pictures(paths_, {});
    PictureBatches batches(network.network, model_.preprocessing, {.batch = 7});
    ASSERT_TRUE(batches.next([&](PictureInput& input, bool wait) { return pictures.next(input, wait); }));
    const auto channels = layer.channels.size();
    ASSERT_EQ(static_cast<std::int64_t>(channels), layer.shape[0]);
    const auto size = static_cast<std::size_t>(layer.shape.elements()) / channels;
    for (std::size_t c = 0; c < channels; ++c) {
      std::vector<long double> values;
      for (std::size_t picture = 0; picture < 7; ++picture) {
        for (const float value : batches.values(0, picture).subspan(c * size, size)) values.push_back(value);
      }
      long double mean = 0, squares = 0;
      for (const auto value : values) mean += value / static_cast<long double>(values.size());
      for (const auto value : values) squares += (value - mean) * (value - mean);
      const auto variance = static_cast<double>(squares / static_cast<long double>(values.size()));
      const Moments& own = layer.channels[c];
      EXPECT_EQ(own.count, std::ssize(values));
      // Sums of some thousand doubles.
      EXPECT_NEAR(own.mean, static_cast<double>(mean), 1e-13 * std::sqrt(variance + own.mean * own.mean))
          << layer.layer << " " << c;
      EXPECT_NEAR(own.variance(), variance, 1e-12 * variance) << layer.layer << " " << c;
    }
  }
}

TEST_F(StatsTest, AreTheSameBitsForAnyThreadsAndBatches) {
  const auto first = measured({"data", "norm1", "fc3"}, 1, 1);
  for (const auto& [threads, batch] : {std::pair{2, 1}, {1, 5}, {2, 16}}) {
    const auto again = measured({"data", "norm1", "fc3"}, threads, batch);
    for (std::size_t i = 0; i < first.size(); ++i) {
      for (std::size_t c = 0; c < first[i].channels.size(); ++c) {
        ASSERT_EQ(first[i].channels[c].mean, again[i].channels[c].mean) << threads << " threads, batches of " << batch;
        ASSERT_EQ(first[i].channels[c].squares, again[i].channels[c].squares) << threads << " threads, batches of " << batch;
      }
    }
  }
}

TEST_F(StatsTest, PassOverPicturesThatCantBeUsed) {
  const auto good = measured({"conv1"}, 1, 4);
  paths_.insert(paths_.begin() + 2, "missing.ppm");
  const auto found = measured({"conv1"}, 1, 4);
  EXPECT_EQ(found[0].channels[0].count, good[0].channels[0].count);
  EXPECT_EQ(found[0].channels[0].squares, good[0].channels[0].squares);
}

// conv1, bn1, relu1, conv2, bn2 with the weights of the golden file.
struct Calibration {
  Model model;
  std::map<std::string, Tensor> golden;
};

Calibration calibration(const Layer& first, const Layer& second) {
  Calibration result;
  for (auto& [name, tensor] : read_safetensors(test::source_path("tests/golden/tasks/recalibration.safetensors")).tensors)
    result.golden[name] = tensor;
  result.model.graph = checked({.inputs = {{"x", {3, 9, 8}}},
                                .nodes = {{"conv1", Convolution{.out_channels = 5, .kernel = {3, 3}}, {"x"}},
                                          {"bn1", first, {"conv1"}},
                                          {"relu1", Relu{}, {"bn1"}},
                                          {"conv2", Convolution{.out_channels = 4, .kernel = {3, 3}}, {"relu1"}},
                                          {"bn2", second, {"conv2"}}},
                                .outputs = {"bn2"}});
  for (const auto& parameter : parameters(result.model.graph)) {
    const auto found = result.golden.find(parameter.name);
    Tensor ones = Tensor::zeros(parameter.shape);
    for (float& value : ones.mutable_values<float>()) value = 1;
    // Statistics of some other pictures.
    const bool stored = found != result.golden.end() && found->second.type() == ElementType::f32;
    result.model.weights[parameter.name] = Weight::of(stored ? found->second : ones);
  }
  return result;
}

Recalibrated recalibrated_on(const Calibration& c) {
  return recalibrated(c.model, [&](const Model& model, const std::string& layer) {
    const auto network = compile_named(model, {layer}, {.threads = 1});
    const Tensor& x = c.golden.at("x");
    const auto channels = static_cast<std::size_t>(network.outputs[0].shape[0]);
    std::vector<float> y(static_cast<std::size_t>(x.shape()[0] * network.outputs[0].shape.elements()));
    const auto source = x.values<float>();
    const std::span<float> destination = y;
    Session(network.network).run(x.shape()[0], {&source, 1}, {&destination, 1});
    std::vector<Moments> result(channels);
    const auto size = static_cast<std::size_t>(network.outputs[0].shape.elements()) / channels;
    for (std::size_t map = 0; map * size < y.size(); ++map)
      result[map % channels] = merged(result[map % channels], moments(std::span(y).subspan(map * size, size)));
    return result;
  });
}

// f32 convolutions of up to 45 terms, seen through a standardisation.
constexpr double kTolerance = 1e-6;

TEST(Recalibration, IsWhatPyTorchsUpdateBnGives) {
  for (const Layer& first : {Layer(BatchNorm{}), Layer(BatchStatisticsNorm{})}) {
    const Calibration c = calibration(first, BatchNorm{});
    const auto result = recalibrated_on(c);
    EXPECT_THAT(result.layers, testing::ElementsAre("bn1", "bn2"));
    EXPECT_TRUE(find(result.model.graph, "bn1")->layer == Layer(BatchNorm{}));
    check(result.model, "recalibrated");
    for (const char* name : {"bn1.mean", "bn1.variance", "bn2.mean", "bn2.variance"}) {
      const auto wanted = c.golden.at(name).values<double>();
      const auto found = result.model.weights.at(name).data.values<float>();
      ASSERT_EQ(found.size(), wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i)
        EXPECT_NEAR(static_cast<double>(found[i]), wanted[i], kTolerance * (1 + std::fabs(wanted[i]))) << name << " " << i;
    }
  }
}

TEST(Recalibration, GivesMovingAverageBatchNormsTheSecondMoment) {
  const Calibration c = calibration(MovingAverageBatchNorm{}, BatchNorm{});
  const auto result = recalibrated_on(c);
  const auto mean = c.golden.at("bn1.mean").values<double>();
  const auto variance = c.golden.at("bn1.variance").values<double>();
  const auto moment = result.model.weights.at("bn1.moment").data.values<float>();
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double wanted = mean[i] * mean[i] + variance[i];
    EXPECT_NEAR(static_cast<double>(moment[i]), wanted, kTolerance * wanted);
  }
}

TEST(Recalibration, RefusesNetworksWithoutBatchNormalisation) {
  EXPECT_THROW(recalibrated(test::tiny_model(), [](const Model&, const std::string&) { return std::vector<Moments>(); }), Error);
}

TEST_F(StatsTest, WhiteningGivesPixelsTheIdentityAsCovariance) {
  PictureSource pictures(paths_, {});
  const NextPicture next = [&](PictureInput& input, bool wait) { return pictures.next(input, wait); };
  const auto covariance = input_covariance(model_.preprocessing, {3, 32, 32}, WhitenedSamples::pixels, 2, next, {.batch = 3},
                                           [](const PictureInput&, const Prepared&) {});
  EXPECT_EQ(covariance.count(), 7 * 32 * 32);
  const Whitening whitening = zca(covariance, 0);
  Preprocessing whitened = model_.preprocessing;
  whitened.steps.emplace_back(ZcaStep{.matrix = "zca.matrix", .mean = "zca.mean", .whitening = whitening});
  Covariance after(3);
  for (const auto& path : paths_) {
    const Tensor x = preprocess(whitened, load_picture(path, {}, nullptr).image);
    for (std::size_t pixel = 0; pixel < 1024; ++pixel) {
      const auto values = x.values<float>();
      after.add(std::array{values[pixel], values[1024 + pixel], values[2048 + pixel]});
    }
  }
  const auto found = after.covariance();
  for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(found[i], i % 4 == 0 ? 1 : 0, 1e-5) << "element " << i;
}

}  // namespace
}  // namespace alexnet
