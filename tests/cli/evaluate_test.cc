// `alexnet evaluate` as a user and a script see it.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;
using test::lines;

class EvaluateCommand : public test::CommandTest {
 protected:
  // val/n00000000/00.ppm and so on: pictures of noise, one after the other into so many classes.
  void write_set(int count, int classes = 5) {
    for (int i = 0; i < classes; ++i) fs::create_directories(path(fmt::format("val/n{:08}", i)));
    for (int i = 0; i < count; ++i) {
      folder_.write(fmt::format("val/n{:08}/{:04}.ppm", i % classes, i), test::noise_ppm(24 + i % 5, 20, static_cast<unsigned>(i)));
    }
  }
  Json measured(std::vector<std::string> arguments, int exit_code = 0) const {
    arguments.insert(arguments.begin(), {"evaluate", "-f", "json"});
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result;
    return Json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  }
};

TEST_F(EvaluateCommand, MeasuresWhatClassifySays) {
  write_set(40);
  std::uint64_t top1 = 0;
  std::uint64_t top5 = 0;
  for (const auto& line : lines(alexnet({"classify", "-r", "-f", "jsonl", "val"}).out)) {
    const Json record = Json::parse(line);
    const std::string id = record["path"].get<std::string>().substr(4, 9);
    for (std::size_t i = 0; i < 5; ++i) {
      const bool right = record["top"][i]["id"] == id;
      top1 += right && i == 0 ? 1 : 0;
      top5 += right ? 1 : 0;
    }
  }
  const Json found = measured({"val"});
  EXPECT_EQ(found["pictures"], 40);
  EXPECT_EQ(found["failed"], 0);
  EXPECT_EQ(found["top1"]["right"], top1);
  EXPECT_EQ(found["top5"]["right"], top5);
  EXPECT_EQ(found["classes"].size(), 5u);
  EXPECT_EQ(found["classes"][0]["label"], "thing 0, \"quoted\"");
  std::uint64_t wrong = 0;
  for (const auto& pair : found["confused"]) wrong += pair["pictures"].get<std::uint64_t>();
  EXPECT_EQ(wrong, 40 - top1);
  EXPECT_EQ(measured({"--batch", "3", "--threads", "1", "val"}), found) << "whatever batch and threads are";
  EXPECT_NE(measured({"--crops", "10", "val"})["calibration"], found["calibration"]);
}

TEST_F(EvaluateCommand, TakesAListInsteadOfFolders) {
  write_set(10);
  std::string list = "label,path\n";
  for (int i = 0; i < 10; ++i) list += fmt::format("\"thing {0}, \"\"quoted\"\"\",val/n{0:08}/{1:04}.ppm\n", i % 5, i);
  folder_.write("list.csv", list);
  Json by_list = measured({"list.csv"});
  EXPECT_EQ(by_list["set"], "list.csv");
  by_list["set"] = "val";
  EXPECT_EQ(by_list, measured({"val"}));
}

TEST_F(EvaluateCommand, PrintsMeasuresForPeople) {
  ALEXNET_NEEDS_A_TERMINAL();
  write_set(40);
  folder_.write("val/n00000001/broken.png", "no picture");
  const auto result = alexnet({"evaluate", "val"});
  EXPECT_EQ(result.exit_code, 1) << result;
  EXPECT_EQ(result.err,
            "alexnet: val/n00000001/broken.png: is not a picture: it begins with 'no picture' (JPEG, PNG, GIF, BMP and PNM are)\n"
            "alexnet: 1 of 41 pictures could not be used\n");
  const auto out = lines(result.out);
  EXPECT_EQ(out[0], "40 pictures of 5 classes, f32");
  EXPECT_EQ(out[1], "1 more could not be used and are not counted");
  EXPECT_THAT(result.out, testing::ContainsRegex("top-1 +[0-9.]+ % +[0-9.]+ to [0-9.]+ % +[0-9]+ of 40\n"));
  EXPECT_THAT(result.out, testing::ContainsRegex("top-5 +[0-9.]+ % +[0-9.]+ to [0-9.]+ % +[0-9]+ of 40\n"));
  EXPECT_THAT(result.out, testing::ContainsRegex("expected calibration error [0-9.]+ %: it is [0-9.]+ % sure on average"));
  EXPECT_THAT(result.out, testing::HasSubstr("classes least often right"));
  EXPECT_THAT(result.out, testing::HasSubstr("most often taken for another"));
  const auto narrow = alexnet({"evaluate", "-q", "--color", "never", "val"}, {.columns = 60});
  for (const auto& line : lines(narrow.out)) {
    const bool is_sentence = line.find("alexnet: ") != std::string::npos || line.find("calibration") != std::string::npos;
    if (!is_sentence) {
      EXPECT_LE(line.size(), 61u) << line;
    }
  }
}

TEST_F(EvaluateCommand, CountsBrokenPicturesApartAndListsThem) {
  write_set(10);
  folder_.write("val/n00000000/0003x.ppm", "P6\n50");
  folder_.write("val/n00000003/\xff.ppm", "");
  const Json found = measured({"val"}, 1);
  EXPECT_EQ(found["pictures"], 10);
  EXPECT_EQ(found["failed"], 2);
  EXPECT_EQ(found["failures"][0]["path"], "val/n00000000/0003x.ppm");
  EXPECT_EQ(found["failures"][0]["error"]["kind"], "truncated");
  EXPECT_EQ(found["failures"][1]["path_base64"], base64("val/n00000003/\xff.ppm"));
  EXPECT_EQ(found["failures"][1]["error"]["kind"], "empty");
}

TEST_F(EvaluateCommand, ResumesWithTheSameResult) {
  write_set(30);
  folder_.write("val/n00000002/broken.ppm", "P6\n");
  const Json expected = measured({"-o", "whole.jsonl", "val"}, 1);
  const std::string whole = content("whole.jsonl");
  const auto records = lines(whole);
  ASSERT_EQ(records.size(), 31u);
  EXPECT_EQ(Json::parse(records[7])["target"], 1);
  for (const std::size_t kept : {0u, 1u, 17u, 31u}) {
    folder_.write("part.jsonl", join(std::span(records).first(kept), "\n") + (kept > 0 ? "\n" : "") + "{\"path\": \"to");
    const Json found = measured({"--resume", "-o", "part.jsonl", "val"}, 1);
    EXPECT_EQ(found, expected) << kept;
    EXPECT_EQ(content("part.jsonl"), whole) << kept;
  }
  folder_.write("gaps.jsonl", join(std::span(records).subspan(20), "\n") + "\n" + join(std::span(records).first(4), "\n") + "\n");
  EXPECT_EQ(measured({"--resume", "-o", "gaps.jsonl", "val"}, 1), expected);
}

TEST_F(EvaluateCommand, ASignalGivesTheResultsSoFar) {
  write_set(20);
  std::string list;
  for (int i = 0; i < 200'000; ++i) list += fmt::format("val/n{:08}/{:04}.ppm,{}\n", i % 5, i % 20, i % 5);
  folder_.write("list.csv", list);
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    fs::remove(path("out.jsonl"));
    test::Command command({"evaluate", "-f", "json", "--resume", "-o", "out.jsonl", "list.csv"}, here());
    std::error_code ignored;
    for (int wait = 0; wait < 4000 && (!fs::exists(path("out.jsonl")) || fs::file_size(path("out.jsonl"), ignored) < 1000);
         ++wait) {
      ::usleep(5000);
    }
    command.send(signal);
    const auto result = command.finish();
    EXPECT_EQ(result.exit_code, code) << result;
    const Json found = Json::parse(result.out, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(found.is_object()) << result;
    EXPECT_EQ(found["whole"], false);
    EXPECT_GT(found["pictures"], 0);
    EXPECT_EQ(found["pictures"], lines(content("out.jsonl")).size());
  }
}

TEST_F(EvaluateCommand, ComparesWithOtherPredictions) {
  write_set(30);
  measured({"-o", "same.jsonl", "val"});
  const Json same = measured({"--against", "same.jsonl", "val"})["against"];
  EXPECT_EQ(same["compared"], 30);
  EXPECT_EQ(same["missing"], 0);
  EXPECT_EQ(same["same"], 30);
  EXPECT_EQ(same["mcnemar"]["p_value"], 1.0);
  EXPECT_EQ(same["differences"].size(), 0u);

  // An engine that is always right, and lacks three pictures.
  std::string oracle;
  const auto records = lines(content("same.jsonl"));
  std::uint64_t right = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Json record = Json::parse(records[i]);
    if (i >= 3) {
      right += record["top"][0]["index"] == record["target"] ? 1 : 0;
      oracle += fmt::format("{{\"path\": \"{}/{}\", \"top\": [{{\"index\": {}}}]}}\n", folder_.path().string(),
                            record["path"].get<std::string>(), record["target"].get<int>());
    }
  }
  folder_.write("oracle.jsonl", oracle);
  const Json found = measured({"--against", "oracle.jsonl", "val"})["against"];
  EXPECT_EQ(found["compared"], 27);
  EXPECT_EQ(found["missing"], 3);
  EXPECT_EQ(found["right"], (Json{{"both", right}, {"only_here", 0}, {"only_there", 27 - right}, {"neither", 0}}));
  EXPECT_EQ(found["differences"].size(), 27 - right);
  EXPECT_EQ(found["differences"][0]["there"], found["differences"][0]["target"]);
  const auto text = alexnet({"evaluate", "--against", "oracle.jsonl", "val"}).out;
  EXPECT_THAT(text, testing::HasSubstr("compared with oracle.jsonl\n27 pictures; it has no prediction for 3 more\n"));
  EXPECT_THAT(text, testing::ContainsRegex("McNemar's test: p [=<] [0-9.]+ \\(.*\\); the other is more often right\n"));
}

TEST_F(EvaluateCommand, WritesAPageThatNothingCanBreakOutOf) {
  write_set(12);
  const std::string hostile = "val/n00000001/\"><script>alert(1)<|script>'&.ppm";
  folder_.write(hostile, test::noise_ppm(24, 24, 5));
  folder_.write("val/n00000002/<b>.ppm", "no picture");
  measured({"--report", "page.html", "val"}, 1);
  const std::string page = content("page.html");
  EXPECT_THAT(page, testing::StartsWith("<!doctype html>\n"));
  EXPECT_THAT(page, testing::EndsWith("</html>\n"));
  EXPECT_NE(page.find("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\""), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<b>.ppm"), std::string::npos);
  EXPECT_NE(page.find("&quot;&gt;&lt;script&gt;alert(1)&lt;|script&gt;&#39;&amp;.ppm"), std::string::npos);
  EXPECT_NE(page.find("<img alt=\"thing 1\" src=\"data:image/png;base64,"), std::string::npos);
  EXPECT_NE(page.find("alexnet evaluate -f json --report page.html val"), std::string::npos) << "the command that made it";
}

TEST_F(EvaluateCommand, RefusesWithOneClearLine) {
  write_set(5);
  fs::create_directories(path("strange/thong 1"));
  fs::create_directories(path("flat"));
  folder_.write("other.jsonl", "{\"path\": \"elsewhere.jpg\", \"top\": [{\"index\": 1}]}\n");
  folder_.write("foreign.jsonl",
                "{\"path\": \"val/n00000000/0000.ppm\", \"top\": [{\"index\": 900}, {\"index\": 1}, {\"index\": 2}, "
                "{\"index\": 3}, {\"index\": 4}]}\n");
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    std::string error;
  };
  for (
      const auto& [arguments, exit_code, error] : {
          Case{
              {},
              2,
              "evaluate: needs pictures whose class is known (a folder with a folder for each class, or a CSV file of path,label)"},
          Case{{"val", "val"}, 2, "evaluate: unexpected 'val' (it takes DIR|LIST.csv)"},
          Case{{"-o", "-", "val"}, 2, "--output: standard output has the measures (name a file for the records)"},
          Case{{"--resume", "val"}, 2, "--resume: needs a file to go on with (give it with -o FILE)"},
          Case{{"absent"}, 3, "absent: can't be opened: No such file or directory"},
          Case{
              {"strange"},
              3,
              "strange: 1 folders that name none of the network's 10 classes: 'thong 1', is it 'thing 1'? (a class is named by its "
              "id, its label or its index; alexnet inspect --json lists them)"},
          Case{{"flat"},
               3,
               "flat: has no folders of pictures (each class has one, named by its id, label or index; or give a CSV file of "
               "path,label)"},
          Case{{"--against", "absent.jsonl", "val"}, 3, "absent.jsonl: can't be opened: No such file or directory"},
          Case{{"--against", "other.jsonl", "val"},
               3,
               "other.jsonl: predicts none of the pictures, such as 'val/n00000004/0004.ppm' (paths are compared as seen from the "
               "current folder)"},
          Case{{"--resume", "-o", "foreign.jsonl", "val"},
               2,
               "foreign.jsonl: has answers of class 900, but the network has 10 (--resume needs the records of the same network)"},
      }) {
    std::vector<std::string> words{"evaluate"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const auto result = alexnet(words);
    EXPECT_EQ(result.exit_code, exit_code) << join(arguments, " ") << "\n" << result;
    EXPECT_EQ(result.err, "alexnet: " + error + "\n") << join(arguments, " ");
    EXPECT_EQ(result.out, "") << join(arguments, " ");
  }
}

// In KiB: the largest that any command so far took.
long peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss;
}

TEST_F(EvaluateCommand, TakesNoMoreMemoryForTenTimesAsManyPictures) {
  if (test::kSanitized) GTEST_SKIP() << "a sanitizer keeps freed memory";
  write_set(2000);
  for (int i = 0; i < 5; ++i) {
    fs::create_directories(path(fmt::format("few/n{:08}", i)));
    for (int j = i; j < 200; j += 5) {
      const std::string name = fmt::format("n{:08}/{:04}.ppm", i, j);
      fs::create_hard_link(path("val/" + name), path("few/" + name));
    }
  }
  EXPECT_EQ(measured({"-o", "few.jsonl", "few"})["pictures"], 200);
  const long few = peak_memory();
  EXPECT_EQ(measured({"-o", "many.jsonl", "val"})["pictures"], 2000);
  const long many = peak_memory();
  RecordProperty("kib_of_200", fmt::format("{}", few));
  RecordProperty("kib_of_2000", fmt::format("{}", many));
  // The names of one folder's 400 files take 30 KiB; one decoded picture kept for each would take 2,700.
  EXPECT_LE(many - few, 1024) << few << " KiB for 200 pictures, " << many << " for 2,000";
}

TEST(DefaultModel, IsAsOftenRightAsItsCardSays) {
  ALEXNET_NEEDS_SHARED_DATA();
  const auto result = test::run({"evaluate", "-f", "json", "--precision", "f32", test::shared_path("data/tiny-val").string()},
                                {.timeout = std::chrono::seconds(600)});
  ASSERT_EQ(result.exit_code, 0) << result;
  const Json found = Json::parse(result.out);
  EXPECT_EQ(found["pictures"], 2000);
  EXPECT_EQ(found["top1"]["right"], 840) << "42.00 %, models/alexnet-tiny200.md";
  EXPECT_EQ(found["top5"]["right"], 1378) << "68.90 %";
}

}  // namespace
}  // namespace alexnet
