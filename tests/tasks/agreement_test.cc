#include "tasks/agreement.h"

#include "base/text.h"
#include "tasks/record_line.h"
#include "tests/support.h"

namespace alexnet {
namespace {

const std::vector<Label> kLabels{{"n01", "tabby"}, {"n02", "crane"}, {"n03", "obelisk"}};
const ClassNames kNames(kLabels, 3);

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.what();
  }
  return "accepted";
}

TEST(RecordLine, ReadsWhatClassifyWrites) {
  const auto record = read_record(
      R"({"path": "a\ufffd", "path_base64": "Yf8=", "top": [{"index": 2, "id": "n03", "label": "obelisk", "probability": 0.75}, )"
      R"({"index": 0, "id": "", "label": "", "probability": null}], "width": 4, "height": 3, "target": 1, "logits": [1]})");
  EXPECT_EQ(record.path, "a\xff");
  EXPECT_FALSE(record.error);
  EXPECT_TRUE(record.logits);
  ASSERT_EQ(record.top.size(), 2u);
  EXPECT_EQ(record.top[0].index, 2);
  EXPECT_EQ(record.top[0].id, "n03");
  EXPECT_EQ(record.top[0].probability, 0.75);
  EXPECT_TRUE(std::isnan(record.top[1].probability));
  const auto failed = read_record(R"({"path": "x", "error": {"kind": "truncated", "message": "ends"}})");
  ASSERT_TRUE(failed.error);
  EXPECT_EQ(failed.error->kind(), ErrorKind::truncated);
  EXPECT_EQ(failed.error->message(), "ends");
}

TEST(RecordLine, ReadsBytesInBase64) {
  const auto line = [](const std::string& text) {
    return fmt::format(R"({{"path": "x", "path_base64": "{}", "top": [{{"index": 1}}]}})", text);
  };
  for (const std::string bytes : {"", "a", "ab", "abc", "abcd", "\xff\xfe\xfd", "in/\xff.jpg"}) {
    EXPECT_EQ(read_record(line(base64(bytes))).path, bytes);
  }
  for (const std::string refused : {"a", "ab=", "abc", "====", "ab c", "a===", "=abc", "ab=c", "abcd="}) {
    EXPECT_EQ(refusal([&] { read_record(line(refused)); }), "is no record: path_base64 is not in base64") << refused;
  }
}

TEST(RecordLine, RefusesWhatIsNoRecord) {
  struct Case {
    std::string line;
    std::string error;
  };
  for (const auto& [line, error] : {
           Case{"[]", "is no record: no JSON object"},
           Case{"{}", "is no record: no path"},
           Case{R"({"path": 1})", "is no record: no path"},
           Case{R"({"path": "x", "path_base64": "=", "top": []})", "is no record: path_base64 is not in base64"},
           Case{R"({"path": "x"})", "is no record: neither top nor error"},
           Case{R"({"path": "x", "top": []})", "is no record: neither top nor error"},
           Case{R"({"path": "x", "top": [1]})", "is no record: an entry of top is no object"},
           Case{R"({"path": "x", "top": [{"index": 1.5}]})", "is no record: an entry of top has no index"},
       }) {
    EXPECT_EQ(refusal([&] { read_record(line); }), error) << line;
  }
}

TEST(Predictions, AreFoundByThePathSeenFromHere) {
  const test::TemporaryFolder folder;
  const std::string here = std::filesystem::current_path().string();
  const Predictions predictions(
      folder
          .write("p.jsonl", R"({"path": "in/./a.jpg", "top": [{"index": 2}]})"
                            "\r\n\n"
                            R"({"path": "in/b.jpg", "error": {}})"
                            "\n"
                            R"({"path": "in/\ufffd.jpg", "path_base64": "aW4v/y5qcGc=", "top": [{"index": 1}]})"
                            "\n"
                            R"({"path": "in/c.jpg", "top": [{"index": 7, "id": "n01", "label": "tabby"}]})")
          .string(),
      kNames);
  EXPECT_EQ(predictions.size(), 4u);
  for (const std::string path : {"in/a.jpg", "./in/a.jpg", "in/../in/a.jpg"}) {
    const auto found = predictions.find(path);
    ASSERT_TRUE(found) << path;
    EXPECT_EQ(found->front().index, 2) << path;
  }
  EXPECT_EQ(predictions.find(here + "/in/a.jpg")->front().index, 2);
  EXPECT_EQ(predictions.find("in/\xff.jpg")->front().index, 1);
  EXPECT_EQ(predictions.find("in/c.jpg")->front().index, 0) << "ids come before indices";
  EXPECT_FALSE(predictions.find("in/b.jpg")) << "an error is no prediction";
  EXPECT_FALSE(predictions.find("a.jpg"));
}

TEST(Predictions, RefuseFilesOfSomethingElse) {
  const test::TemporaryFolder folder;
  const auto open = [&](const std::string& text) {
    return refusal([&] { const Predictions predictions(folder.write("p.jsonl", text).string(), kNames); });
  };
  EXPECT_THAT(open("{\"path\": \"a\", \"error\": {}}\nmy diary\n"), testing::HasSubstr("p.jsonl: line 2"));
  EXPECT_THAT(open("{}\n"), testing::EndsWith("p.jsonl: line 1: is no record: no path"));
  EXPECT_THAT(open("\n\n"), testing::EndsWith("p.jsonl: has no records"));
  const Predictions beyond(folder.write("q.jsonl", R"({"path": "a.jpg", "top": [{"index": 3}]})").string(), kNames);
  EXPECT_THAT(refusal([&] { beyond.find("a.jpg"); }), testing::EndsWith("q.jsonl: line 1 predicts class 3, the network has 3"));
}

TEST(Agreement, CountsWhoIsRightAndListsWhatDiffers) {
  Agreement agreement;
  const auto compare = [&](std::int64_t target, std::int64_t ours, std::optional<std::int64_t> theirs) {
    const Classification record{.path = "x", .target = target, .error = {}, .top = {{ours, 0.9}}, .logits = {}, .notes = {}};
    add(agreement, record, theirs ? std::optional(std::vector<ScoredClass>{{*theirs, 0.8}}) : std::nullopt);
  };
  compare(0, 0, 0);
  compare(0, 0, 1);
  compare(0, 1, 0);
  compare(0, 2, 0);
  compare(0, 1, 1);
  compare(0, 1, 2);
  compare(0, 1, std::nullopt);
  EXPECT_EQ(agreement.compared, 6u);
  EXPECT_EQ(agreement.missing, 1u);
  EXPECT_EQ(agreement.same, 2u);
  EXPECT_EQ(agreement.both, 1u);
  EXPECT_EQ(agreement.only_ours, 1u);
  EXPECT_EQ(agreement.only_theirs, 2u);
  EXPECT_EQ(agreement.neither, 2u);
  EXPECT_EQ(agreement.differences.size(), 4u);
}

}  // namespace
}  // namespace alexnet
