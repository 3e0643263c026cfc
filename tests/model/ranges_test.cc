#include "model/ranges.h"

#include <nlohmann/json.hpp>

#include "alexnet/error.h"

namespace alexnet {
namespace {

using ::testing::HasSubstr;

const Graph kGraph{.inputs = {{"data", {3, 8, 8}}}, .nodes = {{"relu", Relu{}, {"data"}}}, .outputs = {"relu"}};
const Ranges kRanges{.data = "some photographs", .pictures = 7, .tensors = {{"data", {-2.25, 2.5}}, {"relu", {0, 2.5}}}};

TEST(Ranges, ReadBackAsWritten) {
  EXPECT_EQ(ranges_from_json(to_json(kRanges)), kRanges);
  EXPECT_EQ(to_json(kRanges).dump(), R"({"data":"some photographs","pictures":7,"tensors":{"data":[-2.25,2.5],"relu":[0.0,2.5]}})");
  EXPECT_EQ(ranges_from_json(Json::object()), Ranges{});
}

TEST(Ranges, RefuseWhatGivesNoScale) {
  for (const auto& [text, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"({"tensor": {}})", "'tensor'"},
           {R"({"tensors": [1]})", "tensors: is no object of ranges"},
           {R"({"tensors": {"conv9": [0, 1]}})", "tensors: no layer or input is called 'conv9'"},
           {R"({"tensors": {"relu": [0, 1, 2]}})", "tensors: relu"},
           {R"({"tensors": {"relu": [0.5, 1]}})", "tensors: relu: 0.5 to 1 is no finite range around zero"},
           {R"({"tensors": {"relu": [-1, -0.5]}})", "tensors: relu: -1 to -0.5 is no finite range around zero"},
           {R"({"tensors": {"relu": [-3e38, 3e38]}})", "is no finite range around zero"}}) {
    try {
      check(ranges_from_json(Json::parse(text)), kGraph);
      ADD_FAILURE() << "accepted " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model) << text;
      EXPECT_THAT(error.what(), HasSubstr(message)) << text;
    }
  }
}

}  // namespace
}  // namespace alexnet
