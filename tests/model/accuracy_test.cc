#include "model/accuracy.h"

#include <nlohmann/json.hpp>

#include "alexnet/error.h"

namespace alexnet {
namespace {

using ::testing::HasSubstr;

const Accuracy kAccuracy{
    .data = "2,000 pictures of Tiny-ImageNet",
    .pictures = 2000,
    .command = "tools/make_default_model",
    .source = TopShares{.top1 = 42.1, .top5 = 68.9},
    .precisions = {{"f32", {.top1 = 42, .top5 = 68.9}}, {"int8", {.top1 = 41.25, .top5 = 68.5, .better = 10, .worse = 25}}}};

TEST(Accuracy, ReadsBackAsWritten) {
  EXPECT_EQ(accuracy_from_json(to_json(kAccuracy)), kAccuracy);
  EXPECT_EQ(
      to_json(kAccuracy).dump(),
      R"({"data":"2,000 pictures of Tiny-ImageNet","pictures":2000,"command":"tools/make_default_model",)"
      R"("source":{"top1":42.1,"top5":68.9},"precisions":{"f32":{"top1":42.0,"top5":68.9},"int8":{"top1":41.25,"top5":68.5,"better":10,"worse":25}}})");
  EXPECT_EQ(accuracy_from_json(Json::object()), Accuracy{});
}

TEST(Accuracy, KnowsWhatAPrecisionCosts) {
  EXPECT_EQ(top1_cost(kAccuracy, "int8"), 0.75);
  EXPECT_EQ(top1_cost(kAccuracy, "f32"), 0.0);
  EXPECT_EQ(top1_cost(kAccuracy, "bf16"), std::nullopt);
  EXPECT_EQ(top1_cost(Accuracy{}, "f32"), std::nullopt);
}

TEST(Accuracy, RefusesWhatWouldMislead) {
  for (const auto& [text, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"(["f32"])", "accuracy"},
           {R"({"picture": 5})", "'picture'"},
           {R"({"pictures": "many"})", "'pictures'"},
           {R"({"precisions": {"f23": {"top1": 1, "top5": 2}}})", "'f23'"},
           {R"({"precisions": {"f32": {"top1": 101, "top5": 2}}})", "precisions: f32: 101 is no share in per cent"},
           {R"({"source": {"top1": -1, "top5": 2}})", "source: -1 is no share in per cent"},
           {R"({"precisions": {"bf16": {"top1": 1, "worse": -2}}})", "precisions: bf16: -2 is no number of pictures"}}) {
    try {
      accuracy_from_json(Json::parse(text));
      ADD_FAILURE() << "accepted " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model) << text;
      EXPECT_THAT(error.what(), HasSubstr(message)) << text;
    }
  }
}

}  // namespace
}  // namespace alexnet
