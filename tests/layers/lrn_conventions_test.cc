#include "layers/lrn_conventions.h"

#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "layers/layer.h"
#include "tests/layers/lrn_known_answers.h"

namespace alexnet::test {
namespace {

using namespace lrn;

constexpr auto kAcross = LrnRegion::across_channels;
constexpr auto kWithin = LrnRegion::within_channel;

const std::vector<Source>& conventions() {
  static const std::vector<Source> all{PyTorch{}, Onnx{}, TensorFlow{}, Caffe{}, OneDnn{}, Paper{}, CudaConvnet{}};
  return all;
}

TEST(LrnConventions, GiveTheKnownAnswersThroughTheLayer) {
  for (const auto& [source, shape, x, y, tolerance] : lrn_known_answers()) {
    SCOPED_TRACE(to_string(source));
    const Tensor input = Tensor::of<float>(shape.with_batch(1), x);
    const auto found = reference(Layer(layer(source)), std::span(&input, 1), {});
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (std::isnan(y[i])) continue;
      // The reference rounds once, to float32.
      EXPECT_NEAR(static_cast<double>(found.values<float>()[i]), y[i], tolerance + 0x1p-24 * std::fabs(y[i])) << "element " << i;
    }
  }
}

TEST(LrnConventions, AgreeWhereTheSameNumbersMeanTheSame) {
  const Lrn pytorch = layer(PyTorch{5, 1e-4, 0.75, 2});
  EXPECT_TRUE(layer(Onnx{5, 1e-4, 0.75, 2}) == pytorch);
  EXPECT_TRUE(layer(Caffe{5, 1e-4, 0.75, kAcross, 2}) == pytorch);
  EXPECT_TRUE(layer(OneDnn{kAcross, 5, 1e-4, 0.75, 2}) == pytorch);
  EXPECT_TRUE(layer(CudaConvnet{kAcross, 5, 1e-4, 0.75, 2}) == pytorch);
  EXPECT_TRUE(pytorch == (Lrn{.local_size = 5, .alpha = 1e-4, .beta = 0.75, .k = 2}));
}

TEST(LrnConventions, TranslateAlphaAndWindow) {
  // The paper's formula does not divide alpha: five times PyTorch's.
  EXPECT_TRUE(layer(Paper{}) == layer(PyTorch{5, 5e-4, 0.75, 2}));
  // An even n of the paper reaches n / 2 to both sides, as n + 1 does.
  EXPECT_TRUE(layer(Paper{2, 4, 1e-4, 0.75}) == layer(Paper{2, 5, 1e-4, 0.75}));
  EXPECT_TRUE(layer(TensorFlow{2, 2, 1e-4, 0.75}) == layer(Paper{}));
  EXPECT_EQ(layer(TensorFlow{}).local_size, 11);
  EXPECT_DOUBLE_EQ(layer(TensorFlow{}).alpha, 11);
  EXPECT_DOUBLE_EQ(layer(TensorFlow{}).beta, 0.5);
  // Caffe reads k within channels, and uses 1.
  EXPECT_TRUE(layer(Caffe{3, 1, 0.75, kWithin, 5}) == layer(Caffe{3, 1, 0.75, kWithin, 1}));
  EXPECT_DOUBLE_EQ(layer(OneDnn{kWithin, 3, 1, 0.75, 5}).k, 5);
  EXPECT_EQ(layer(CudaConvnet{.groups = 2}).groups, 2);
  // Even windows: three different layers.
  EXPECT_EQ(layer(PyTorch{.size = 4}).even_window, EvenWindow::before);
  EXPECT_EQ(layer(CudaConvnet{.size = 4}).even_window, EvenWindow::before);
  EXPECT_EQ(layer(Onnx{.size = 4}).even_window, EvenWindow::after);
  EXPECT_EQ(layer(OneDnn{.local_size = 4}).even_window, EvenWindow::none);
}

TEST(LrnConventions, RefuseWhatTheirSourceRefuses) {
  struct Case {
    Source source;
    const char* message;
  };
  for (const auto& [source, message] : std::vector<Case>{
           {PyTorch{.size = 0}, "size is 0, must be at least 1"},
           {Onnx{.size = -3}, "size is -3, must be at least 1"},
           {TensorFlow{.depth_radius = -1}, "depth_radius is -1, must be between 0 and 1073741824"},
           {TensorFlow{.depth_radius = INT64_MAX}, "depth_radius is 9223372036854775807, must be between 0 and 1073741824"},
           {Caffe{.local_size = 0}, "local_size is 0, must be at least 1"},
           {Caffe{.local_size = 4}, "local_size is 4, must be odd in Caffe's convention"},
           {Caffe{.local_size = 4, .norm_region = kWithin}, "local_size is 4, must be odd in Caffe's convention"},
           {OneDnn{.local_size = 0}, "local_size is 0, must be at least 1"},
           {Paper{.n = 0}, "n is 0, must be at least 1"},
           {CudaConvnet{.size = 0}, "size is 0, must be at least 1"},
           {CudaConvnet{.groups = 0}, "groups is 0, must be at least 1"},
       }) {
    try {
      layer(source);
      ADD_FAILURE() << to_string(source) << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), message);
      EXPECT_EQ(error.kind(), ErrorKind::model);
    }
  }
}

TEST(LrnConventions, AreWrittenAsTheirSourceWritesThem) {
  EXPECT_EQ(to_string(PyTorch{5, 1e-4, 0.75, 2}), "torch.nn.LocalResponseNorm(size=5, alpha=0.0001, beta=0.75, k=2)");
  EXPECT_EQ(to_string(Onnx{}), "ai.onnx.LRN(size=5, alpha=0.0001, beta=0.75, bias=1)");
  EXPECT_EQ(to_string(TensorFlow{2, 1, 0.2, 0.75}), "tf.nn.lrn(depth_radius=2, bias=1, alpha=0.2, beta=0.75)");
  EXPECT_EQ(to_string(Caffe{}), "lrn_param(local_size=5, alpha=1, beta=0.75, norm_region=across_channels, k=1)");
  EXPECT_EQ(to_string(OneDnn{.algorithm = kWithin}),
            "dnnl::lrn_forward(algorithm=within_channel, local_size=5, alpha=0.0001, beta=0.75, k=1)");
  EXPECT_EQ(to_string(Paper{}), "paper(k=2, n=5, alpha=0.0001, beta=0.75)");
  EXPECT_EQ(to_string(CudaConvnet{.groups = 2}),
            "cuda-convnet(type=across_channels, size=5, scale=0.0001, pow=0.75, min_div=1, groups=2)");
  EXPECT_EQ(to_string(Lrn{.even_window = EvenWindow::none}),
            "lrn(region=across_channels, local_size=5, alpha=0.0001, beta=0.75, k=1, even_window=none, groups=1)");
}

TEST(LrnConventions, ReadTheJsonThatTheyWrite) {
  EXPECT_EQ(to_json(Source(TensorFlow{2, 1, 0.2, 0.75})).dump(),
            R"({"convention":"tensorflow","depth_radius":2,"bias":1.0,"alpha":0.2,"beta":0.75})");
  for (const auto& source : conventions()) EXPECT_TRUE(source_from_json(to_json(source)) == source);
  try {
    source_from_json({{"convention", "mxnet_gluon"}});
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "unknown source convention 'mxnet_gluon' (known: pytorch, onnx, tensorflow, caffe, onednn, paper, cuda_convnet)");
  }
}

// Computes what a layer computes, to tell layers apart that are spelled differently.
std::vector<float> computed(const Lrn& one) {
  std::vector<float> x;
  for (int i = 0; i < 2 * 12 * 3 * 4; ++i) x.push_back(static_cast<float>((i * 7919) % 23 - 11) * 0.5f);
  const Tensor input = Tensor::of<float>({2, 12, 3, 4}, x);
  const auto y = reference(Layer(one), std::span(&input, 1), {});
  return {y.values<float>().begin(), y.values<float>().end()};
}

TEST(LrnConventions, SayTheSameLayerInEachOthersWords) {
  int said = 0;
  for (const auto region : {kAcross, kWithin}) {
    for (const std::int64_t size : {1, 2, 3, 4, 5, 6, 9}) {
      for (const auto even : {EvenWindow::before, EvenWindow::after, EvenWindow::none}) {
        for (const double k : {1.0, 2.0}) {
          for (const std::int64_t groups : {1, 2}) {
            const Lrn ours{region, size, 0.3, 0.75, k, even, groups};
            for (const auto& convention : conventions()) {
              const auto words = in_words_of(convention, ours);
              if (!words) continue;
              ++said;
              ASSERT_EQ(words->index(), convention.index());
              const Lrn back = layer(*words);
              // Scaling alpha back and forth rounds twice, by 2^-53 each: nothing that float32 shows but for ties.
              EXPECT_THAT(computed(back), testing::Pointwise(testing::FloatEq(), computed(ours)))
                  << to_string(ours) << " as " << to_string(*words);
            }
          }
        }
      }
    }
  }
  EXPECT_GT(said, 200);
}

TEST(LrnConventions, HaveNoWordsForWhatTheyDoNotHave) {
  const auto in = [](const Source& convention, const Lrn& ours) {
    const auto words = in_words_of(convention, ours);
    return words ? to_string(*words) : "";
  };
  const Lrn even_before{.local_size = 4};
  const Lrn even_after{.local_size = 4, .even_window = EvenWindow::after};
  const Lrn even_none{.local_size = 4, .even_window = EvenWindow::none};
  const Lrn within{.region = kWithin, .local_size = 3, .k = 2};
  const Lrn towers{.groups = 2};
  EXPECT_EQ(in(PyTorch{}, even_before), "torch.nn.LocalResponseNorm(size=4, alpha=0.0001, beta=0.75, k=1)");
  EXPECT_EQ(in(PyTorch{}, even_after), "");
  EXPECT_EQ(in(Onnx{}, even_after), "ai.onnx.LRN(size=4, alpha=0.0001, beta=0.75, bias=1)");
  EXPECT_EQ(in(Onnx{}, even_before), "");
  EXPECT_EQ(in(TensorFlow{}, even_before), "");
  EXPECT_EQ(in(Caffe{}, even_before), "");
  EXPECT_EQ(in(OneDnn{}, even_before), "");
  EXPECT_EQ(in(OneDnn{}, even_none), "dnnl::lrn_forward(algorithm=across_channels, local_size=4, alpha=0.0001, beta=0.75, k=1)");
  // Three taps and a divisor of four are three taps with three quarters of alpha.
  EXPECT_TRUE(std::get<PyTorch>(*in_words_of(PyTorch{}, {.local_size = 4, .alpha = 1, .even_window = EvenWindow::none})) ==
              (PyTorch{3, 0.75, 0.75, 1}));
  EXPECT_EQ(in(Caffe{}, within), "");
  EXPECT_EQ(in(PyTorch{}, within), "");
  EXPECT_NE(in(OneDnn{}, within), "");
  for (const Source& single :
       {Source(PyTorch{}), Source(Onnx{}), Source(TensorFlow{}), Source(Caffe{}), Source(OneDnn{}), Source(Paper{})}) {
    EXPECT_EQ(in(single, towers), "");
  }
  EXPECT_EQ(in(CudaConvnet{}, towers), "cuda-convnet(type=across_channels, size=5, scale=0.0001, pow=0.75, min_div=1, groups=2)");
  EXPECT_EQ(in(CudaConvnet{}, even_after), "");
}

}  // namespace
}  // namespace alexnet::test
