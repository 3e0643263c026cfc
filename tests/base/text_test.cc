#include "base/text.h"

#include <limits>

namespace alexnet {
namespace {

TEST(Text, SplitsJoinsAndTrims) {
  EXPECT_THAT(split("a,,b", ','), testing::ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), testing::ElementsAre(""));
  EXPECT_EQ(join(std::vector<std::string>{"a", "b"}, ", "), "a, b");
  EXPECT_EQ(trim(" \t x y\r\n"), "x y");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(Text, NumbersAreReadWholeOrNotAtAll) {
  EXPECT_EQ(parse_integer("-12"), -12);
  EXPECT_EQ(parse_number("1e-4"), 1e-4);
  for (const char* refused : {"", " 1", "1 ", "1x", "abc", "99999999999999999999", "+1"})
    EXPECT_FALSE(parse_integer(refused)) << refused;
  for (const char* refused : {"", "1,5", "0x", "1e999"}) EXPECT_FALSE(parse_number(refused)) << refused;
}

TEST(Text, ShortestFloatReadsBackToTheSameBits) {
  for (const float value : {0.1f, 1.0f / 3, 16777217.0f, 1e-45f, std::numeric_limits<float>::max(), -0.0f, 5.0f}) {
    EXPECT_EQ(static_cast<float>(*parse_number(shortest(value))), value) << shortest(value);
  }
  EXPECT_EQ(shortest(0.1f), "0.1");
  EXPECT_EQ(shortest(0.1), "0.1");
}

TEST(Text, Utf8IsValidatedAsRfc3629Says) {
  struct Case {
    std::string text;
    std::string lossy;  // equal to text when valid
  };
  const std::string gone = "\xef\xbf\xbd";
  for (const auto& c :
       {Case{"caf\xc3\xa9", "caf\xc3\xa9"}, Case{"\xf0\x9f\x98\xba", "\xf0\x9f\x98\xba"}, Case{"a\xffz", "a" + gone + "z"},
        Case{"\xc0\xaf", gone + gone} /* overlong */, Case{"\xed\xa0\x80", gone + gone + gone} /* surrogate */,
        Case{"\xf4\x90\x80\x80", gone + gone + gone + gone} /* beyond U+10FFFF */, Case{"\xe2\x82", gone + gone}}) {
    EXPECT_EQ(is_utf8(c.text), c.text == c.lossy) << testing::PrintToString(c.text);
    EXPECT_EQ(to_utf8_lossy(c.text), c.lossy) << testing::PrintToString(c.text);
  }
}

TEST(Text, TextFromStrangersStaysOnOneLine) {
  EXPECT_EQ(printable("caf\xc3\xa9 \xe2\x98\x83.jpg"), "caf\xc3\xa9 \xe2\x98\x83.jpg");
  EXPECT_EQ(printable("a\nb\x1b[31m\xff\xc2\x9b"), "a\\x0ab\\x1b[31m\\xff\\xc2\\x9b") << "C1 controls can drive a terminal too";
  EXPECT_EQ(shown("it\n"), "'it\\x0a'");
  EXPECT_EQ(shown(std::string(100, 'x')), "'" + std::string(80, 'x') + "...'");
}

TEST(Text, Base64MatchesRfc4648) {
  // RFC 4648, section 10.
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(base64(bytes), text) << bytes;
  EXPECT_EQ(base64("\xff\xfe"), "//4=");
}

TEST(Text, NearestSuggestsOnlyLikelyMisspellings) {
  const std::vector<std::string> words{"classify", "compare", "convert"};
  EXPECT_EQ(nearest("clasify", words), "classify");
  EXPECT_EQ(nearest("convret", words), "convert");
  EXPECT_EQ(nearest("banana", words), std::nullopt);
}

}  // namespace
}  // namespace alexnet
