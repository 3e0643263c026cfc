#include "formats/zip.h"

#include <cstring>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alexnet/error.h"
#include "formats/bytes.h"
#include "formats/zip_writer.h"
#include "tests/formats/build_zip.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using test::build_zip;
using test::ZipEnd;
using test::ZipPart;
using ::testing::HasSubstr;

std::vector<ZipEntry> read(const std::string& file) { return read_zip(std::as_bytes(std::span(file)), "a.zip"); }

std::string message_of(const std::string& file) {
  try {
    for (const auto& entry : read(file)) inflated(entry, 1 << 20, "a.zip");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), "a.zip");
    return error.message();
  }
  return "accepted";
}

// An extra record of id 0x0001 with these values.
std::string zip64_extra(const std::vector<std::uint64_t>& values) {
  std::string extra;
  append<std::uint16_t>(extra, 1);
  append(extra, static_cast<std::uint16_t>(8 * values.size()));
  for (const auto value : values) append(extra, value);
  return extra;
}

TEST(Zip, ReadsStoredEntriesInPlace) {
  const auto file =
      build_zip({{.name = "a/data.pkl", .data = "first"}, {.name = "a/data/0", .data = ""}, {.name = "b", .data = "last"}});
  const auto entries = read(file);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "a/data.pkl");
  EXPECT_EQ(as_text(entries[0].data), "first");
  EXPECT_EQ(as_text(entries[2].data), "last");
  EXPECT_EQ(reinterpret_cast<const char*>(entries[0].data.data()), file.data() + file.find("first"));
}

TEST(Zip, InflatesDeflatedEntries) {
  const std::string text(1000, 'x');
  for (const auto& plain : {text, std::string("x"), std::string()}) {
    const auto file = build_zip({{.name = "a",
                                  .data = test::deflate(plain),
                                  .method = 8,
                                  .crc = test::crc_of(plain),
                                  .size = static_cast<std::uint32_t>(plain.size())}});
    const auto entries = read(file);
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(as_text(inflated(entries[0], plain.size(), "a.zip")), plain);
  }
}

TEST(Zip, ReadsWhatWritersDo) {
  const std::string padding("FB\3\0ZZZ", 7);
  const struct {
    std::string what;
    std::string file;
  } cases[] = {
      {"no entries", build_zip({})},
      {"a comment", build_zip({{.name = "a", .data = "b"}}, {.comment = "hello"})},
      {"PyTorch: sizes in the descriptor, padding, zip64 end record",
       build_zip({{.name = "a", .data = "b", .flags = 0x808, .local_size = 0, .local_crc = 0, .local_extra = padding}},
                 {.zip64 = true})},
      {"zip64 end record that carries everything",
       build_zip({{.name = "a", .data = "b"}}, {.entries = 0xffff, .size = 0xffffffff, .offset = 0xffffffff, .zip64 = true})},
      {"zip64 sizes in the directory", build_zip({{.name = "a",
                                                   .data = "b",
                                                   .size = 0xffffffff,
                                                   .packed_size = 0xffffffff,
                                                   .directory_extra = padding + zip64_extra({1, 1}),
                                                   .local_size = 1}})},
      {"zip64 offset in the directory",
       build_zip({{.name = "a", .data = "b", .offset = 0xffffffff, .directory_extra = zip64_extra({0})}})},
      {"NumPy: zip64 sizes in the local header",
       build_zip({{.name = "a", .data = "b", .local_size = 0xffffffff, .local_extra = zip64_extra({1, 1})}})},
      {"a local zip64 record that nothing asks for",
       build_zip({{.name = "a", .data = "b", .flags = 8, .local_size = 0, .local_extra = zip64_extra({77})}})},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(message_of(c.file), "accepted");
  }
}

TEST(Zip, RefusesBrokenArchives) {
  const ZipPart good{.name = "a", .data = "data"};
  const auto with = [&](auto change) {
    ZipPart part = good;
    change(part);
    return build_zip({part});
  };
  const auto ended = [&](const ZipEnd& end) { return build_zip({good}, end); };
  const auto whole = build_zip({good});
  const std::string zeros(100'000, '\0');
  const struct {
    std::string what;
    std::string file;
    std::string message;
  } cases[] = {
      {"nothing", "", "no end record"},
      {"text", "PK\3\4 but no archive at all, just text", "no end record"},
      {"cut", whole.substr(0, whole.size() - 1), "no end record (cut short?)"},
      {"bytes behind the end", whole + "x", "no end record"},
      {"end record alone, pointing anywhere", ended({.offset = 1}).substr(whole.size() - 22), "zip directory should have"},
      {"several volumes", ended({.disk = 1}), "one volume of a zip archive of several"},
      {"directory beyond the file", ended({.offset = 0xfffffff0}), "zip directory should have 47 bytes from 4294967280 on"},
      {"directory too long", ended({.size = 48}), "zip directory should have 48 bytes"},
      {"directory too short", ended({.size = 46}), "zip directory should have 46 bytes"},
      {"directory of nonsense", ended({.size = 47, .offset = 0}), "zip directory should have"},
      {"bytes behind the directory", ended({.size = 50, .between = "xyz"}), "3 bytes behind its last entry"},
      {"more entries than there are", ended({.entries = 2}), "is too short for 2 entries"},
      {"fewer entries than there are", ended({.entries = 0}), "47 bytes behind its last entry"},
      {"10 million entries", ended({.entries = 0xffff, .zip64 = true, .entries64 = 10'000'000}),
       "has 10000000 zip entries, more than 100000"},
      {"zip64: entries that disagree", ended({.zip64 = true, .entries64 = 2}), "zip end records disagree: 1 and 2"},
      {"zip64: size that disagrees", ended({.zip64 = true, .size64 = 9}), "zip end records disagree: 47 and 9"},
      {"zip64: offset that disagrees", ended({.zip64 = true, .offset64 = 9}), "zip end records disagree: 35 and 9"},
      {"zip64: offset beyond the file", ended({.offset = 0xffffffff, .zip64 = true, .offset64 = UINT64_MAX - 5}),
       "zip directory should have"},
      {"zip64: record elsewhere", ended({.zip64 = true, .record_offset = 1}), "zip64 end record is not where"},
      {"zip64: record beyond the file", ended({.zip64 = true, .record_offset = UINT64_MAX}), "zip64 end record is not where"},
      {"no directory signature",
       [&] {
         auto file = whole;
         file[35] = 'x';
         return file;
       }(),
       "zip directory is damaged"},
      {"name longer than the directory",
       [&] {
         auto file = whole;
         file[35 + 28] = '\2';
         return file;
       }(),
       "zip directory is damaged"},
      {"entry outside", with([](ZipPart& p) { p.offset = 36; }), "entry 'a' begins at 36, outside"},
      {"entry far outside", with([](ZipPart& p) { p.offset = 0xfffffffe; }), "entry 'a' begins at 4294967294, outside"},
      {"entry at no local header", with([](ZipPart& p) { p.offset = 1; }), "entry 'a' has no local header where"},
      {"data outside", with([](ZipPart& p) { p.size = p.packed_size = 5; }), "has 5 bytes from 31 on, which leads outside"},
      {"zip64 size outside", with([](ZipPart& p) {
         p.size = p.packed_size = 0xffffffff;
         p.local_size = 0;
         p.flags = 8;
         p.directory_extra = zip64_extra({UINT64_MAX - 1, UINT64_MAX - 1});
       }),
       "has 18446744073709551614 bytes from 31 on, which leads outside"},
      {"zip64 offset outside", with([](ZipPart& p) {
         p.offset = 0xffffffff;
         p.directory_extra = zip64_extra({UINT64_MAX});
       }),
       "begins at 18446744073709551615, outside"},
      {"zip64 announced, not there", with([](ZipPart& p) { p.size = p.packed_size = 0xffffffff; }), "lacks the zip64 field"},
      {"zip64 record too short", with([](ZipPart& p) {
         p.size = p.packed_size = 0xffffffff;
         p.directory_extra = zip64_extra({4});
       }),
       "lacks the zip64 field"},
      {"extra field past its end", with([](ZipPart& p) { p.directory_extra = std::string("\1\0\x10\0", 4); }),
       "damaged extra field"},
      {"stored with two sizes", with([](ZipPart& p) { p.size = 3; }), "is stored, but its sizes disagree: 4 and 3"},
      {"local size that disagrees", with([](ZipPart& p) { p.local_size = 3; }),
       "has 3 bytes (checksum adf3f363) by its local header, 4"},
      {"local checksum that disagrees", with([](ZipPart& p) { p.local_crc = 3; }),
       "(checksum 00000003) by its local header, 4 (adf3f363)"},
      {"local zip64 size that disagrees", with([](ZipPart& p) {
         p.local_size = 0xffffffff;
         p.local_extra = zip64_extra({5, 5});
       }),
       "has 5 bytes (checksum adf3f363) by its local header"},
      {"local name that disagrees", with([](ZipPart& p) { p.local_name = "b"; }), "has another name in its local header"},
      {"local method that disagrees", with([](ZipPart& p) { p.local_method = 8; }), "has another compression in its local header"},
      {"local header past the directory",
       [&] {
         auto file = whole;
         file[28] = '\x7f';
         return file;
       }(),
       "local header that leads outside"},
      {"encrypted", with([](ZipPart& p) { p.flags = 1; }), "is encrypted"},
      {"bzip2", with([](ZipPart& p) { p.method = 12; }), "unsupported compression method 12"},
      {"checksum", with([](ZipPart& p) { p.crc = 5; }), "is damaged: its checksum is adf3f363, not 00000005"},
      {"not deflate", with([](ZipPart& p) { p.method = 8; }), "is damaged: it does not inflate"},
      {"deflate bomb by its header", with([](ZipPart& p) {
         p.method = 8;
         p.size = 1 << 20;
       }),
       "can't hold 1048576 bytes in 4 compressed ones"},
      {"more than the reader allows", with([](ZipPart& p) {
         p.method = 8;
         p.size = (1 << 20) + 1;
       }),
       "has 1048577 bytes, more than 1048576"},
      {"deflated to more than its size", build_zip({{.name = "a", .data = test::deflate(zeros), .method = 8, .size = 99'999}}),
       "does not inflate to its size"},
      {"deflated to less than its size", build_zip({{.name = "a", .data = test::deflate(zeros), .method = 8, .size = 100'001}}),
       "does not inflate to its size"},
      {"bytes behind deflate's end", build_zip({{.name = "a", .data = test::deflate(zeros) + "x", .method = 8, .size = 100'000}}),
       "does not inflate to its size"},
      {"two entries of one name", build_zip({good, good}), "entry 'a' is there twice"},
      {"two entries at one place", build_zip({good, {.name = "b", .data = "x", .offset = 0}}), "entry 'b' has another name"},
      {"an entry within another",
       [] {
         const auto inner = build_zip({{.name = "in", .data = "x"}}).substr(0, 33);
         return build_zip({{.name = "out", .data = inner + "rest"}, {.name = "in", .data = "x", .offset = 33}});
       }(),
       "entry 'in' overlaps zip entry 'out'"},
      {"a name that climbs", build_zip({{.name = "../a", .data = ""}}), "entry '../a' has a name that leads out"},
      {"a name that climbs later", build_zip({{.name = "a/../../b", .data = ""}}), "leads out of the archive"},
      {"an absolute name", build_zip({{.name = "/etc/passwd", .data = ""}}), "leads out of the archive"},
      {"a drive", build_zip({{.name = "C:x", .data = ""}}), "leads out of the archive"},
      {"a backslash", build_zip({{.name = "..\\x", .data = ""}}), "leads out of the archive"},
      {"a NUL", build_zip({{.name = std::string("a\0b", 3), .data = ""}}), "entry 'a\\x00b' has a name that leads out"},
      {"no name", build_zip({{.name = "", .data = ""}}), "leads out of the archive"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(message_of(c.file), HasSubstr(c.message));
  }
}

TEST(Zip, WritesWhatItReads) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.zip";
  const std::string long_name(200, 'n');
  ZipWriter writer(path);
  writer.begin("one");
  writer.write("fir");
  writer.write("st");
  writer.end();
  writer.begin(long_name);
  writer.end();
  writer.begin("three");
  writer.write(std::string(1000, 'x'));
  writer.end();
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.finish();
  const auto file = MappedFile::open(path);
  const auto entries = read_zip(file->bytes(), "a.zip");
  ASSERT_EQ(entries.size(), 3u);
  for (const auto& entry : entries) {
    EXPECT_NO_THROW(check_crc(entry, "a.zip"));
    EXPECT_EQ((entry.data.data() - file->bytes().data()) % 64, 0) << entry.name;
  }
  EXPECT_EQ(entries[0].name, "one");
  EXPECT_EQ(as_text(entries[0].data), "first");
  EXPECT_EQ(entries[1].name, long_name);
  EXPECT_EQ(entries[2].size, 1000u);
}

TEST(Zip, RefusesToWriteTwoEntriesOfOneName) {
  const test::TemporaryFolder folder;
  ZipWriter writer(folder.path() / "a.zip");
  writer.begin("x");
  writer.end();
  EXPECT_THROW(writer.begin("x"), Error);
  EXPECT_THROW(writer.begin(""), Error);
}

}  // namespace
}  // namespace alexnet
