// The pieces that adapt to a terminal.
#include "cli/terminal.h"

#include "cli/progress.h"
#include "cli/table.h"

namespace alexnet::cli {
namespace {

TEST(Terminal, CountsColumnsNotBytes) {
  EXPECT_EQ(columns_of("caf\xc3\xa9"), 4);
  EXPECT_EQ(columns_of("\xe7\x8c\xab"), 2) << "a Chinese character is two wide";
  EXPECT_EQ(columns_of("\xf0\x9f\x90\x88"), 2) << "so is an emoji";
  EXPECT_EQ(columns_of("e\xcc\x81"), 1) << "a combining accent takes none";
  EXPECT_EQ(columns_of(""), 0);
}

TEST(Terminal, CutsBetweenCharacters) {
  EXPECT_EQ(cut_to("tabby cat", 9, true), "tabby cat");
  EXPECT_EQ(cut_to("tabby cat", 8, true), "tabby c\xe2\x80\xa6");
  EXPECT_EQ(cut_to("tabby cat", 8, false), "tabby...");
  EXPECT_EQ(cut_to("\xe7\x8c\xab\xe7\x8c\xab\xe7\x8c\xab", 4, true), "\xe7\x8c\xab\xe2\x80\xa6");
}

TEST(Terminal, WrapsAtBlanks) {
  EXPECT_EQ(wrapped("one two three", 9, 0), "one two\nthree");
  EXPECT_EQ(wrapped("one two three", 9, 2), "one two\n  three");
  EXPECT_EQ(wrapped("averylongword b", 5, 0), "averylongword\nb");
}

TEST(Progress, ShowsWhatIsKnown) {
  EXPECT_EQ(progress_text({.done = 40, .failed = 1, .total = 100}, 2), "40/100  20 a second  0:03 left  1 failed");
  EXPECT_EQ(progress_text({.done = 3}, 2), "3  1.5 a second");
  EXPECT_EQ(progress_text({.done = 0, .total = 10}, 0), "0/10  0.0 a second");
  EXPECT_EQ(progress_text({.done = 1, .total = 100'000}, 1), "1/100000  1.0 a second  27:46:39 left");
}

TEST(Progress, FitsTheTerminal) {
  EXPECT_EQ(progress_bar({.done = 50, .total = 100}, 5, 50), "[########--------] 50/100  10 a second  0:05 left");
  for (int columns = 10; columns < 120; ++columns) {
    EXPECT_LT(columns_of(progress_bar({.done = 123, .failed = 7, .total = 1000}, 9, columns)), columns);
  }
}

TEST(Table, AlignsAndShrinksWhereItMay) {
  const std::vector<Column> columns = {{.head = "name"}, {.head = "n", .right = true}, {.head = "settings", .shrinkable = true}};
  const std::vector<std::vector<std::string>> rows = {{"conv1", "35", "kernel=[11,11] stride=[4,4]"}, {"fc", "1000", ""}};
  EXPECT_EQ(table(columns, rows, {}), "name      n  settings\nconv1    35  kernel=[11,11] stride=[4,4]\nfc     1000\n");
  EXPECT_EQ(table(columns, rows, {.present = true, .columns = 24, .utf8 = true}),
            "name      n  settings\nconv1    35  kernel=[11\xe2\x80\xa6\nfc     1000\n");
  EXPECT_EQ(table(columns, rows, {.present = true, .columns = 16}), "name      n\nconv1    35\nfc     1000\n");
}

}  // namespace
}  // namespace alexnet::cli
