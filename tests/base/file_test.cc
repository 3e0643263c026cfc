#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "alexnet/error.h"
#include "tests/support.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorKind::usage, "", "");
}

TEST(ReadFile, ReadsBytesAndBoundsThem) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("five", "12345");
  EXPECT_EQ(read_file(file).size(), 5u);
  EXPECT_EQ(read_file(file, 5).size(), 5u);
  const Error error = error_of([&] { read_file(file, 4); });
  EXPECT_EQ(error.kind(), ErrorKind::too_large);
  EXPECT_EQ(error.what(), file.string() + ": has 5 bytes, more than 4");
}

// Files of sysfs announce a page and hold less, as one that shrinks after its size was asked for.
TEST(ReadFile, EndsWhereTheFileEndsWhateverItsSizeSays) {
  const fs::path file = "/sys/devices/system/cpu/online";
  if (!fs::exists(file)) GTEST_SKIP() << "needs sysfs";
  EXPECT_EQ(read_file(file).size(), content(file).size());
  EXPECT_LT(read_file(file).size(), fs::file_size(file));
}

TEST(ReadFile, RefusesWhatIsNotAFileWithoutWaiting) {
  const test::TemporaryFolder folder;
  const auto fifo = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto dangling = folder.path() / "dangling";
  fs::create_symlink("nowhere", dangling);
  const auto loop = folder.path() / "loop";
  fs::create_symlink("loop", loop);
  struct Case {
    fs::path path;
    ErrorKind kind;
    std::string message;
  };
  for (const auto& c : {Case{folder.path(), ErrorKind::unreadable, "is a folder, not a file"},
                        Case{fifo, ErrorKind::unreadable, "is a named pipe, not a file"},
                        Case{"/dev/zero", ErrorKind::unreadable, "is a device, not a file"},
                        Case{"/dev/full", ErrorKind::unreadable, "is a device, not a file"},
                        Case{dangling, ErrorKind::not_found, "can't be opened: No such file or directory"},
                        Case{loop, ErrorKind::unreadable, "can't be opened: Too many levels of symbolic links"},
                        Case{folder.path() / "missing", ErrorKind::not_found, "can't be opened: No such file or directory"}}) {
    const Error error = error_of([&] { read_file(c.path); });
    EXPECT_EQ(error.kind(), c.kind) << c.path;
    EXPECT_EQ(error.what(), c.path.string() + ": " + c.message);
  }
}

TEST(MappedFile, OutlivesTheFilesName) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("model", "weights");
  const auto mapped = MappedFile::open(file);
  fs::remove(file);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(mapped->bytes().data()), mapped->bytes().size()), "weights");
}

TEST(MappedFile, RefusalsAreAboutModels) {
  const test::TemporaryFolder folder;
  const auto empty = folder.write("empty", "");
  for (const auto& path : {empty, folder.path(), folder.path() / "missing"}) {
    EXPECT_EQ(error_of([&] { MappedFile::open(path); }).kind(), ErrorKind::model) << path;
  }
}

TEST(AtomicFile, ReplacesTheTargetOnlyWhenCommitted) {
  const test::TemporaryFolder folder;
  const auto target = folder.write("out", "old");
  {
    AtomicFile file(target);
    file.write("new and longer");
    EXPECT_EQ(content(target), "old");
  }
  EXPECT_EQ(content(target), "old") << "abandoned";
  {
    AtomicFile file(target);
    file.write("xxxx content");
    file.seek(0);
    file.write("new ");
    file.commit();
  }
  EXPECT_EQ(content(target), "new  content");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1) << "no temporary file is left";
  EXPECT_EQ(fs::status(target).permissions() & fs::perms::owner_all, fs::perms::owner_read | fs::perms::owner_write);
}

TEST(AtomicFile, KeepsWhatWasWrittenSoFarBesideTheTarget) {
  const test::TemporaryFolder folder;
  const auto target = folder.write("out", "old");
  AtomicFile file(target);
  file.write("half");
  const auto partial = file.keep_partial();
  EXPECT_EQ(content(target), "old");
  EXPECT_EQ(content(partial), "half");
  EXPECT_EQ(partial.filename(), "out.part");
}

TEST(AtomicFile, FollowsLinksAndWritesDevicesAsTheyAre) {
  const test::TemporaryFolder folder;
  const auto target = folder.write("target", "old");
  const auto link = folder.path() / "link";
  fs::create_symlink("target", link);
  AtomicFile file(link);
  file.write("new");
  file.commit();
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(content(target), "new");

  AtomicFile device("/dev/full");
  const Error error = error_of([&] { device.write("x"); });
  EXPECT_EQ(error.what(), std::string("/dev/full: can't be written: No space left on device"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  EXPECT_EQ(error_of([&] { AtomicFile in(folder.path()); }).what(), folder.path().string() + ": can't be opened: Is a directory");
}

TEST(AtomicFile, NamesTheTargetThatCantBeWritten) {
  const test::TemporaryFolder folder;
  const auto target = folder.path() / "missing" / "out";
  const Error error = error_of([&] { AtomicFile file(target); });
  EXPECT_EQ(error.kind(), ErrorKind::output);
  EXPECT_EQ(error.what(), target.string() + ": can't be created: No such file or directory");
}

}  // namespace
}  // namespace alexnet
