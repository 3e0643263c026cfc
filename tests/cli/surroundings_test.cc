// The machine's side: full disks, closed pipes, signals, limits, locales.
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;
using test::kSanitized;
using test::lines;
using Clock = std::chrono::steady_clock;

class SurroundingsTest : public test::CommandTest {
 protected:
  // A list that takes long enough to be interrupted.
  void write_long_list(int count) {
    write_pictures(1);
    std::string list;
    for (int i = 0; i < count; ++i) list += "in/00.ppm\n";
    folder_.write("list", list);
  }
};

void limit(int resource, rlim_t value) {
  const rlimit bound{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &bound);
}

TEST_F(SurroundingsTest, PreparedWeightsAreKeptWhereTheEnvironmentSays) {
  write_pictures(1);
  const std::string folder = folder_.path().string();
  using Environment = std::vector<std::pair<std::string, std::string>>;
  const struct {
    Environment environment;
    std::string cache;  // empty: nowhere
  } cases[] = {
      {{{"ALEXNET_CACHE", folder + "/named"}, {"XDG_CACHE_HOME", folder + "/xdg"}, {"HOME", folder + "/home"}}, "named"},
      {{{"ALEXNET_CACHE", ""}, {"XDG_CACHE_HOME", folder + "/xdg"}, {"HOME", folder + "/home"}}, "xdg/alexnet"},
      {{{"ALEXNET_CACHE", ""}, {"XDG_CACHE_HOME", "not/absolute"}, {"HOME", folder + "/home"}}, "home/.cache/alexnet"},
      {{{"ALEXNET_CACHE", ""}, {"XDG_CACHE_HOME", ""}, {"HOME", ""}}, ""},
      {{{"ALEXNET_CACHE", "off"}, {"XDG_CACHE_HOME", folder + "/off"}, {"HOME", folder + "/off"}}, ""},
      {{{"ALEXNET_CACHE", "/proc/nowhere"}}, ""},
  };
  const auto expected = alexnet({"classify", "in"}).out;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.environment.front().second + ": " + c.cache);
    const auto first = alexnet({"classify", "-v", "in"}, {.environment = c.environment});
    const auto second = alexnet({"classify", "-v", "in"}, {.environment = c.environment});
    EXPECT_EQ(first.out, expected);
    EXPECT_EQ(second.out, expected);
    EXPECT_EQ(second.exit_code, 0);
    if (c.cache.empty()) {
      EXPECT_THAT(second.err, testing::Not(testing::ContainsRegex("[1-9][0-9]* tensors were there")));
    } else {
      EXPECT_FALSE(std::filesystem::is_empty(folder_.path() / c.cache));
      EXPECT_THAT(first.err, testing::ContainsRegex("prepared weights: 0 tensors were there, [1-9]"));
      EXPECT_THAT(second.err, testing::ContainsRegex("prepared weights: [1-9][0-9]* tensors were there, 0 are new"));
    }
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "off"));
}

TEST_F(SurroundingsTest, AFullDiskIsNamedAndTheTargetStaysAsItWas) {
  write_pictures(20);
  const auto full = alexnet({"classify", "-f", "jsonl", "in"}, {.in_child = [] { ::dup2(::open("/dev/full", O_WRONLY), 1); }});
  EXPECT_EQ(full.exit_code, 5) << full;
  EXPECT_EQ(full.err, "alexnet: standard output: can't be written: No space left on device\n");
  EXPECT_EQ(alexnet({"classify", "-o", "/dev/full", "in"}).err, "alexnet: /dev/full: can't be written: No space left on device\n");

  folder_.write("out.json", "old");
  const auto limited =
      alexnet({"classify", "-f", "json", "--logits", "-o", "out.json", "in"}, {.in_child = [] { limit(RLIMIT_FSIZE, 1000); }});
  EXPECT_EQ(limited.exit_code, 5) << limited;
  EXPECT_EQ(limited.err, "alexnet: " + path("out.json").string() + ": can't be written: File too large\n");
  EXPECT_EQ(content("out.json"), "old");
}

TEST_F(SurroundingsTest, AFullFileSystemLeavesNothingBehind) {
  write_pictures(20);
  fs::create_directory(path("small"));
  if (::mount("tmpfs", path("small").c_str(), "tmpfs", 0, "size=8k") != 0) GTEST_SKIP() << "needs the right to mount a tmpfs";
  folder_.write("small/out.jsonl", "old");
  struct Case {
    std::vector<std::string> arguments;
    std::string file;
  };
  for (const auto& [arguments, file] :
       {Case{{"classify", "-f", "jsonl", "--logits", "-o", "small/out.jsonl", "in"}, "out.jsonl"},
        Case{{"features", "--layer", "conv1", "-o", "small/x.npy", "in"}, "x.npy"},
        Case{{"features", "--layer", "conv1", "-o", "small/x.npz", "in"}, "x.npz"},
        Case{{"features", "--layer", "conv1", "-o", "small/x.safetensors", "in"}, "x.safetensors"}}) {
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, 5) << result;
    EXPECT_THAT(result.err, testing::ContainsRegex("alexnet: .*: can't be written: No space left on device\n")) << result;
    EXPECT_EQ(content("small/out.jsonl"), "old");
    EXPECT_EQ(std::distance(fs::directory_iterator(path("small")), {}), 1) << arguments[0];
  }
  ::umount2(path("small").c_str(), MNT_DETACH);
}

TEST_F(SurroundingsTest, AClosedReaderEndsTheRunQuietly) {
  write_long_list(100'000);
  for (const std::string format : {"text", "json", "jsonl", "csv"}) {
    test::Command command({"classify", "-f", format, "@list"}, here());
    ASSERT_TRUE(command.wait_for_lines(1));
    command.close_output();
    const auto result = command.finish();
    EXPECT_EQ(result.exit_code, 141) << result;
    EXPECT_EQ(result.err, "") << format;
  }
}

TEST_F(SurroundingsTest, ClosedStandardDescriptorsAreSurvived) {
  write_pictures(2);
  const auto no_output = alexnet({"classify", "in"}, {.in_child = [] { ::close(1); }});
  EXPECT_EQ(no_output.exit_code, 5) << no_output;
  EXPECT_EQ(no_output.err, "alexnet: standard output: can't be written: Bad file descriptor\n");
  const auto no_error = alexnet({"classify", "in", "missing"}, {.in_child = [] { ::close(2); }});
  EXPECT_EQ(no_error.exit_code, 1);
  EXPECT_EQ(lines(no_error.out)[0], "in/00.ppm");
  EXPECT_EQ(alexnet({"classify", "in"}, {.in_child = [] { ::close(0); }}).exit_code, 0);
  const auto none = alexnet({"classify", "-o", "out", "in"}, {.in_child = [] {
                              ::close(0);
                              ::close(1);
                              ::close(2);
                            }});
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_EQ(lines(content("out"))[0], "in/00.ppm") << "the results alone are in the file";
}

TEST_F(SurroundingsTest, SignalsEndTheRunWithTheFinishedRecordsFlushed) {
  write_long_list(200'000);
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    for (const std::string format : {"jsonl", "json", "csv"}) {
      test::Command command({"classify", "-f", format, "@list"}, here());
      ASSERT_TRUE(command.wait_for_lines(40));
      command.send(signal);
      const auto start = Clock::now();
      const auto result = command.finish();
      EXPECT_EQ(result.exit_code, code) << format << " " << result;
      EXPECT_LT(Clock::now() - start, std::chrono::seconds(2));
      EXPECT_EQ(result.out.back(), '\n');
      const auto records = lines(result.out);
      EXPECT_GE(records.size(), 40u);
      if (format == "jsonl") {
        for (const auto& record : records) EXPECT_TRUE(Json::accept(record)) << record;
      }
      if (format == "json") {
        EXPECT_TRUE(Json::accept(result.out)) << "the array is closed";
      }
    }
  }
}

TEST_F(SurroundingsTest, ASignalEndsARunThatWaits) {
  write_pictures(1);
  for (const std::string what : {"-", "@-"}) {
    test::Command command({"classify", what}, here());
    ::usleep(300'000);
    command.send(SIGINT);
    const auto start = Clock::now();
    // Standard input stays open: nothing but the signal can end it, and at once, long before the deadline of 1.8 s.
    while (Clock::now() - start < std::chrono::seconds(5) && command.is_running()) ::usleep(10'000);
    EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(1500)) << what;
    EXPECT_EQ(command.finish().exit_code, 130) << what;
  }
}

TEST_F(SurroundingsTest, ASignalEndsARunWhoseReaderStalls) {
  write_long_list(200'000);
  test::Command command({"classify", "-f", "jsonl", "--logits", "@list"}, here());
  ::usleep(1'500'000);  // the pipe is full by then
  command.send(SIGTERM);
  const auto start = Clock::now();
  while (Clock::now() - start < std::chrono::seconds(5) && command.is_running()) ::usleep(10'000);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(2));
  EXPECT_EQ(command.finish().exit_code, 143);
}

TEST_F(SurroundingsTest, AnInterruptedFileIsKeptAsAPart) {
  write_long_list(200'000);
  folder_.write("out.jsonl", "old");
  test::Command command({"classify", "-f", "jsonl", "-o", "out.jsonl", "@list"}, here());
  ::usleep(1'000'000);
  command.send(SIGINT);
  const auto result = command.finish();
  EXPECT_EQ(result.exit_code, 130) << result;
  EXPECT_THAT(result.err, testing::HasSubstr("the results so far are in " + path("out.jsonl.part").string()));
  EXPECT_EQ(content("out.jsonl"), "old");
  const auto records = lines(content("out.jsonl.part"));
  EXPECT_GE(records.size(), 1u);
  for (const auto& record : records) EXPECT_TRUE(Json::accept(record)) << record;
}

TEST_F(SurroundingsTest, TooLittleMemoryIsACleanError) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's shadow memory takes terabytes of address space by itself";
  write_pictures(3);
  int worked = 0;
  int refused = 0;
  // With less than the program itself the kernel ends it before it starts.
  for (rlim_t megabytes = (test::binary_bytes() >> 20) + 8; megabytes <= 800; megabytes += megabytes < 120 ? 3 : 60) {
    const auto limited = [=] { limit(RLIMIT_AS, megabytes << 20); };
    // The loader could not even map the libraries, or oneDNN's global objects found no memory before main().
    if (alexnet({"--version"}, {.in_child = limited}).exit_code != 0) continue;
    const auto result = alexnet({"classify", "--threads", "2", "in"}, {.in_child = limited});
    EXPECT_TRUE(result.exit_code == 0 || result.exit_code == 3 || result.exit_code == 5) << megabytes << " MB: " << result;
    if (result.exit_code == 0) {
      ++worked;
    } else {
      ++refused;
      EXPECT_GE(lines(result.err).size(), 1u);
      for (const auto& line : lines(result.err))
        EXPECT_THAT(line, testing::StartsWith("alexnet: ")) << megabytes << " MB: " << result;
    }
  }
  EXPECT_GT(worked, 0);
  EXPECT_GT(refused, 0) << "nothing was tested";
}

TEST_F(SurroundingsTest, TooFewDescriptorsAreACleanError) {
  if (kSanitized)
    GTEST_SKIP() << "UBSan's check of vtables probes memory through a pipe, and calls valid objects broken without descriptors";
  write_pictures(3);
  int refused = 0;
  for (rlim_t count = 4; count <= 16; ++count) {
    const auto result = alexnet({"classify", "-r", "-o", "out", "in"}, {.in_child = [=] { limit(RLIMIT_NOFILE, count); }});
    if (result.exit_code == 127) continue;  // the loader's own failure
    EXPECT_TRUE(result.exit_code == 0 || result.exit_code == 5) << count << ": " << result;
    if (result.exit_code == 5) ++refused;
    for (const auto& line : lines(result.err)) EXPECT_THAT(line, testing::StartsWith("alexnet: ")) << count;
  }
  EXPECT_GT(refused, 0) << "nothing was tested";
}

TEST_F(SurroundingsTest, MaxMemoryRefusesTheNetworkWithTheFigure) {
  write_pictures(1);
  const auto result = alexnet({"classify", "--max-memory", "1K", "in"});
  EXPECT_EQ(result.exit_code, 3) << result;
  EXPECT_THAT(result.err, testing::ContainsRegex("^alexnet: .*: the network needs [0-9]+ bytes for a run and [0-9]+ for weights, "
                                                 "more than the 1024 allowed \\(--max-memory sets the limit\\)\n$"));
  EXPECT_EQ(alexnet({"classify", "--max-memory", "512M", "in"}).exit_code, 0);
}

TEST_F(SurroundingsTest, APrecisionThatIsNotToBeHadIsSaid) {
  write_pictures(1);
  const test::Surroundings plain{.environment = {{"ONEDNN_MAX_CPU_ISA", "AVX2"}}};
  const auto result = alexnet({"classify", "--precision", "bf16", "in"}, plain);
  EXPECT_EQ(result.exit_code, 0) << result;
  EXPECT_THAT(result.err, testing::ContainsRegex("info --precision bf16: the network runs in f32 here\n"));
  EXPECT_EQ(alexnet({"classify", "--precision", "f32", "in"}, plain).err, "");
}

TEST_F(SurroundingsTest, NonsenseInOmpNumThreadsIsSaidAndIgnored) {
  write_pictures(2);
  const auto expected = alexnet({"classify", "in"}).out;
  for (const std::string nonsense : {"abc", "0", "-3", "1e9", "99999999999999999999", ""}) {
    const auto result = alexnet({"classify", "in"}, {.environment = {{"OMP_NUM_THREADS", nonsense}}});
    EXPECT_EQ(result.exit_code, 0) << nonsense << " " << result;
    EXPECT_EQ(result.out, expected);
    if (!nonsense.empty()) {
      EXPECT_THAT(result.err,
                  testing::HasSubstr(fmt::format("OMP_NUM_THREADS='{}' is no number of threads and is ignored", nonsense)));
    }
  }
  EXPECT_EQ(alexnet({"classify", "in"}, {.environment = {{"OMP_NUM_THREADS", "1,2"}}}).err, "")
      << "a list for nested regions is fine";
}

TEST_F(SurroundingsTest, ABadPlaceForOutputIsFoundBeforeWorkStarts) {
  write_pictures(1);
  struct Case {
    std::vector<std::string> arguments;
    std::string error;
  };
  for (const auto& [arguments, error] : {
           Case{{"classify", "-o", "missing/out", "no-picture"}, "missing/out: can't be created: No such file or directory"},
           Case{{"classify", "-o", "in", "no-picture"}, "in: can't be opened: Is a directory"},
           Case{{"classify", "-o", "/proc/out", "no-picture"}, "/proc/out: can't be created: No such file or directory"},
           Case{{"classify", "-f", "jsonl", "--resume", "-o", "missing/out", "in"},
                "missing/out: can't be opened: No such file or directory"},
           Case{{"features", "--layer", "fc3", "-o", "missing/x.npy", "no-picture"},
                "missing/x.npy: can't be created: No such file or directory"},
           Case{{"features", "--layer", "fc3", "-o", "missing/x.npz", "no-picture"},
                "missing/x.npz: can't be created: No such file or directory"},
           Case{{"features", "--layer", "fc3", "-o", "missing/x.csv", "no-picture"},
                "missing/x.csv: can't be created: No such file or directory"},
           Case{{"run", "--input", "data=missing.npy", "-o", "missing/x.npz"},
                "missing/x.npz: can't be created: No such file or directory"},
           Case{{"show", "data", "--image", "missing.jpg", "-o", "missing/x.png"},
                "missing/x.png: can't be created: No such file or directory"},
           Case{{"inspect", "-o", "missing/x", "missing"}, "missing/x: can't be created: No such file or directory"},
       }) {
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, 5) << result;
    EXPECT_EQ(result.err, "alexnet: " + error + "\n");
  }
}

TEST_F(SurroundingsTest, EveryInstructionSetGivesResults) {
  write_pictures(3);
  const auto best = alexnet({"classify", "-f", "jsonl", "--logits", "in"});
  for (const std::string isa : {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI", "AVX512_CORE_BF16",
                                "AVX512_CORE_FP16", "AVX512_CORE_AMX", "DEFAULT", "nonsense"}) {
    const auto result = alexnet({"classify", "-f", "jsonl", "--logits", "in"}, {.environment = {{"ONEDNN_MAX_CPU_ISA", isa}}});
    ASSERT_EQ(result.exit_code, 0) << isa << " " << result;
    const auto expected = lines(best.out);
    const auto found = lines(result.out);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto a = Json::parse(found[i])["logits"].get<std::vector<double>>();
      const auto b = Json::parse(expected[i])["logits"].get<std::vector<double>>();
      double largest = 0;
      for (const double value : b) largest = std::max(largest, std::abs(value));
      for (std::size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 1e-5 * largest) << isa;
    }
  }
}

TEST_F(SurroundingsTest, NumbersKeepTheirPointsUnderALocaleWithCommas) {
  write_pictures(2);
  const std::string compile = fmt::format("localedef -i de_DE -f UTF-8 {} >/dev/null 2>&1", path("de_DE.UTF-8").string());
  if (std::system(compile.c_str()) != 0) GTEST_SKIP() << "needs localedef and the sources of de_DE";
  for (const std::string format : {"text", "json", "jsonl", "csv"}) {
    const std::vector<std::string> arguments{"classify", "--logits", "-f", format, "in"};
    const auto expected = alexnet(arguments);
    const auto german = alexnet(arguments, {.environment = {{"LOCPATH", folder_.path().string()}, {"LC_ALL", "de_DE.UTF-8"}}});
    EXPECT_EQ(german.exit_code, 0) << german;
    EXPECT_EQ(german.out, expected.out);
  }
  const auto version =
      alexnet({"inspect", "--json"}, {.environment = {{"LOCPATH", folder_.path().string()}, {"LC_ALL", "de_DE.UTF-8"}}});
  EXPECT_EQ(version.out, alexnet({"inspect", "--json"}).out);
}

TEST_F(SurroundingsTest, ProgressIsDrawnOnATerminalAloneAndCleanedAway) {
  ALEXNET_NEEDS_A_TERMINAL();
  write_long_list(200'000);
  test::Command command({"classify", "-f", "jsonl", "-o", "out.jsonl", "@list"}, here({.columns = 60}));
  ASSERT_TRUE(command.wait_for("200000  ")) << "no bar";
  command.send(SIGINT);
  const auto result = command.finish();
  EXPECT_THAT(result.out, testing::ContainsRegex("\\[#*-*\\] [0-9]+/200000  [0-9.]+ a second  [0-9:]+ left")) << result;
  EXPECT_THAT(result.out, testing::HasSubstr("\r\x1b[K")) << "cleaned away before the message";

  for (const bool terminal : {true, false}) {
    test::Command quiet({"classify", "-q", "-f", "jsonl", "-o", "out.jsonl", "@list"}, here({.columns = terminal ? 60 : 0}));
    ::usleep(1'000'000);
    quiet.send(SIGINT);
    const auto nothing = quiet.finish();
    EXPECT_EQ(nothing.out + nothing.err, "") << "-q, " << (terminal ? "terminal" : "pipe");
  }
}

}  // namespace
}  // namespace alexnet
