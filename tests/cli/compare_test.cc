// compare as a user and a script see it.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "formats/npy.h"
#include "formats/npz.h"
#include "model/model_file.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

using test::lines;

class CompareVerb : public test::CommandTest {
 protected:
  // A dump of the small model by itself, with one number of conv2 changed if `change` is not 0.
  void write_dump(float change) {
    Tensor data = Tensor::zeros({3, 3, 32, 32});
    for (std::size_t i = 0; i < 3 * 3072; ++i) data.mutable_values<float>()[i] = static_cast<float>(i % 13) / 6 - 1;
    write_npz(path("data.npz"), std::vector<NamedTensor>{{"data", data}});
    const auto npy = path("data.npy");
    write_npy(npy, data);
    ASSERT_EQ(alexnet({"run", "--input", "data=data.npy", "--layer", "data,conv1,norm1,conv2,fc4", "-o", "dump.npz"}).exit_code, 0);
    auto arrays = read_npz(path("dump.npz"));
    Tensor conv2 = Tensor::zeros(arrays[3].tensor.shape());
    std::ranges::copy(arrays[3].tensor.values<float>(), conv2.mutable_values<float>().begin());
    conv2.mutable_values<float>()[100] += change;
    arrays[3].tensor = conv2;
    arrays.push_back({"conv22", Tensor::zeros({3})});
    write_npz(path("dump.npz"), arrays);
  }
};

TEST_F(CompareVerb, SaysThatAllIsWellOrWhereItIsNot) {
  write_dump(0);
  const auto good = alexnet({"compare", "--reference", "dump.npz"});
  EXPECT_EQ(good.exit_code, 0) << good;
  EXPECT_EQ(good.err, "");
  EXPECT_THAT(good.out, testing::StartsWith(model_ + " against dump.npz: 3 pictures, f32 against F32\n"));
  EXPECT_THAT(good.out, testing::HasSubstr("All layers are within their tolerance.\n"
                                           "Scores (fc4): of 3 pictures, 3 have the same first class, 3 the same first 5.\n"));
  EXPECT_THAT(good.out, testing::HasSubstr("Not in the model: 'conv22' (is conv2 meant?).\n"));

  write_dump(10);
  const auto bad = alexnet({"compare", model_, "--reference", "dump.npz"});
  EXPECT_EQ(bad.exit_code, 4) << bad;
  EXPECT_EQ(bad.err,
            "alexnet: dump.npz: conv2 is the first layer past its tolerance; fed the reference's values, conv2, fc4 differ "
            "(--diagnose tries what is usually the cause)\n");
  EXPECT_THAT(bad.out, testing::ContainsRegex("\n!  conv2 "));
  EXPECT_THAT(bad.out, testing::ContainsRegex("  conv2: .* instead of .* at \\[0, 2, 4, 4\\], cosine"));
}

TEST_F(CompareVerb, SaysWhatToChange) {
  write_dump(0);
  const auto good = alexnet({"compare", "--diagnose", "--reference", "dump.npz"});
  EXPECT_EQ(good.exit_code, 0) << good;
  EXPECT_THAT(good.out, testing::EndsWith("\nDiagnosis\n  Nothing is wrong.\n"));
  alexnet({"compare", "-q", "--diagnose", "--reference", "dump.npz", "--report", "good.html"});
  EXPECT_THAT(content("good.html"), testing::HasSubstr("<h2>Diagnosis</h2>\n<p class=\"lead\">Nothing is wrong.</p>"));

  Model other = test::tiny_model();
  std::get<Lrn>(find(other.graph, "norm1")->layer).k = 1;
  write_model(other, path("other.safetensors"));
  const auto wrong = alexnet({"compare", "--diagnose", "-m", "other.safetensors", "--reference", "dump.npz"});
  EXPECT_EQ(wrong.exit_code, 4) << wrong;
  EXPECT_THAT(wrong.out, testing::HasSubstr("    norm1: the reference has k 2, ours 1\n"
                                            "      change: \"k\": 2 in layer norm1 of the graph\n"));
  const Json json =
      Json::parse(alexnet({"compare", "--diagnose", "-m", "other.safetensors", "--reference", "dump.npz", "-f", "json"}).out);
  EXPECT_EQ(json["diagnosis"]["findings"][0]["explanations"][0][0]["suspect"], "lrn_k");
  EXPECT_LT(json["diagnosis"]["findings"][0]["relative_after"].get<double>(), 1e-6);
  alexnet({"compare", "-q", "--diagnose", "-m", "other.safetensors", "--reference", "dump.npz", "--report", "page.html"});
  EXPECT_THAT(content("page.html"), testing::HasSubstr("<strong>norm1</strong>: the reference has k 2, ours 1</p>\n"
                                                       "<pre>&quot;k&quot;: 2 in layer norm1 of the graph\n</pre>"));

  write_dump(10);
  const auto unknown = alexnet({"compare", "--diagnose", "--reference", "dump.npz"});
  EXPECT_EQ(unknown.exit_code, 4) << unknown;
  EXPECT_THAT(unknown.out, testing::HasSubstr("conv2, fc4: not one of the usual suspects"));
}

TEST_F(CompareVerb, FitsATerminalOf80Columns) {
  ALEXNET_NEEDS_A_TERMINAL();
  write_dump(10);
  const auto result = alexnet({"compare", "--color=never", "--reference", "dump.npz"}, {.columns = 80});
  for (const auto& line : lines(result.out)) {
    const bool is_path_or_error = line.starts_with("/") || line.starts_with("alexnet:");
    EXPECT_TRUE(is_path_or_error || line.size() <= 81) << line;  // a terminal's lines end in \r\n
  }
}

TEST_F(CompareVerb, GivesEverythingAsJson) {
  write_dump(10);
  const auto result = alexnet({"compare", "-f", "json", "-o", "out.json", "--reference", "dump.npz"});
  EXPECT_EQ(result.exit_code, 4) << result;
  EXPECT_EQ(result.out, "");
  const Json json = Json::parse(content("out.json"));
  EXPECT_EQ(json["agrees"], false);
  EXPECT_EQ(json["first_past_tolerance"], "conv2");
  EXPECT_EQ(json["pictures"], 3);
  EXPECT_EQ(json["layers"].size(), 4u);
  const Json& conv2 = json["layers"][2];
  EXPECT_EQ(conv2["name"], "conv2");
  EXPECT_EQ(conv2["isolated"]["agrees"], false);
  EXPECT_EQ(conv2["isolated"]["position"], (Json{0, 2, 4, 4}));
  EXPECT_NEAR(conv2["isolated"]["largest"].get<double>(), 10, 1e-5);
  EXPECT_EQ(json["layers"][1]["isolated"]["agrees"], true);
  EXPECT_EQ(json["not_in_model"][0]["nearest"], "conv2");
  EXPECT_EQ(json["scores"]["same_first"], 3);
  EXPECT_EQ(json["scores"]["pictures"][0]["top"].size(), 5u);
}

TEST_F(CompareVerb, NamesWhatIsWrongWithTheCallOrTheFile) {
  write_dump(0);
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    std::string error;
  };
  for (const auto& [arguments, exit_code, error] : {
           Case{{}, 2, "--reference: is needed (a dump of another framework's activations: --reference DUMP.npz)"},
           Case{{"--reference", "none.npz"}, 3, "none.npz: can't be opened: No such file or directory"},
           Case{{"--reference", model_}, 3, model_ + ": "},
           Case{{"--reference", "data.npz"}, 3, "data.npz: has no array that is named like a layer of the network"},
           Case{{"--reference", "dump.npz", "-f", "csv"}, 2, "--format: 'csv' is not allowed (allowed: text or json)"},
       }) {
    std::vector<std::string> all{"compare"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const auto result = alexnet(all);
    EXPECT_EQ(result.exit_code, exit_code) << result;
    EXPECT_THAT(result.err, testing::StartsWith("alexnet: " + error));
    EXPECT_EQ(lines(result.err).size(), 1u);
  }
}

}  // namespace
}  // namespace alexnet
