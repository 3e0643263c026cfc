#include "tasks/pictures.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "tests/support.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;

// All paths of a source, "!kind" for one that is a problem.
std::vector<std::string> all(const std::vector<std::string>& operands, const PictureSourceOptions& options = {}) {
  PictureSource source(operands, options);
  std::vector<std::string> paths;
  PictureInput input;
  while (source.next(input, /*wait=*/true) == PictureSource::Next::picture) {
    paths.push_back(input.problem ? fmt::format("!{} {}", name(input.problem->kind()), input.path) : input.path);
  }
  return paths;
}

std::vector<std::string> within(const fs::path& folder, std::vector<std::string> names) {
  for (auto& name : names) name = (folder / name).string();
  return names;
}

TEST(PictureSource, TakesAFoldersPicturesBySuffixInAnyCaseSortedByPath) {
  const test::TemporaryFolder folder;
  for (const char* name :
       {"b.jpg", "a.JPEG", "c.Png", "d.bmp", "e.gif", "f.ppm", "g.pgm", "h.txt", "jpg", ".jpg", "i.jpg.txt", "j.tiff"}) {
    folder.write(name, "");
  }
  fs::create_directory(folder.path() / "k.jpg");
  EXPECT_EQ(all({folder.path().string()}),
            within(folder.path(), {".jpg", "a.JPEG", "b.jpg", "c.Png", "d.bmp", "e.gif", "f.ppm", "g.pgm"}));
  EXPECT_EQ(all({folder.path().string() + "/"}).front(), (folder.path() / ".jpg").string()) << "one slash";
}

TEST(PictureSource, SortsWholePathsWhenItLooksIntoFoldersBelow) {
  const test::TemporaryFolder folder;
  for (const char* name : {"a", "a/b", "a-b", "empty"}) fs::create_directory(folder.path() / name);
  for (const char* name : {"a/2.jpg", "a/b/1.jpg", "a/a.jpg", "a-b/0.jpg", "a.jpg", "z.jpg"}) folder.write(name, "");
  fs::create_directory_symlink(folder.path(), folder.path() / "loop");
  const auto paths = all({folder.path().string()}, {.recursive = true});
  EXPECT_EQ(paths, within(folder.path(), {"a-b/0.jpg", "a.jpg", "a/2.jpg", "a/a.jpg", "a/b/1.jpg", "z.jpg"}));
  EXPECT_TRUE(std::is_sorted(paths.begin(), paths.end()));
  EXPECT_EQ(all({folder.path().string()}), within(folder.path(), {"a.jpg", "z.jpg"})) << "not recursive";
}

TEST(PictureSource, KeepsOperandsInTheirOrderAndTwiceWhatIsGivenTwice) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder.path() / "in");
  folder.write("in/1.jpg", "");
  const auto list = folder.write("list", "x.jpg\r\n\n  y z.jpg\nlast");
  const std::string in = (folder.path() / "in").string();
  EXPECT_EQ(all({"b", in, "@" + list.string(), "a", "b", "-"}),
            (std::vector<std::string>{"b", in + "/1.jpg", "x.jpg", "  y z.jpg", "last", "a", "b", "-"}));
  EXPECT_EQ(count_pictures({"b", in, "@" + list.string()}, {}), 5u);
  EXPECT_EQ(count_pictures({"b", "-"}, {}), std::nullopt);
  EXPECT_EQ(count_pictures({"@-"}, {}), std::nullopt);
}

TEST(PictureSource, ReadsListsThatEndPathsWithNul) {
  const test::TemporaryFolder folder;
  const auto list = folder.write("list", std::string("a\nb.jpg\0c\r\n\0\0d", 15));
  EXPECT_EQ(all({"@" + list.string()}, {.null_separated = true}), (std::vector<std::string>{"a\nb.jpg", "c\r\n", "d"}));
}

TEST(PictureSource, ReportsFoldersAndListsThatCantBeReadAndGoesOn) {
  const test::TemporaryFolder folder;
  const std::string empty = (folder.path() / "empty").string();
  fs::create_directory(empty);
  const auto binary = folder.write("binary", std::string(100'000, 'x'));
  const std::string missing = (folder.path() / "missing").string();
  EXPECT_EQ(all({empty, "@" + missing, "@" + folder.path().string(), "@" + binary.string(), "a.jpg"}),
            (std::vector<std::string>{"!not_found " + empty, "!not_found " + missing, "!unreadable " + folder.path().string(),
                                      "!corrupt " + binary.string(), "a.jpg"}));
  PictureSource source({empty}, {});
  PictureInput input;
  source.next(input, true);
  EXPECT_EQ(input.problem->what(),
            empty + ": has no pictures (looked for jpg, jpeg, png, bmp, gif, ppm, pgm; -r looks into folders below, too)");
}

TEST(PictureSource, SaysWhenAPipeHasNothingToGiveYet) {
  const test::TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int writer = ::open(pipe.c_str(), O_RDWR);
  ASSERT_GE(writer, 0);
  PictureSource source({"@" + pipe.string()}, {});
  PictureInput input;
  EXPECT_EQ(source.next(input, /*wait=*/false), PictureSource::Next::later);
  ASSERT_EQ(::write(writer, "a.jpg\nb", 7), 7);
  EXPECT_EQ(source.next(input, /*wait=*/false), PictureSource::Next::picture);
  EXPECT_EQ(input.path, "a.jpg");
  EXPECT_EQ(source.next(input, /*wait=*/false), PictureSource::Next::later) << "half a line";
  ::close(writer);
  EXPECT_EQ(source.next(input, /*wait=*/false), PictureSource::Next::picture);
  EXPECT_EQ(input.path, "b");
  EXPECT_EQ(source.next(input, /*wait=*/false), PictureSource::Next::end);
}

TEST(PictureSource, StopsWaitingWhenAsked) {
  const test::TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int writer = ::open(pipe.c_str(), O_RDWR);
  std::atomic<int> stop = 0;
  PictureSource source({"@" + pipe.string()}, {.stop = &stop});
  std::thread asker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop = 2;
  });
  PictureInput input;
  EXPECT_EQ(source.next(input, /*wait=*/true), PictureSource::Next::end);
  asker.join();
  ::close(writer);
}

}  // namespace
}  // namespace alexnet
