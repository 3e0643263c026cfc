#include "model/labels.h"

#include <nlohmann/json.hpp>

#include "alexnet/error.h"

namespace alexnet {
namespace {

std::string refusal(const char* text) {
  try {
    labels_from_json(Json::parse(text));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.message();
  }
  return "accepted";
}

TEST(Labels, ReadBackAsWritten) {
  const std::vector<Label> labels{{"n02012849", "crane"}, {"n03126707", "crane"}, {"n1", "tabby, \"tabby\" caf\u00e9"}};
  EXPECT_EQ(labels_from_json(to_json(labels)), labels);
  EXPECT_EQ(to_json(labels)[0].dump(), R"({"id":"n02012849","label":"crane"})");
}

TEST(Labels, RefuseWhatWouldMislead) {
  const struct {
    const char* json;
    const char* message;
  } kCases[] = {
      {R"([])", "accepted"},
      {R"([{"id": "", "label": "cat"}, {"id": "", "label": "dog"}])", "accepted"},
      {R"({"id": "a", "label": "b"})", "must be a list of labels"},
      {R"(["cat"])", R"(the label of output 0 must be {"id": TEXT, "label": TEXT})"},
      {R"([{"id": "a", "label": "b"}, {"label": "c"}])", R"(the label of output 1 must be {"id": TEXT, "label": TEXT})"},
      {R"([{"id": 5, "label": "b"}])", R"(the label of output 0 must be {"id": TEXT, "label": TEXT})"},
      {R"([{"id": "a", "label": "b", "more": 1}])", R"(the label of output 0 must be {"id": TEXT, "label": TEXT})"},
      {R"([{"id": "a", "label": ""}])", "the label of output 0 is empty"},
      {R"([{"id": "a", "label": "two\nlines"}])", R"(the label of output 0 has a control character: 'two\x0alines')"},
      {R"([{"id": "a", "label": "x"}, {"id": "a", "label": "y"}])", "the label of output 1 repeats 'a' of output 0"},
      {R"([{"id": "", "label": "x"}, {"id": "", "label": "x"}])", "the label of output 1 repeats 'x' of output 0"},
  };
  for (const auto& c : kCases) EXPECT_EQ(refusal(c.json), c.message) << c.json;
}

}  // namespace
}  // namespace alexnet
