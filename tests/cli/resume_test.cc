// classify --resume: what is there is kept, the rest is computed, whatever ended the run before.
#include <signal.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;
using test::lines;

class ResumeCommand : public test::CommandTest {
 protected:
  void SetUp() override {
    write_pictures(20);
    folder_.write("in/05.ppm", "broken");
    expected_ = alexnet({"classify", "-f", "jsonl", "in"}).out;
    records_ = lines(expected_);
    ASSERT_EQ(records_.size(), 20u);
  }

  test::Result resume(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"classify", "-f", "jsonl", "--resume", "-o", "out.jsonl", "in"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return alexnet(arguments);
  }
  std::string joined(std::size_t first, std::size_t last) const {
    return join(std::span(records_).subspan(first, last - first), "\n") + "\n";
  }

  std::string expected_;
  std::vector<std::string> records_;
};

TEST_F(ResumeCommand, CompletesWhateverIsThere) {
  struct Case {
    std::string what;
    std::string file;
    int kept;
  };
  for (const auto& [what, file, kept] : {
           Case{"nothing", "", 0},
           Case{"some records", joined(0, 7), 7},
           Case{"a torn last line", joined(0, 7) + records_[7].substr(0, 30), 7},
           Case{"a torn first line", records_[0].substr(0, 12), 0},
           Case{"a last line without its newline", joined(0, 7) + records_[7], 7},
           Case{"everything", expected_, 20},
           Case{"a gap", joined(0, 3) + joined(5, 20), 18},
           Case{"no beginning", joined(10, 20), 10},
           Case{"garbage in the middle", joined(0, 3) + "garbage\n" + joined(4, 9), 8},
           Case{"another order", joined(10, 20) + joined(0, 10), 20},
           Case{"a record twice", joined(0, 3) + joined(2, 4), 4},
           Case{"a picture that has gone", joined(0, 3) + "{\"path\": \"in/gone.ppm\", \"error\": {}}\n" + joined(3, 5), 5},
       }) {
    fs::remove(path("out.jsonl"));
    if (!file.empty()) folder_.write("out.jsonl", file);
    const auto result = resume();
    EXPECT_EQ(result.exit_code, 1) << what << " " << result;  // 05.ppm is broken, whether its record was kept or not
    EXPECT_EQ(content("out.jsonl"), expected_) << what;
    EXPECT_THAT(result.err, testing::HasSubstr(fmt::format("{} records were there already, {} are new", kept, 20 - kept))) << what;
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 3) << what << ": model, in, out.jsonl";
  }
}

TEST_F(ResumeCommand, TakesInPicturesThatCameSince) {
  folder_.write("out.jsonl", expected_);
  folder_.write("in/00a.ppm", test::noise_ppm(30, 30, 99));
  folder_.write("in/zz.ppm", test::noise_ppm(30, 30, 98));
  const auto result = resume();
  EXPECT_THAT(result.err, testing::HasSubstr("20 records were there already, 2 are new"));
  EXPECT_EQ(content("out.jsonl"), alexnet({"classify", "-f", "jsonl", "in"}).out);
}

TEST_F(ResumeCommand, SurvivesKillAgainAndAgain) {
  std::string list;
  for (int i = 0; i < 4000; ++i) list += fmt::format("in/{:02}.ppm\n", i % 20);
  folder_.write("list", list);
  const std::vector<std::string> arguments{"classify", "-f", "jsonl", "--resume", "--batch", "4", "-o", "out.jsonl", "@list"};
  std::size_t before = 0;
  for (int round = 0; round < 3; ++round) {
    test::Command command(arguments, here());
    std::size_t size = before;
    for (int wait = 0; wait < 2000 && size <= before + 1000; ++wait) {
      ::usleep(5000);
      std::error_code ignored;
      size = fs::exists(path("out.jsonl")) ? fs::file_size(path("out.jsonl"), ignored) : 0;
    }
    EXPECT_GT(size, before + 1000) << "the file grows while the job runs";
    command.send(SIGKILL);
    EXPECT_EQ(command.finish().signal, SIGKILL);
    before = fs::file_size(path("out.jsonl"));
  }
  EXPECT_EQ(alexnet(arguments).exit_code, 1);
  std::string all;
  for (int i = 0; i < 200; ++i) all += expected_;
  EXPECT_TRUE(content("out.jsonl") == all);
}

TEST_F(ResumeCommand, GoesOnFromThePartThatASignalLeft) {
  folder_.write("out.jsonl.part", joined(0, 9));
  const auto result = resume();
  EXPECT_THAT(result.err, testing::HasSubstr("9 records were there already, 11 are new"));
  EXPECT_EQ(content("out.jsonl"), expected_);
  EXPECT_FALSE(fs::exists(path("out.jsonl.part")));
}

TEST_F(ResumeCommand, RefusesWhatItWouldSpoil) {
  struct Case {
    std::string file;
    std::vector<std::string> options;
    std::string error;
  };
  for (const auto& [file, options, error] : {
           Case{"my diary\n", {}, "out.jsonl: holds no records but something else (--resume goes on with a file of JSON lines)"},
           Case{expected_,
                {"-k", "3"},
                "out.jsonl: its records were made with other options (--resume needs the same --top and --logits as before; "
                "without it the "
                "file is replaced)"},
           Case{expected_,
                {"--logits"},
                "out.jsonl: its records were made with other options (--resume needs the same --top and --logits as before; "
                "without it the "
                "file is replaced)"},
       }) {
    folder_.write("out.jsonl", file);
    const auto result = resume(options);
    EXPECT_EQ(result.exit_code, 2) << result;
    EXPECT_EQ(result.err, "alexnet: " + error + "\n");
    EXPECT_EQ(content("out.jsonl"), file);
  }
}

}  // namespace
}  // namespace alexnet
