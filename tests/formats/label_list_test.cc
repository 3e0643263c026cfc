#include "formats/label_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alexnet/error.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::ElementsAre;

TEST(LabelList, ReadsLabelsWithAndWithoutIds) {
  const std::vector<Label> plain{{"", "tench, Tinca tinca"}, {"", "goldfish"}};
  const std::vector<Label> with_ids{{"n01440764", "tench, Tinca tinca"}, {"n01443537", "goldfish"}};
  const struct {
    std::string what;
    std::string text;
    std::vector<Label> labels;
  } cases[] = {
      {"plain", "tench, Tinca tinca\ngoldfish\n", plain},
      {"no line break at the end", "tench, Tinca tinca\ngoldfish", plain},
      {"CRLF", "tench, Tinca tinca\r\ngoldfish\r\n", plain},
      {"byte order mark", "\xef\xbb\xbftench, Tinca tinca\ngoldfish\n", plain},
      {"empty lines at the end", "tench, Tinca tinca\ngoldfish\n\n \r\n\n", plain},
      {"spaces around", "  tench, Tinca tinca \n\x20goldfish\n", plain},
      {"ids", "n01440764\ttench, Tinca tinca\nn01443537\tgoldfish\n", with_ids},
      {"Caffe's synset_words.txt", "n01440764 tench, Tinca tinca\nn01443537 goldfish\n", with_ids},
      {"two labels told apart by ids", "n02012849\tcrane\nn03126707\tcrane", {{"n02012849", "crane"}, {"n03126707", "crane"}}},
      {"an id on some lines only is a word", "n01440764 tench\ngoldfish", {{"", "n01440764 tench"}, {"", "goldfish"}}},
      {"other scripts", "\xe6\xbc\xa2\xe5\xad\x97\n", {{"", "\xe6\xbc\xa2\xe5\xad\x97"}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(parse_label_list(c.text, "labels.txt"), c.labels);
  }
}

TEST(LabelList, RefusesBrokenLists) {
  const struct {
    std::string what;
    std::string text;
    std::string message;
  } cases[] = {
      {"nothing", "", "labels.txt: has no labels"},
      {"empty lines only", "\n\r\n \n", "labels.txt: has no labels"},
      {"an empty line", "tench\n\ngoldfish\n", "labels.txt: line 2 is empty (each line is the label of one output)"},
      {"Latin-1", "tench\nb\xe9luga\n", "labels.txt: line 2 is not UTF-8: 'b\\xe9luga'"},
      {"UTF-16", std::string("t\0e\0", 4), "labels.txt: line 1 has a control character: 't\\x00e\\x00'"},
      {"an escape sequence", "\x1b[31mtench", "labels.txt: line 1 has a control character: '\\x1b[31mtench'"},
      {"a label twice", "crane\ntench\ncrane\n",
       "labels.txt: line 3 repeats the label 'crane' of line 1 (tell them apart by ids: ID<TAB>LABEL)"},
      {"an id twice", "a\tcrane\na\ttench\n", "labels.txt: line 2 repeats the id 'a' of line 1"},
      {"an id missing", "a\tcrane\ntench\n", "labels.txt: line 2 lacks an id, other than line 1: 'tench'"},
      {"an id on one line", "crane\na\ttench\n", "labels.txt: line 2 has an id, other than line 1: 'a\\x09tench'"},
      {"no label", "a\t\n", "labels.txt: line 1 lacks a label: 'a\\x09'"},
      {"an empty id", "\tcrane\n", "labels.txt: line 1 lacks an id: '\\x09crane'"},
      {"three columns", "a\tcrane\tbird\n", "labels.txt: line 1 has more than two columns: 'a\\x09crane\\x09bird'"},
      {"17 MB", std::string(17 << 20, 'x'), "labels.txt: has more than 16777216 bytes of labels"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    try {
      parse_label_list(c.text, "labels.txt");
      FAIL() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      EXPECT_EQ(error.what(), c.message);
    }
  }
}

TEST(LabelList, ReadsAFile) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(read_label_list(folder.write("l.txt", "a\nb\n")), ElementsAre(Label{"", "a"}, Label{"", "b"}));
  EXPECT_THROW(read_label_list(folder.path() / "none.txt"), Error);
}

}  // namespace
}  // namespace alexnet
