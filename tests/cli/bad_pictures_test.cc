// Pictures that are none, or hardly any: one clear record each, and the others go on.
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "image/decode.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;
using test::lines;

std::string repository_file(const std::string& name) {
  std::ifstream file(test::source_path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class BadPictures : public test::CommandTest {};

TEST_F(BadPictures, EachGetsARecordThatNamesTheCauseAndTheGoodOnesAreAllThere) {
  const std::string jpeg = repository_file("data/chelsea.jpg");
  std::string corrupt = jpeg;
  for (std::size_t i = corrupt.size() / 2; i < corrupt.size() / 2 + 40; ++i) corrupt[i] = 0;
  // An animation of two frames, 1x1 and 2x1 pixels of one palette.
  const std::string gif_frame("\x2c\0\0\0\0\2\0\1\0\0\2\2\x44\x0a\0", 15);
  const std::string animation = std::string("GIF89a\2\0\1\0\x80\0\0\xff\0\0\0\xff\0", 19) + gif_frame + gif_frame + ";";

  const std::string sub = path("bad").string();
  fs::create_directory(sub);
  const auto put = [&](const std::string& name, const std::string& bytes) { folder_.write("bad/" + name, bytes); };
  put("empty.jpg", "");
  put("text.jpg", "This is not a picture.\n");
  put("half.jpg", jpeg.substr(0, jpeg.size() / 2));
  put("corrupt.jpg", corrupt);
  put("huge.ppm", "P6 65500 65500 255\n" + std::string(180, 'x'));
  put("pixel.ppm", test::noise_ppm(1, 1, 1));
  put("long.ppm", test::noise_ppm(20'000, 1, 1));
  put("scan.tiff", std::string("II*\0\x08\0\0\0", 8) + std::string(100, 'x'));
  put("page.png", "%PDF-1.7\n");
  put("photo.heic", std::string("\0\0\0\x18"
                                "ftypheic",
                                12) +
                        std::string(100, 'x'));
  put("moving.gif", animation);
  put("good.ppm", test::noise_ppm(40, 40, 2));
  fs::create_directory(sub + "/folder.jpg");
  ASSERT_EQ(::mkfifo((sub + "/pipe.jpg").c_str(), 0600), 0);
  fs::create_symlink("nothing", sub + "/dangling.jpg");
  fs::create_symlink("loop.jpg", sub + "/loop.jpg");
  fs::create_symlink("/dev/zero", sub + "/zero.jpg");
  fs::create_symlink("/dev/full", sub + "/full.jpg");

  struct Case {
    std::string name;
    std::string kind;  // empty: a good picture
    std::string message;
  };
  const std::vector<Case> cases = {
      {"good.ppm", "", ""},
      {"empty.jpg", "empty", "is empty"},
      {"text.jpg", "unknown_format", "is not a picture: it begins with 'This is not a pi' (JPEG, PNG, GIF, BMP and PNM are)"},
      {"half.jpg", "truncated", ""},
      {"corrupt.jpg", "", ""},
      {"huge.ppm", "too_large", ""},
      {"pixel.ppm", "", ""},
      {"long.ppm", "", ""},
      {"scan.tiff", "unknown_format", ""},
      {"page.png", "unknown_format", ""},
      {"photo.heic", "unknown_format", ""},
      {"moving.gif", "", ""},
      {"folder.jpg", "unreadable", "is a folder, not a file"},
      {"pipe.jpg", "unreadable", "is a named pipe, not a file"},
      {"dangling.jpg", "not_found", "can't be opened: No such file or directory"},
      {"loop.jpg", "unreadable", "can't be opened: Too many levels of symbolic links"},
      {"zero.jpg", "unreadable", "is a device, not a file"},
      {"full.jpg", "unreadable", "is a device, not a file"},
      {"vanished.jpg", "not_found", "can't be opened: No such file or directory"},
      {"good.ppm", "", ""},
  };
  std::string list;
  for (const auto& c : cases) list += "bad/" + c.name + "\n";
  const auto result = alexnet({"classify", "-f", "jsonl", "@-"}, {.input = list});
  EXPECT_EQ(result.exit_code, 1) << result;
  const auto records = lines(result.out);
  ASSERT_EQ(records.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Json record = Json::parse(records[i]);
    EXPECT_EQ(record["path"], "bad/" + cases[i].name);
    if (cases[i].kind.empty()) {
      EXPECT_EQ(record.value("top", Json::array()).size(), 5u) << records[i];
      continue;
    }
    ASSERT_TRUE(record.contains("error")) << records[i];
    EXPECT_EQ(record["error"]["kind"], cases[i].kind) << records[i];
    EXPECT_THAT(record["error"]["message"].get<std::string>(), testing::StartsWith(cases[i].message));
  }

  // The same in text: messages on stderr, one line each.
  const auto text = alexnet({"classify", "@-"}, {.input = list});
  EXPECT_EQ(text.exit_code, 1);
  for (const auto& line : lines(text.err)) EXPECT_THAT(line, testing::StartsWith("alexnet: "));
  EXPECT_THAT(text.err, testing::HasSubstr("alexnet: bad/empty.jpg: is empty\n"));
  EXPECT_THAT(text.err, testing::EndsWith("alexnet: 14 of 20 pictures could not be used\n"));
}

TEST_F(BadPictures, AllowTruncatedUsesWhatIsThere) {
  const std::string jpeg = repository_file("data/chelsea.jpg");
  folder_.write("half.jpg", jpeg.substr(0, jpeg.size() / 2));
  const auto refused = alexnet({"classify", "half.jpg"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(lines(refused.err).size(), 1u) << refused;
  EXPECT_EQ(alexnet({"classify", "--allow-truncated", "half.jpg"}).exit_code, 0);
}

TEST_F(BadPictures, MaxPixelsIsCheckedBeforeDecoding) {
  folder_.write("a.ppm", test::noise_ppm(20, 20, 1));
  EXPECT_EQ(alexnet({"classify", "--max-pixels", "400", "a.ppm"}).exit_code, 0);
  const auto refused = alexnet({"classify", "--max-pixels", "399", "a.ppm"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, testing::HasSubstr("a.ppm: ")) << refused;
  EXPECT_THAT(refused.err, testing::HasSubstr("399")) << refused;
}

TEST_F(BadPictures, VerboseTellsWhatTheDecoderRemarked) {
  const std::string jpeg = repository_file("data/chelsea.jpg");
  struct Case {
    std::string name;
    std::string bytes;
    std::string note;  // a regular expression
  };
  std::string corrupt = jpeg;
  std::fill_n(corrupt.begin() + static_cast<std::ptrdiff_t>(jpeg.size() / 2), 40, '\0');
  for (const auto& [name, bytes, note] : {
           Case{"corrupt.jpg", corrupt, "[0-9]+ decoder warnings?, the first: [A-Z].+"},
           Case{"animated.gif", repository_file("tests/golden/image/animated.gif"), "first of 3 frames"},
           Case{"animated.png", repository_file("tests/golden/image/animated.png"), "first of 3 frames"},
           Case{"two_frames.jpg", repository_file("tests/golden/image/two_frames.jpg"), "first of several frames"},
       }) {
    folder_.write(name, bytes);
    if (name.ends_with("g") && name != "animated.png" && !jpeg_decoder().starts_with("libjpeg-turbo")) continue;
    const auto quiet = alexnet({"classify", name});
    EXPECT_EQ(quiet.exit_code, 0) << quiet;
    EXPECT_EQ(quiet.err, "");
    const auto told = alexnet({"classify", "-v", name});
    EXPECT_EQ(told.out, quiet.out);
    EXPECT_THAT(told.err, testing::ContainsRegex("debug " + name + ": " + note + "\n"));
  }
}

// The first record shows that the folder was listed; nobody reads the others until its last files have changed.
TEST_F(BadPictures, AFileThatVanishesOrShrinksAfterItsFolderWasListedGetsARecord) {
  constexpr int kCount = 600;  // their records are more than a pipe holds
  write_pictures(1);
  for (int i = 1; i < kCount; ++i) fs::create_hard_link(path("in/00.ppm"), path(fmt::format("in/a{:04}.ppm", i)));
  const std::string shrinking = test::noise_ppm(50, 50, 1);
  folder_.write("in/x.ppm", shrinking);
  folder_.write("in/y.ppm", shrinking);
  folder_.write("in/z.ppm", shrinking);
  test::Command command({"classify", "-f", "jsonl", "in"}, here());
  ASSERT_TRUE(command.wait_for_lines(1));
  fs::resize_file(path("in/x.ppm"), shrinking.size() / 2);
  fs::remove(path("in/y.ppm"));
  const auto result = command.finish();
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_EQ(result.err, "alexnet: 2 of 603 pictures could not be used\n");
  const auto records = lines(result.out);
  ASSERT_EQ(records.size(), 603u);
  EXPECT_EQ(Json::parse(records[kCount])["error"]["kind"], "truncated") << records[kCount];
  EXPECT_EQ(Json::parse(records[kCount + 1])["error"]["kind"], "not_found") << records[kCount + 1];
  EXPECT_TRUE(Json::parse(records[kCount + 2]).contains("top")) << records[kCount + 2];
}

// Files of sysfs announce a page and hold less, as one that shrinks between the look at its size and the reading.
TEST_F(BadPictures, AFileThatHoldsLessThanItsSizeSaysIsTakenAsItIs) {
  const std::string file = "/sys/devices/system/cpu/online";
  if (!fs::exists(file)) GTEST_SKIP() << "needs sysfs";
  const auto result = alexnet({"classify", file});
  EXPECT_EQ(result.exit_code, 1) << result;
  EXPECT_THAT(result.err, testing::ContainsRegex(file + ": is not a picture: it begins with '[0-9,-]+(\\\\x0a)?'"));
}

TEST_F(BadPictures, AnyNameThatAFileCanHaveIsWrittenSafely) {
  const std::string long_name = std::string(250, 'x') + ".ppm";
  std::string deep = path("deep").string();  // 4,000 bytes of path and more
  while (deep.size() < 3800) {
    deep += "/" + std::string(200, 'd');
    fs::create_directories(deep);
  }
  const std::vector<std::string> names = {"with space.ppm",
                                          "new\nline.ppm",
                                          "it's \"quoted\", with comma.ppm",
                                          "\xf0\x9f\x90\x88.ppm",
                                          "bad \xff\xfe utf8.ppm",
                                          "-dash.ppm",
                                          "@at.ppm",
                                          "\x1b[31mred.ppm",
                                          "tab\t.ppm",
                                          long_name};
  std::string list;
  for (const auto& name : names) {
    folder_.write(name, test::noise_ppm(20, 20, 1));
    list += "./" + name + '\0';
  }
  fs::copy_file(path(names[0]), deep + "/a.ppm");
  list += deep + "/a.ppm" + '\0';
  list += std::string(4096, 'y') + ".ppm" + '\0';
  const auto result = alexnet({"classify", "--null", "-f", "jsonl", "@-"}, {.input = list});
  EXPECT_EQ(result.exit_code, 1) << result;
  const auto records = lines(result.out);
  ASSERT_EQ(records.size(), names.size() + 2) << "each on one line";
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Json record = Json::parse(records[i]);
    EXPECT_TRUE(record.contains("top")) << records[i];
    if (is_utf8(names[i])) {
      EXPECT_EQ(record["path"], "./" + names[i]);
      EXPECT_FALSE(record.contains("path_base64"));
    } else {
      EXPECT_EQ(record["path"], "./bad \xef\xbf\xbd\xef\xbf\xbd utf8.ppm");
      EXPECT_EQ(record["path_base64"], base64("./" + names[i]));
    }
  }
  EXPECT_TRUE(Json::parse(records[names.size()]).contains("top")) << "a path of 4,000 bytes";
  EXPECT_EQ(Json::parse(records[names.size() + 1])["error"]["kind"], "unreadable") << records.back();

  const auto text = alexnet({"classify", "-k", "1", "--null", "@-"}, {.input = list});
  EXPECT_EQ(text.out.find('\x1b'), std::string::npos) << "no escape sequence gets through";
  EXPECT_THAT(text.out, testing::HasSubstr("./new\\x0aline.ppm\n"));
  const auto missing = alexnet({"classify", "no\nsuch \x1b[31mfile"});
  EXPECT_EQ(missing.err, "alexnet: no\\x0asuch \\x1b[31mfile: can't be opened: No such file or directory\n");

  // As operands.
  EXPECT_EQ(alexnet({"classify", "--", "-dash.ppm", "./@at.ppm"}).exit_code, 0);
}

}  // namespace
}  // namespace alexnet
