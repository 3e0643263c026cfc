#include "formats/prototxt.h"

#include <functional>
#include <limits>

#include "alexnet/error.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::HasSubstr;

PrototxtMessage parse(const std::string& text) { return parse_prototxt(text, "net.prototxt"); }

// The tree in one canonical spelling.
std::string spelled(const PrototxtMessage& message) {
  std::string result;
  for (const auto& field : message.fields) {
    result += field.name;
    if (const auto* scalar = std::get_if<PrototxtScalar>(&field.value)) {
      const auto* quote = scalar->quoted ? "\"" : "";
      result += fmt::format(":{}{}{} ", quote, scalar->text, quote);
    } else {
      result += fmt::format("{{{}}} ", spelled(field.message()));
    }
  }
  return result;
}

TEST(Prototxt, ReadsEverySpelling) {
  const struct {
    std::string text;
    std::string wanted;
  } cases[] = {
      {"", ""},
      {" # nothing\n", ""},
      {"\xef\xbb\xbfname: \"x\"", "name:\"x\" "},
      {"name: \"AlexNet\"\nforce_backward: true # why\npad: 2", "name:\"AlexNet\" force_backward:true pad:2 "},
      {"a { b: 1 }", "a{b:1 } "},
      {"a: { b: 1 }", "a{b:1 } "},
      {"a < b: 1 >", "a{b:1 } "},
      {"a: < b { c: 2 } >", "a{b{c:2 } } "},
      {"a{b:1}a{b:2}", "a{b:1 } a{b:2 } "},
      {"a{}", "a{} "},
      {"a: 1, b: 2; c: 3", "a:1 b:2 c:3 "},
      {"a { b: 1, } ", "a{b:1 } "},
      {"dim: [10, 3, 227, 227]", "dim:10 dim:3 dim:227 dim:227 "},
      {"dim: []", ""},
      {"a [ { b: 1 }, < b: 2 > ]", "a{b:1 } a{b:2 } "},
      {"a: 'single' b: \"dou\" 'ble' # x\n \"d\"", "a:\"single\" b:\"doubled\" "},
      {R"(a: "\n\t\\\"\'\x41\101\0")", std::string("a:\"\n\t\\\"'AA\0\" ", 13)},
      {"a: -1 b: - 2 c: -1.5e-3 d: 1E+5 e: .5f f: inf g: -inf", "a:-1 b:-2 c:-1.5e-3 d:1E+5 e:.5f f:inf g:-inf "},
      {"pool: MAX pool2: AVE", "pool:MAX pool2:AVE "},
      {"[caffe.ext] { a: 1 }", "[caffe.ext]{a:1 } "},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(spelled(parse(c.text)), c.wanted);
  }
}

TEST(Prototxt, GivesValuesAsWhatTheyMustBe) {
  const auto net = parse(R"(i: 12 h: 0x1F o: 017 n: -3 z: 0 f: 1e-4 half: 0.5f inf: -inf
      t: true no: false s: "text" w: MAX m { x: 1 x: 2 })");
  EXPECT_EQ(net.find("i")->integer(), 12);
  EXPECT_EQ(net.find("h")->integer(), 31);
  EXPECT_EQ(net.find("o")->integer(), 15);
  EXPECT_EQ(net.find("n")->integer(), -3);
  EXPECT_EQ(net.find("z")->integer(), 0);
  EXPECT_EQ(net.find("i")->number(), 12.0);
  EXPECT_EQ(net.find("f")->number(), 1e-4);
  EXPECT_EQ(net.find("half")->number(), 0.5);
  EXPECT_EQ(net.find("inf")->number(), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(net.find("t")->boolean());
  EXPECT_FALSE(net.find("no")->boolean());
  EXPECT_EQ(net.find("s")->text(), "text");
  EXPECT_EQ(net.find("w")->word(), "MAX");
  EXPECT_EQ(net.find("m")->message().all("x").size(), 2u);
  EXPECT_EQ(net.find("m")->message().find("x")->integer(), 2);
  EXPECT_EQ(net.find("absent"), nullptr);
}

template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.what();
  }
  return "accepted";
}

TEST(Prototxt, RefusesValuesOfAnotherKind) {
  const auto net = parse("a: 1\nb: \"x\"\nc: 1.5\nd { }\ne: 99999999999999999999\nf: -\n 7 g: 08");
  const struct {
    std::function<void()> action;
    std::string message;
  } cases[] = {
      {[&] { net.find("b")->integer(); }, "net.prototxt, line 2: 'b' is 'x', must be a whole number"},
      {[&] { net.find("c")->integer(); }, "line 3: 'c' is '1.5', must be a whole number"},
      {[&] { net.find("d")->integer(); }, "line 4: 'd' is a message, must be a whole number"},
      {[&] { net.find("e")->integer(); }, "line 5: 'e' is '99999999999999999999', must be a whole number"},
      {[&] { net.find("g")->integer(); }, "'g' is '08', must be a whole number"},
      {[&] { net.find("d")->number(); }, "'d' is a message, must be a number"},
      {[&] { net.find("c")->boolean(); }, "'c' is '1.5', must be true or false"},
      {[&] { net.find("a")->text(); }, "'a' is '1', must be text in quotes"},
      {[&] { net.find("b")->word(); }, "'b' is 'x', must be a word without quotes"},
      {[&] { net.find("a")->message(); }, "'a' is '1', must be a message in braces"},
  };
  for (const auto& c : cases) EXPECT_THAT(error_of(c.action), HasSubstr(c.message));
  EXPECT_EQ(net.find("f")->integer(), -7);
}

TEST(Prototxt, RefusesWhatIsNotTheFormat) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "a{";
  std::string many;
  for (int i = 0; i < 100'001; ++i) many += "a:1 ";
  const struct {
    std::string what;
    std::string text;
    std::string message;
  } cases[] = {
      {"nesting 10,000 deep", deep, "net.prototxt, line 1: is nested deeper than 100"},
      {"too many fields", many, "has more than 100000 fields"},
      {"an open brace", "layer {\n  name: \"a\"\n", "line 3: ends where a '}' is wanted, for what line 1 opens"},
      {"a brace too many", "layer { }\n}", "line 2: has '}' where a field's name is wanted"},
      {"the wrong brace", "layer { >", "has '>' where a field's name is wanted"},
      {"no value", "a:", "has the end of the file where a value is wanted"},
      {"no colon", "a 1", "has '1' after 'a', where ':' or '{' is wanted"},
      {"an open list", "a: [1, 2", "has the end of the file in the list of 'a'"},
      {"a list in a list", "a: [[1]]", "has '[' where a value is wanted"},
      {"open quotes", "a: \"b", "has quoted text without an end"},
      {"a line break in quotes", "a: \"b\nc\"", "line 1: has quoted text without an end"},
      {"an unknown escape", R"(a: "\q")", "has an unknown escape sequence"},
      {"an escape that is too large", R"(a: "\777")", "has an escape sequence that is no byte"},
      {"an escape at the end", "a: \"\\", "has an unknown escape sequence"},
      {"an open extension", "[a.b", "has an extension's name without an end"},
      {"JSON", R"({"name": "x"})", "has '{' where a field's name is wanted"},
      {"fields without a gap", "a:1b:2", "has ':' where a field's name is wanted"},
      {"bytes", "\x80\x02}q", "net.prototxt: is not text in UTF-8"},
      {"a NUL", std::string("a\0: 1", 5), "where ':' or '{' is wanted"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(error_of([&] { parse(c.text); }), HasSubstr(c.message));
  }
}

TEST(Prototxt, ReadsFiles) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(read_prototxt(folder.write("net.prototxt", "name: \"x\"")).find("name")->text(), "x");
  EXPECT_THAT(error_of([&] { read_prototxt(folder.write("big.prototxt", std::string((16u << 20) + 1, ' '))); }),
              HasSubstr("has 16777217 bytes, more than 16777216"));
}

}  // namespace
}  // namespace alexnet
