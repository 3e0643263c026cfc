#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "layers/layer.h"

namespace alexnet::test {
namespace {

Layer parsed(const std::string& text) { return layer_from_json(parse_json(text, "test"), {}); }

std::string refused(const std::string& text) {
  try {
    parsed(text);
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.hint().empty() ? error.message() : fmt::format("{} ({})", error.message(), error.hint());
  }
}

// Every field of every kind away from its default.
struct Spelling {
  Layer layer;
  const char* text;
};

const std::vector<Spelling>& spellings() {
  static const std::vector<Spelling> all{
      {AdaptiveAveragePool{.output = {6, 7}}, R"({"kind":"adaptive_average_pool","output":[6,7]})"},
      {Add{}, R"({"kind":"add"})"},
      {AveragePool{{3, 2}, {2, 3}, {1, 0, 2, 1}, {4, 5}, Rounding::ceil, true},
       R"({"kind":"average_pool","kernel":[3,2],"stride":[2,3],"padding":[1,0,2,1],"dilation":[4,5],"rounding":"ceil",)"
       R"("count_padding":true})"},
      {BatchNorm{0.001, false, false}, R"({"kind":"batch_norm","epsilon":0.001,"scale":false,"offset":false})"},
      {Clip{-1, 6}, R"({"kind":"clip","lowest":-1.0,"highest":6.0})"},
      {Concat{2}, R"({"kind":"concat","axis":2})"},
      {Convolution{96, {11, 5}, {4, 2}, {2, 1, 0, 3}, {2, 3}, 2, false},
       R"({"kind":"convolution","out_channels":96,"kernel":[11,5],"stride":[4,2],"padding":[2,1,0,3],"dilation":[2,3],"groups":2,)"
       R"("bias":false})"},
      {Dropout{0.25}, R"({"kind":"dropout","ratio":0.25})"},
      {Flatten{}, R"({"kind":"flatten"})"},
      {Linear{1000, false}, R"({"kind":"linear","out_features":1000,"bias":false})"},
      {Lrn{LrnRegion::within_channel, 4, 0.0005, 0.5, 2, EvenWindow::after, 2},
       R"({"kind":"lrn","region":"within_channel","local_size":4,"alpha":0.0005,"beta":0.5,"k":2.0,"even_window":"after","groups":2})"},
      {MatMul{}, R"({"kind":"matmul"})"},
      {MaxPool{{3, 2}, {2, 3}, {1, 0, 2, 1}, {4, 5}, Rounding::ceil},
       R"({"kind":"max_pool","kernel":[3,2],"stride":[2,3],"padding":[1,0,2,1],"dilation":[4,5],"rounding":"ceil"})"},
      {Multiply{}, R"({"kind":"multiply"})"},
      {Pad{{0, 1}, {2, 3}, -1}, R"({"kind":"pad","before":[0,1],"after":[2,3],"value":-1.0})"},
      {BatchStatisticsNorm{0.001, false, false},
       R"({"kind":"batch_statistics_norm","epsilon":0.001,"scale":false,"offset":false})"},
      {FilterResponseNorm{0.001, true, false, false, false},
       R"({"kind":"filter_response_norm","epsilon":0.001,"learned_epsilon":true,"threshold":false,"scale":false,"offset":false})"},
      {GroupNorm{3, 0.001, false, false}, R"({"kind":"group_norm","groups":3,"epsilon":0.001,"scale":false,"offset":false})"},
      {InstanceNorm{0.001, false, false}, R"({"kind":"instance_norm","epsilon":0.001,"scale":false,"offset":false})"},
      {LayerNorm{2, 0.001, false, false}, R"({"kind":"layer_norm","axis":2,"epsilon":0.001,"scale":false,"offset":false})"},
      {LocalContrastNorm{5, 1.5, true, 0.001},
       R"({"kind":"local_contrast_norm","local_size":5,"sigma":1.5,"across_channels":true,"epsilon":0.001})"},
      {LocalMeanSubtraction{5, 1.5, true},
       R"({"kind":"local_mean_subtraction","local_size":5,"sigma":1.5,"across_channels":true})"},
      {MovingAverageBatchNorm{0.001, false, false},
       R"({"kind":"moving_average_batch_norm","epsilon":0.001,"scale":false,"offset":false})"},
      {Scale{0.5}, R"({"kind":"scale","factor":0.5})"},
      {SwitchableNorm{0.001, BatchPart::of_batch, false, false},
       R"({"kind":"switchable_norm","epsilon":0.001,"batch_part":"of_batch","scale":false,"offset":false})"},
      {Relu{}, R"({"kind":"relu"})"},
      {Reshape{{256, 36}}, R"({"kind":"reshape","shape":[256,36]})"},
      {ScaleShift{false, false}, R"({"kind":"scale_shift","scale":false,"offset":false})"},
      {Slice{2, 5, 3, -2}, R"({"kind":"slice","axis":2,"begin":5,"count":3,"step":-2})"},
      {Softmax{3}, R"({"kind":"softmax","axis":3})"},
      {Transpose{{2, 3, 1}}, R"({"kind":"transpose","permutation":[2,3,1]})"},
  };
  return all;
}

TEST(LayerJson, WritesAndReadsEveryFieldOfEveryKind) {
  std::vector<bool> seen(std::variant_size_v<Layer>);
  for (const auto& [layer, text] : spellings()) {
    EXPECT_EQ(to_json(layer).dump(), text);
    EXPECT_TRUE(parsed(text) == layer) << text;
    std::visit(
        [&]<typename Kind>(const Kind& l) {
          const Kind fresh{};
          std::vector<Json> defaults;
          Kind::fields(fresh, [&](std::string_view, const auto& value) { defaults.emplace_back(value); });
          auto at = defaults.begin();
          Kind::fields(l, [&](std::string_view key, const auto& value) { EXPECT_NE(Json(value), *at++) << text << ' ' << key; });
        },
        layer);
    seen[layer.index()] = true;
  }
  EXPECT_THAT(seen, testing::Each(true)) << "a kind without a spelling here";
}

TEST(LayerJson, LeavesOutDefaults) {
  EXPECT_EQ(to_json(Layer(Lrn{})).dump(), R"({"kind":"lrn"})");
  EXPECT_EQ(to_json(Layer(Convolution{.out_channels = 4, .kernel = {3, 3}})).dump(),
            R"({"kind":"convolution","out_channels":4,"kernel":[3,3]})");
  EXPECT_TRUE(parsed(R"({"kind":"lrn"})") == Layer(Lrn{}));
}

TEST(LayerJson, KeepsEveryDigit) {
  for (const double alpha : {0.1, 1.0 / 3, 9.999999747378752e-05, 1e-300}) {
    const Layer layer = Lrn{.alpha = alpha};
    EXPECT_TRUE(parsed(to_json(layer).dump()) == layer) << alpha;
  }
}

TEST(LayerJson, LeavesTheCallersKeysAlone) {
  static constexpr std::array<std::string_view, 1> kIgnored{"name"};
  EXPECT_TRUE(layer_from_json(parse_json(R"({"name": 5, "kind": "relu"})", "test"), kIgnored) == Layer(Relu{}));
}

TEST(LayerJson, RefusesWhatIsNoLayer) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : {
           Case{R"([])", "a layer must be a JSON object"},
           Case{R"({"stride":[1,1]})", "a layer needs a 'kind'"},
           Case{R"({"kind":7})", "a layer needs a 'kind'"},
           Case{R"({"kind":"convolutoin"})", "unknown layer kind 'convolutoin' (did you mean 'convolution'?)"},
           Case{R"({"kind":"lrn","sise":5})",
                "lrn has no parameter 'sise' (known: region, local_size, alpha, beta, k, even_window, groups)"},
           Case{R"({"kind":"lrn","local_sise":5})", "lrn has no parameter 'local_sise' (did you mean 'local_size'?)"},
           Case{R"({"kind":"relu","a\nb":5})", "relu has no parameter 'a\\x0ab'"},
           Case{R"({"kind":"lrn","local_size":5.0})", "'local_size' is 5.0, must be a whole number"},
           Case{R"({"kind":"lrn","local_size":"5"})", "'local_size' is \"5\", must be a whole number"},
           Case{R"({"kind":"lrn","local_size":18446744073709551615})",
                "'local_size' is 18446744073709551615, must be a whole number"},
           Case{R"({"kind":"lrn","alpha":"1e-4"})", "'alpha' is \"1e-4\", must be a number"},
           Case{R"({"kind":"lrn","alpha":null})", "'alpha' is null, must be a number"},
           Case{R"({"kind":"lrn","region":"across"})", "'region' is \"across\", must be one of across_channels, within_channel"},
           Case{R"({"kind":"lrn","region":1})", "'region' is 1, must be one of across_channels, within_channel"},
           Case{R"({"kind":"lrn","even_window":"both"})", "'even_window' is \"both\", must be one of before, after, none"},
           Case{R"({"kind":"max_pool","rounding":true})", "'rounding' is true, must be one of floor, ceil"},
           Case{R"({"kind":"convolution","bias":1})", "'bias' is 1, must be true or false"},
           Case{R"({"kind":"convolution","kernel":3})", "'kernel' is 3, must be a list of 2 whole numbers"},
           Case{R"({"kind":"convolution","kernel":[3,3,3]})", "'kernel' is [3,3,3], must be a list of 2 whole numbers"},
           Case{R"({"kind":"convolution","kernel":[3,0.5]})", "'kernel' is 0.5, must be a whole number"},
           Case{R"({"kind":"convolution","padding":[1,1]})", "'padding' is [1,1], must be a list of 4 whole numbers"},
           Case{R"({"kind":"reshape","shape":7})", "'shape' is 7, must be a list of at most 8 whole numbers"},
           Case{R"({"kind":"reshape","shape":[1,1,1,1,1,1,1,1,1]})",
                "'shape' is [1,1,1,1,1,1,1,1,1], must be a list of at most 8 whole numbers"},
           Case{R"({"kind":"reshape","shape":[1,2.5]})", "'shape' is 2.5, must be a whole number"},
       }) {
    EXPECT_EQ(refused(text), message) << text;
  }
}

TEST(LayerJson, ShortensWhatItQuotes) {
  EXPECT_EQ(refused(fmt::format(R"({{"kind":"convolution","kernel":"{}"}})", std::string(100, 'x'))),
            fmt::format("'kernel' is \"{}..., must be a list of 2 whole numbers", std::string(59, 'x')));
}

TEST(LayerJson, NamesTheKnownKindsWhenNoneIsNear) {
  EXPECT_EQ(refused(R"({"kind":"transformer"})").substr(0, 69),
            "unknown layer kind 'transformer' (known: adaptive_average_pool, add, ");
}

}  // namespace
}  // namespace alexnet::test
