// `alexnet classify` as a user and a script see it.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;
using test::lines;

class ClassifyCommand : public test::CommandTest {};

TEST_F(ClassifyCommand, PrintsFileThenProbabilityBarAndLabel) {
  write_pictures(2);
  const auto result = alexnet({"classify", "-k", "2", "in"});
  EXPECT_EQ(result.exit_code, 0) << result;
  EXPECT_EQ(result.err, "");
  const auto out = lines(result.out);
  ASSERT_EQ(out.size(), 7u) << result;
  EXPECT_EQ(out[0], "in/00.ppm");
  EXPECT_EQ(out[3], "");
  EXPECT_EQ(out[4], "in/01.ppm");
  for (const std::size_t i : {1u, 2u, 5u, 6u}) {
    EXPECT_THAT(out[i], testing::MatchesRegex("  [ 0-9]{3}\\.[0-9] %  .*  thing [0-9], \"quoted\"")) << "columns";
  }
}

TEST_F(ClassifyCommand, BarsAreAsciiWhereTheLocaleIsNotUtf8) {
  write_pictures(1);
  const auto result = alexnet({"classify", "in"}, {.environment = {{"LC_ALL", "C"}}});
  EXPECT_THAT(result.out, testing::HasSubstr("  #"));
  for (const char c : result.out) EXPECT_GE(c, 0) << result;
}

TEST_F(ClassifyCommand, FitsANarrowTerminal) {
  ALEXNET_NEEDS_A_TERMINAL();
  write_pictures(1);
  for (const int columns : {20, 40, 80, 200}) {
    const auto result = alexnet({"classify", "--color", "never", "in"}, {.columns = columns});
    EXPECT_EQ(result.exit_code, 0) << result;
    for (auto line : lines(result.out)) {
      line.erase(line.find_last_not_of('\r') + 1);
      std::size_t characters = 0;
      for (const char c : line) characters += (c & 0xc0) != 0x80 ? 1 : 0;
      EXPECT_LE(characters, static_cast<std::size_t>(columns)) << line;
    }
  }
  const auto narrow = alexnet({"classify", "--color", "never", "in"}, {.columns = 30});
  EXPECT_THAT(narrow.out, testing::HasSubstr("thing")) << "the label matters most";
}

TEST_F(ClassifyCommand, ColoursAreForTerminalsUnlessAskedOtherwise) {
  ALEXNET_NEEDS_A_TERMINAL();
  write_pictures(1);
  const std::string escape = "\x1b[";
  struct Case {
    const char* what;
    std::vector<std::string> options;
    test::Surroundings around;
    bool colors;
  };
  for (const auto& [what, options, around, colors] : {
           Case{"pipe", {}, {}, false},
           Case{"pipe, always", {"--color", "always"}, {}, true},
           Case{"terminal", {}, {.columns = 80}, true},
           Case{"terminal, never", {"--color=never"}, {.columns = 80}, false},
           Case{"terminal, NO_COLOR", {}, {.environment = {{"NO_COLOR", "1"}}, .columns = 80}, false},
           Case{"terminal, empty NO_COLOR", {}, {.environment = {{"NO_COLOR", ""}}, .columns = 80}, true},
           Case{"dumb terminal", {}, {.environment = {{"TERM", "dumb"}}, .columns = 80}, false},
           Case{"pipe, always, NO_COLOR", {"--color", "always"}, {.environment = {{"NO_COLOR", "1"}}}, true},
       }) {
    std::vector<std::string> arguments{"classify", "in"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    EXPECT_EQ(alexnet(arguments, around).out.find(escape) != std::string::npos, colors) << what;
  }
}

TEST_F(ClassifyCommand, WritesTheDocumentedRecords) {
  write_pictures(1);
  folder_.write("in/broken.jpg", "text");
  const auto result = alexnet({"classify", "-f", "jsonl", "-k", "2", "--logits", "in"});
  EXPECT_EQ(result.exit_code, 1) << result;
  EXPECT_EQ(result.err, "alexnet: 1 of 2 pictures could not be used\n");
  const auto out = lines(result.out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_THAT(out[0],
              testing::MatchesRegex("\\{\"path\": \"in/00\\.ppm\", \"top\": \\[\\{\"index\": [0-9], \"id\": \"n0000000[0-9]\", "
                                    "\"label\": \"thing [0-9], \\\\\"quoted\\\\\"\", \"probability\": [0-9.e-]+\\}, \\{.*\\}\\], "
                                    "\"width\": 40, \"height\": 50, \"logits\": \\[[-0-9.e, ]+\\]\\}"));
  EXPECT_EQ(out[1],
            "{\"path\": \"in/broken.jpg\", \"error\": {\"kind\": \"unknown_format\", \"message\": "
            "\"is not a picture: it begins with 'text' (JPEG, PNG, GIF, BMP and PNM are)\"}}");
  const Json record = Json::parse(out[0]);
  EXPECT_EQ(record["top"].size(), 2u);
  EXPECT_EQ(record["logits"].size(), 10u);
}

TEST_F(ClassifyCommand, JsonIsOneArrayOfTheSameRecords) {
  write_pictures(3);
  const auto jsonl = lines(alexnet({"classify", "-f", "jsonl", "in"}).out);
  const auto json = alexnet({"classify", "-f", "json", "in"}).out;
  EXPECT_EQ(json, "[\n" + join(jsonl, ",\n") + "\n]\n");
  fs::create_directory(path("none"));
  const auto failed = alexnet({"classify", "-f", "json", "none"});
  EXPECT_EQ(failed.exit_code, 1) << failed;
  EXPECT_EQ(Json::parse(failed.out).size(), 1u);
}

TEST_F(ClassifyCommand, CsvHasOneRowForEachClass) {
  write_pictures(1);
  folder_.write("in/a,\"b\".jpg", "");
  const auto out = lines(alexnet({"classify", "-f", "csv", "-k", "2", "in"}).out);
  ASSERT_EQ(out.size(), 4u);
  EXPECT_EQ(out[0], "path,rank,index,id,label,probability,width,height,error,message,path_base64");
  EXPECT_THAT(out[1],
              testing::MatchesRegex("in/00\\.ppm,1,[0-9],n0000000[0-9],\"thing [0-9], \"\"quoted\"\"\",0\\.[0-9]+,40,50,,,"));
  EXPECT_THAT(out[2], testing::StartsWith("in/00.ppm,2,"));
  EXPECT_EQ(out[3], "\"in/a,\"\"b\"\".jpg\",,,,,,,,empty,is empty,");
  const auto logits = lines(alexnet({"classify", "-f", "csv", "--logits", "-k", "2", "in"}).out);
  EXPECT_EQ(logits[0], "path,rank,index,id,label,probability,width,height,logits,error,message,path_base64");
  for (const auto& line : logits) EXPECT_GE(std::count(line.begin(), line.end(), ','), 11);
}

TEST_F(ClassifyCommand, LogitsReadBackToTheSameFloat) {
  write_pictures(4);
  for (const auto& line : lines(alexnet({"classify", "-f", "jsonl", "--logits", "in"}).out)) {
    const auto begin = line.find("\"logits\": [") + 11;
    for (const auto& text : split(line.substr(begin, line.find(']', begin) - begin), ',')) {
      const auto value = static_cast<float>(*parse_number(trim(text)));
      EXPECT_EQ(shortest(value), trim(text));
    }
  }
}

TEST_F(ClassifyCommand, GivesTheSameBytesForAnyThreadCountAndBatch) {
  write_pictures(40);
  folder_.write("in/17.ppm", "P6\n40 40\n255\ncut");
  const auto expected = alexnet({"classify", "--threads", "1", "--batch", "1", "-f", "jsonl", "--logits", "in"});
  EXPECT_EQ(expected.exit_code, 1);
  EXPECT_EQ(lines(expected.out).size(), 40u);
  for (const std::string threads : {"1", "2", "5"}) {
    for (const std::string batch : {"1", "7", "32"}) {
      const auto found = alexnet({"classify", "--threads", threads, "--batch", batch, "-f", "jsonl", "--logits", "in"});
      EXPECT_TRUE(found.out == expected.out) << "threads " << threads << ", batch " << batch;
    }
  }
}

TEST_F(ClassifyCommand, TakesPicturesAndListsFromStandardInput) {
  write_pictures(3);
  const auto file = alexnet({"classify", "-f", "csv", "in/01.ppm"}).out;
  const auto picture = alexnet({"classify", "-f", "csv", "-"}, {.input = content("in/01.ppm")});
  EXPECT_EQ(picture.exit_code, 0) << picture;
  std::string renamed = picture.out;
  for (std::size_t at = 0; (at = renamed.find("\n-,", at)) != std::string::npos;) renamed.replace(at, 2, "\nin/01.ppm");
  EXPECT_EQ(renamed, file);

  const auto both = alexnet({"classify", "-f", "jsonl", "in/00.ppm", "in/01.ppm", "in/02.ppm"}).out;
  EXPECT_EQ(alexnet({"classify", "-f", "jsonl", "@-"}, {.input = "in/00.ppm\nin/01.ppm\r\n\nin/02.ppm"}).out, both);
  EXPECT_EQ(
      alexnet({"classify", "-f", "jsonl", "--null", "@-"}, {.input = std::string("in/00.ppm\0in/01.ppm\0in/02.ppm\0", 30)}).out,
      both);
  const auto empty = alexnet({"classify", "-"}, {.input = ""});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_EQ(empty.err, "alexnet: -: is empty\n");
}

TEST_F(ClassifyCommand, AnswersAListOnAPipeAsItComes) {
  write_pictures(3);
  test::Command command({"classify", "-f", "jsonl", "--batch", "64", "@-"}, here());
  for (int i = 0; i < 3; ++i) {
    command.write(fmt::format("in/0{}.ppm\n", i));
    ASSERT_TRUE(command.wait_for_lines(i + 1)) << "it waits for a whole batch";
  }
  EXPECT_EQ(command.finish().exit_code, 0);
}

TEST_F(ClassifyCommand, SkipsNothingThatIsGivenTwice) {
  write_pictures(1);
  const auto out = lines(alexnet({"classify", "-f", "jsonl", "in/00.ppm", "in/00.ppm"}).out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0], out[1]);
}

TEST_F(ClassifyCommand, WritesAFileOnlyWhenItIsWhole) {
  write_pictures(2);
  folder_.write("out.json", "old");
  const auto result = alexnet({"classify", "-f", "json", "-o", "out.json", "in"});
  EXPECT_EQ(result.exit_code, 0) << result;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(Json::parse(content("out.json")).size(), 2u);
  folder_.write("out.json", "old");
  EXPECT_EQ(alexnet({"classify", "-f", "json", "-o", "out.json", "-m", "missing", "in"}).exit_code, 3);
  EXPECT_EQ(content("out.json"), "old");
}

TEST_F(ClassifyCommand, OptionsOutOfRangeAreUsageErrors) {
  write_pictures(1);
  struct Case {
    std::vector<std::string> options;
    std::string error;
  };
  for (const auto& [options, error] : {
           Case{{"--threads", "0"}, "--threads: '0' is not allowed (allowed: an integer from 1 to 1024)"},
           Case{{"--threads", "-1"}, "--threads: '-1' is not allowed (allowed: an integer from 1 to 1024)"},
           Case{{"--threads", "1000000"}, "--threads: '1000000' is not allowed (allowed: an integer from 1 to 1024)"},
           Case{{"--threads", "abc"}, "--threads: 'abc' is not allowed (allowed: an integer from 1 to 1024)"},
           Case{{"--threads=99999999999999999999"},
                "--threads: '99999999999999999999' is not allowed (allowed: an integer from 1 to 1024)"},
           Case{{"-k", "0"}, "--top: '0' is not allowed (allowed: an integer from 1 to 1000000)"},
           Case{{"-k11"}, "--top: '11' is not allowed (allowed: an integer from 1 to 10, the number of classes)"},
           Case{{"--top=1.5"}, "--top: '1.5' is not allowed (allowed: an integer from 1 to 1000000)"},
           Case{{"--batch", "0"}, "--batch: '0' is not allowed (allowed: an integer from 1 to 4096)"},
           Case{{"--crops", "5"}, "--crops: '5' is not allowed (allowed: 1 or 10)"},
           Case{{"-f", "xml"}, "--format: 'xml' is not allowed (allowed: text, json, jsonl or csv)"},
           Case{{"--precision", "f64"}, "--precision: 'f64' is not allowed (allowed: auto, f32, bf16 or int8)"},
           Case{{"--max-memory", "lots"},
                "--max-memory: 'lots' is not allowed (allowed: a number of bytes above 0, optionally with K, M, G or T)"},
           Case{{"--max-pixels", "0"}, "--max-pixels: '0' is not allowed (allowed: an integer from 1 to 1000000000000)"},
           Case{{"--resume"}, "--resume: needs a file to go on with (give it with -o FILE)"},
           Case{{"--resume", "-o", "x"}, "--resume: needs -f jsonl (other forms have no whole records)"},
           Case{{"--resume", "-f", "jsonl", "-o", "in"}, "--resume: 'in' is no file to go on with"},
           Case{{"--treads", "2"}, "--treads: is no option of classify (did you mean --threads?)"},
           Case{{"-x"}, "-x: is no option of classify (alexnet classify --help lists them)"},
       }) {
    std::vector<std::string> arguments{"classify", "in"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, 2) << join(options, " ") << "\n" << result;
    EXPECT_EQ(result.err, "alexnet: " + error + "\n");
    EXPECT_EQ(result.out, "");
  }
  const auto nothing = alexnet({"classify"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_EQ(nothing.err, "alexnet: classify: needs pictures (files, folders, @LIST, or - for standard input)\n");
}

TEST_F(ClassifyCommand, TopIsAtMostTheNumberOfClasses) {
  write_pictures(1);
  EXPECT_EQ(Json::parse(alexnet({"classify", "-f", "json", "-k", "10", "in"}).out)[0]["top"].size(), 10u);
  EXPECT_EQ(Json::parse(alexnet({"classify", "-f", "json", "in"}).out)[0]["top"].size(), 5u);
}

TEST_F(ClassifyCommand, TakesLabelsFromAFile) {
  write_pictures(1);
  std::string list;
  for (int i = 0; i < 10; ++i) list += fmt::format("m{}\tthe {}\n", i, i);
  folder_.write("labels.txt", list);
  EXPECT_THAT(alexnet({"classify", "--labels", "labels.txt", "in"}).out, testing::HasSubstr("  the "));
  folder_.write("labels.txt", "one\ntwo\n");
  const auto wrong = alexnet({"classify", "--labels", "labels.txt", "in"});
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_EQ(wrong.err, "alexnet: labels.txt: has 2 labels, the network 10 classes\n");
}

TEST_F(ClassifyCommand, EnvironmentNamesModelAndThreads) {
  write_pictures(1);
  const auto expected = alexnet({"classify", "in"}).out;
  EXPECT_EQ(test::run({"classify", "-m", model_, "in"}, {.folder = folder_.path()}).out, expected);
  EXPECT_EQ(alexnet({"classify", "in"}, {.environment = {{"ALEXNET_THREADS", "1"}}}).out, expected);
  const auto wrong = alexnet({"classify", "in"}, {.environment = {{"ALEXNET_THREADS", "many"}}});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(wrong.err, "alexnet: ALEXNET_THREADS: 'many' is not allowed (allowed: an integer from 1 to 1024)\n");
  EXPECT_EQ(alexnet({"classify", "--threads", "1", "in"}, {.environment = {{"ALEXNET_THREADS", "many"}}}).exit_code, 0)
      << "not looked at";
  EXPECT_EQ(alexnet({"classify", "-m", "missing", "in"}).err, "alexnet: missing: can't be opened: No such file or directory\n");
}

TEST_F(ClassifyCommand, SaysWhereTheTimeWent) {
  write_pictures(3);
  const auto result = alexnet({"classify", "--time", "--threads", "2", "-q", "in"});
  EXPECT_THAT(
      result.err,
      testing::MatchesRegex("time for 3 pictures: decode [0-9.]+ ms, resize [0-9.]+ ms \\(sums over 2 threads\\), network [0-9.]+ "
                            "ms; a picture: [0-9.]+ ms, [0-9.]+ ms, [0-9.]+ ms\n"));
}

TEST_F(ClassifyCommand, TenCropsAreTenCrops) {
  write_pictures(1);
  const auto one = alexnet({"classify", "-f", "jsonl", "--crops", "1", "in"});
  const auto ten = alexnet({"classify", "-f", "jsonl", "--crops", "10", "in"});
  EXPECT_EQ(ten.exit_code, 0) << ten;
  EXPECT_NE(one.out, ten.out);
}

TEST_F(ClassifyCommand, LogsInJsonWhenAsked) {
  folder_.write("a.jpg", "");
  const auto result = alexnet({"classify", "--log-format", "json", "a.jpg"});
  const Json line = Json::parse(result.err);
  EXPECT_EQ(line["level"], "error");
  EXPECT_EQ(line["message"], "a.jpg: is empty");
  EXPECT_TRUE(line.contains("time"));
}

TEST_F(ClassifyCommand, VerboseTellsNotesAndThreads) {
  write_pictures(1);
  const auto quiet = alexnet({"classify", "in"});
  EXPECT_EQ(quiet.err, "");
  const auto verbose = alexnet({"classify", "-v", "--threads", "2", "in"});
  EXPECT_EQ(verbose.out, quiet.out) << "remarks go elsewhere";
  const auto chosen = alexnet({"classify", "-v", "in"}, {.environment = {{"OMP_NUM_THREADS", "1"}}});
  EXPECT_THAT(chosen.err, testing::HasSubstr("1 threads: OMP_NUM_THREADS"));
}

}  // namespace
}  // namespace alexnet
