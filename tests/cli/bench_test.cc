// bench as a user and a script see it; never how fast.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

class BenchCommand : public test::CommandTest {};

TEST_F(BenchCommand, PrintsARowForEachPrecisionAndBatch) {
  const auto result = alexnet({"bench", "--batch", "1,3", "--precision", "f32", "--seconds", "1", "--threads", "2"});
  ASSERT_EQ(result.exit_code, 0) << result;
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, testing::HasSubstr("2 threads (--threads); load "));
  const auto lines = test::lines(result.out);
  EXPECT_THAT(lines[lines.size() - 2], testing::MatchesRegex("f32 +1 .*"));
  EXPECT_THAT(lines.back(), testing::MatchesRegex("f32 +3 .*"));
}

TEST_F(BenchCommand, GivesEverythingAsJson) {
  const auto result = alexnet({"bench", "--json", "--batch", "2", "--precision", "f32,int8", "--seconds", "1"});
  ASSERT_EQ(result.exit_code, 0) << result;
  const Json json = Json::parse(result.out);
  ASSERT_EQ(json["cases"].size(), 2u);
  for (const auto& row : json["cases"]) {
    EXPECT_EQ(row["batch"], 2);
    EXPECT_GE(row["rounds"].get<int>(), 5);
    EXPECT_LE(row["median_ms"].get<double>(), row["p90_ms"].get<double>());
    EXPECT_LE(row["p90_ms"].get<double>(), row["p99_ms"].get<double>());
  }
  EXPECT_NE(json["threads_reason"], "");
}

TEST_F(BenchCommand, ShowsLayersBesideTheirLimits) {
  ALEXNET_NEEDS_A_TERMINAL();
  const auto result = alexnet({"bench", "--json", "--layers", "--batch", "1", "--precision", "f32", "--seconds", "1"});
  ASSERT_EQ(result.exit_code, 0) << result;
  const Json layers = Json::parse(result.out)["layers"];
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_EQ(layers[0]["steps"][0]["layers"][0], "conv1");
  EXPECT_GT(layers[0]["steps"][0]["bare_ms"].get<double>(), 0);
  EXPECT_GT(layers[0]["bare_ms"].get<double>(), 0);
  const auto text = alexnet({"bench", "--layers", "--batch", "1", "--precision", "f32", "--seconds", "1"}, {.columns = 60});
  ASSERT_EQ(text.exit_code, 0) << text;
  EXPECT_THAT(text.out, testing::HasSubstr("peak "));
}

TEST_F(BenchCommand, TimesTheWayFromFilesToLabels) {
  write_pictures(5);
  folder_.write("in/02.ppm", "broken");
  const auto result = alexnet({"bench", "--pipeline", "in", "--json", "--seconds", "1"});
  ASSERT_EQ(result.exit_code, 0) << result;
  const Json pipeline = Json::parse(result.out)["pipeline"];
  EXPECT_EQ(pipeline["pictures"], 5);
  EXPECT_EQ(pipeline["failed"], 1);
  EXPECT_GT(pipeline["busy"].get<double>(), 0);
  EXPECT_LT(pipeline["busy"].get<double>(), 1.2) << "more than all of the threads' time would be a miscount";
}

TEST_F(BenchCommand, RefusesWhatItCannotMeasure) {
  struct Case {
    std::vector<std::string> arguments;
    std::string said;
    int exit_code = 2;
  };
  for (const auto& [arguments, said, exit_code] : {
           Case{{"--batch", "1,x"}, "--batch: 'x' is not allowed (allowed: integers from 1 to 4096, separated by commas)"},
           Case{{"--batch", "0"}, "--batch: '0' is not allowed"},
           Case{{"--precision", "f32,f17"}, "--precision: 'f17' is not allowed (allowed: auto, f32, bf16 and int8"},
           Case{{"--arch", "vgg"}, "vgg"},
           Case{{"--arch", "paper", "-m", model_}, "--arch: goes without --model"},
           Case{{"--seconds", "0"}, "--seconds: '0' is not allowed"},
           Case{{"-m", "missing.safetensors"}, "missing.safetensors", 3},
       }) {
    std::vector<std::string> words{"bench"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const auto result = alexnet(words);
    EXPECT_EQ(result.exit_code, exit_code) << result;
    EXPECT_THAT(result.err, testing::HasSubstr(said));
    EXPECT_EQ(result.out, "");
  }
}

}  // namespace
}  // namespace alexnet
