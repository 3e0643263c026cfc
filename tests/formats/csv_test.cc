#include "formats/csv.h"

#include "alexnet/error.h"

namespace alexnet {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(std::string_view text) {
  CsvReader reader(text, "list.csv");
  Rows rows;
  for (std::vector<std::string> fields; reader.next(fields);) rows.push_back(fields);
  return rows;
}

TEST(Csv, ReadsWhatRfc4180Describes) {
  struct Case {
    std::string what;
    std::string text;
    Rows rows;
  };
  for (const auto& [what, text, rows] : {
           Case{"nothing", "", {}},
           Case{"plain", "a,b\nc,d\n", {{"a", "b"}, {"c", "d"}}},
           Case{"no last line end", "a,b\nc,d", {{"a", "b"}, {"c", "d"}}},
           Case{"CRLF", "a,b\r\nc,d\r\n", {{"a", "b"}, {"c", "d"}}},
           Case{"a byte order mark",
                "\xef\xbb\xbf"
                "a,b\n",
                {{"a", "b"}}},
           Case{"a byte order mark before a quote", "\xef\xbb\xbf\"a\",b\n", {{"a", "b"}}},
           Case{"empty lines", "\n\r\na,b\n\nc,d\n\n", {{"a", "b"}, {"c", "d"}}},
           Case{"empty fields", ",\na,\n,b\n", {{"", ""}, {"a", ""}, {"", "b"}}},
           Case{"an empty last field", "a,", {{"a", ""}}},
           Case{"quotes", "\"a\",\"b\"\n", {{"a", "b"}}},
           Case{"an empty field in quotes", "\"\",\"\"", {{"", ""}}},
           Case{"commas in quotes", "\"tabby, tabby cat\",1\n", {{"tabby, tabby cat", "1"}}},
           Case{"doubled quotes", "\"a \"\"b\"\" c\",d\n", {{"a \"b\" c", "d"}}},
           Case{"line ends in quotes", "\"a\nb\",\"c\r\nd\"\r\n", {{"a\nb", "c\r\nd"}}},
           Case{"blanks belong to a field", " a , b \n", {{" a ", " b "}}},
           Case{"a carriage return inside", "a\rb,c\n", {{"a\rb", "c"}}},
           Case{"bytes that are not UTF-8", "\xff,\xc3\n", {{"\xff", "\xc3"}}},
       }) {
    EXPECT_EQ(rows_of(text), rows) << what;
  }
}

TEST(Csv, RefusesWhatItDoesNotNamingTheLine) {
  struct Case {
    std::string text;
    std::string message;
  };
  for (const auto& [text, message] : {
           Case{"a,b\n\"c,d\n", "line 2 has a quote that is not closed"},
           Case{"a,b\n\n\"c\n\n\" x,d\n", "line 5 has text behind a closing quote"},
           Case{"a\"b,c\n", "line 1 has a quote inside a field without quotes"},
           Case{"\"", "line 1 has a quote that is not closed"},
       }) {
    try {
      rows_of(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      EXPECT_EQ(error.where(), "list.csv");
      EXPECT_EQ(error.message(), message);
    }
  }
}

TEST(Csv, KnowsWhereARowBegins) {
  CsvReader reader("a\n\n\"b\nc\"\r\nd\n", "list.csv");
  std::vector<std::size_t> found;
  for (std::vector<std::string> fields; reader.next(fields);) found.push_back(reader.line());
  EXPECT_THAT(found, testing::ElementsAre(1, 3, 5));
}

}  // namespace
}  // namespace alexnet
