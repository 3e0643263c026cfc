#include "formats/pickle.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "formats/bytes.h"
#include "formats/code_points.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::HasSubstr;

std::string contents(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string golden(const std::string& name) { return contents(test::source_path("tests/golden/formats/pickle") / name); }

// The result looks into `bytes`.
Pickle read(const std::string& bytes) { return read_pickle(std::as_bytes(std::span(bytes)), "a.pkl"); }

std::string message_of(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), "a.pkl");
    return error.message();
  }
  return "accepted";
}

// A pickle of protocol 2 with these opcodes, ended by STOP.
std::string pickle(const std::string& opcodes) {
  std::string bytes = "\x80\2";
  bytes += opcodes;
  bytes += '.';
  return bytes;
}

template <typename T>
std::string number(T value) {
  std::string bytes;
  append(bytes, value);
  return bytes;
}

std::string repeat(const std::string& text, std::size_t count) {
  std::string result;
  result.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

// Prints values as tools/make_checkpoints.py's plain() does.
class Printer {
 public:
  explicit Printer(const Pickle& values) : values_(values) {}
  std::string print(PickleRef node) const {
    return std::visit([&](const auto& value) { return text(value); }, values_.nodes.at(node));
  }

 private:
  static std::string hex(std::string_view bytes) {
    std::string digits;
    for (const char c : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return digits;
  }
  std::string list(const std::vector<PickleRef>& items, char before, char after) const {
    std::vector<std::string> parts;
    for (const auto item : items) parts.push_back(print(item));
    return before + join(parts, ",") + after;
  }
  std::string pairs(const std::vector<std::pair<PickleRef, PickleRef>>& items) const {
    std::vector<std::string> parts;
    for (const auto& [key, value] : items) parts.push_back(print(key) + ':' + print(value));
    return '{' + join(parts, ",") + '}';
  }
  std::string text(PickleNone) const { return "None"; }
  std::string text(bool value) const { return value ? "True" : "False"; }
  std::string text(std::int64_t value) const { return std::to_string(value); }
  std::string text(const PickleBigInteger& value) const { return fmt::format("big{}", hex(value.bytes)); }
  std::string text(double value) const { return shortest(value); }
  std::string text(const PickleText& value) const { return std::string(value.value); }
  std::string text(const PickleBytes& value) const { return fmt::format("x{}", hex(value.value)); }
  std::string text(const PickleList& value) const { return list(value.items, '[', ']'); }
  std::string text(const PickleTuple& value) const { return list(value.items, '(', ')'); }
  std::string text(const PickleSet& value) const { return list(value.items, '<', '>'); }
  std::string text(const PickleDict& value) const { return pairs(value.items); }
  std::string text(const PickleGlobal& value) const { return fmt::format("{}.{}", value.module, value.name); }
  std::string text(const PicklePersistent& value) const { return fmt::format("persistent{}", print(value.id)); }
  // Protocol 2 has no bytes and 3 no sets, but calls that would make them.
  std::string text(const PickleCall& value) const {
    auto name = print(value.function);
    if (name.starts_with("builtins.")) name.replace(0, 8, "__builtin__");
    const auto& arguments = std::get<PickleTuple>(values_.nodes.at(value.arguments)).items;
    if (name == "__builtin__.set" || name == "__builtin__.frozenset") {
      return list(std::get<PickleList>(values_.nodes.at(arguments.at(0))).items, '<', '>');
    }
    if (name == "__builtin__.bytes") return "x";
    if (name == "_codecs.encode") {
      std::string_view latin1 = std::get<PickleText>(values_.nodes.at(arguments.at(0))).value;
      std::string bytes;
      while (!latin1.empty()) bytes += static_cast<char>(static_cast<unsigned char>(take_code_point(latin1)));
      return fmt::format("x{}", hex(bytes));
    }
    return name + print(value.arguments) + state(value.state);
  }
  std::string text(const PickleObject& value) const {
    return "new " + print(value.type) + print(value.arguments) + state(value.state) +
           (value.items.empty() ? "" : list(value.items, '[', ']')) + (value.pairs.empty() ? "" : pairs(value.pairs));
  }
  std::string state(PickleRef node) const { return node == kNoPickle ? "" : fmt::format("|{}", print(node)); }
  const Pickle& values_;
};

std::string printed(const std::string& bytes) {
  const auto values = read(bytes);
  return Printer(values).print(values.root);
}

TEST(Pickle, ReadsPythonsValuesInEveryProtocol) {
  for (int protocol = 2; protocol <= 5; ++protocol) {
    SCOPED_TRACE(protocol);
    const auto bytes = golden(fmt::format("values_{}.pkl", protocol));
    EXPECT_EQ(printed(bytes) + "\n", golden("values.txt"));
    EXPECT_EQ(read(bytes + "more").size, bytes.size());
  }
}

TEST(Pickle, KeepsObjectsAndCallsAsNodes) {
  const struct {
    std::string what;
    std::string opcodes;
    std::string printed;
  } cases[] = {
      {"list subclass", "cuser\nList\n)\x81(K\1K\2e", "new user.List()[1,2]"},
      {"dict subclass", "cuser\nDict\n)\x81(K\1K\2u", "new user.Dict(){1:2}"},
      {"parameter", "ctorch._utils\n_rebuild_parameter\nN\x88N\x87R", "torch._utils._rebuild_parameter(None,True,None)"},
      {"OrderedDict, whose attributes are dropped", "ccollections\nOrderedDict\n)RK\1K\2s}b", "{1:2}"},
      {"OrderedDict of Python 2", "ccollections\nOrderedDict\n(](](U\1aK\1e](U\1bK\2eetR", "{a:1,b:2}"},
      {"counter", "ccollections\nCounter\n}K\x1eK\1s\x85R", "collections.Counter({30:1})"},
      {"defaultdict with items", "ccollections\ndefaultdict\n)RK\1K\2s", "collections.defaultdict()"},
      {"storage", "(U\7storageK\1tQ", "persistent(storage,1)"},
      {"array with its state", "cnumpy.core.multiarray\n_reconstruct\n)R(K\1tb", "numpy.core.multiarray._reconstruct()|(1)"},
      {"a class in place of a class: legacy modules", "(U\6moduleNtQ)\x81", "new persistent(module,None)()"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(printed(pickle(c.opcodes)), c.printed);
  }
  using namespace std::string_literals;
  EXPECT_EQ(printed(pickle("c__main__\nNet\n)\x81}X\1\0\0\0aK\1sb"s)), "new __main__.Net()|{a:1}");
  EXPECT_EQ(printed("\x80\4\x8c\1m\x8c\1C\x93K\7\x85}\x92."s), "new m.C(7)");
}

TEST(Pickle, FindsTheLastValueOfAKey) {
  const auto bytes = pickle("}(U\1aK\1U\1bK\2U\1aK\3K\4K\5u");
  const auto values = read(bytes);
  EXPECT_EQ(*values.get<std::int64_t>(values.find(values.root, "a")), 3);
  EXPECT_EQ(values.find(values.root, "c"), kNoPickle);
  EXPECT_EQ(values.find(0xfffffff0, "a"), kNoPickle);
  EXPECT_EQ(values.get<bool>(kNoPickle), nullptr);
}

TEST(Pickle, NeverCallsAnything) {
  const struct {
    std::string opcodes;
    std::string message;
  } cases[] = {
      {"cos\nsystem\nU\2id\x85R", "would call 'os.system'"},
      {"cposix\nsystem\nU\2id\x85R", "would call 'posix.system', which no checkpoint of weights needs (at byte 21)"},
      {"cnt\nsystem\nU\2id\x85R", "would call 'nt.system'"},
      {"c__builtin__\neval\nU\2id\x85R", "would call '__builtin__.eval'"},
      {"cbuiltins\nexec\nU\2id\x85R", "would call 'builtins.exec'"},
      {"cbuiltins\ngetattr\n)R", "would call 'builtins.getattr'"},
      {"csubprocess\nPopen\n)R", "would call 'subprocess.Popen'"},
      {"ctorch.storage\n_load_from_bytes\n)R", "would call 'torch.storage._load_from_bytes'"},
      {"ctorch.hub\nload\n)R", "would call 'torch.hub.load'"},
      {"c__main__\nNet\n)R", "would call '__main__.Net'"},
      {"ccollections\nOrderedDictX\n)R", "would call 'collections.OrderedDictX'"},
      {"ccollections OrderedDict\n\n)R", "would call 'collections OrderedDict.'"},
      {"c\x1b[2Jevil\nx\n)R", "would call '\\x1b[2Jevil.x'"},
      {"K\1)R", "would call something other than a global"},
      {"ccollections\nOrderedDict\n)R)R", "would call something other than a global"},
      {"ccollections\nOrderedDict\nNR", "would call 'collections.OrderedDict' without a tuple"},
      {"ccollections\nOrderedDict\nK\1\x85R", "makes an OrderedDict of something other than a list"},
      {"ccollections\nOrderedDict\n]K\1a\x85R", "makes an OrderedDict of something other than pairs"},
      {"N)\x81", "makes an object of something other than a class"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.message);
    EXPECT_THAT(message_of(pickle(c.opcodes)), HasSubstr(c.message));
  }
}

TEST(Pickle, RefusesBrokenPickles) {
  using namespace std::string_literals;
  const struct {
    std::string what;
    std::string bytes;
    std::string message;
  } cases[] = {
      {"nothing", "", "is no pickle of protocol 2 to 5"},
      {"protocol 0", "(dp0\n.", "is no pickle of protocol 2 to 5; protocols 0 and 1 are not supported"},
      {"protocol 1", "}q\0."s, "protocols 0 and 1 are not supported"},
      {"protocol 1, said", "\x80\1N.", "is of protocol 1, supported are 2 to 5"},
      {"protocol 6", "\x80\6N.", "is of protocol 6, supported are 2 to 5"},
      {"no STOP", "\x80\2N", "ends within NONE"},
      {"stop on nothing", pickle(""), "ends with 0 values on its stack (at byte 2)"},
      {"stop on two values", pickle("NN"), "ends with 2 values on its stack"},
      {"stop with a mark", pickle("(N"), "ends with 1 values on its stack"},
      {"text cut", "\x80\2X\5\0\0\0abc"s, "ends within BINUNICODE, which wants 5 more bytes"},
      {"text of 4 GB",
       "\x80\2X\xff\xff\xff\xff"
       "abc."s,
       "ends within BINUNICODE, which wants 4294967295 more bytes"},
      {"text of 2^64 bytes",
       "\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
       "abc."s,
       "ends within BINUNICODE8, which wants 18446744073709551615"},
      {"bytes of 2^63 bytes",
       "\x80\4\x8e\0\0\0\0\0\0\0\x80"
       "abc."s,
       "ends within BINBYTES8, which wants 9223372036854775808"},
      {"LONG4 of 2 GB", pickle("\x8b\xff\xff\xff\x7f"s), "has the opcode LONG4, which torch.save does not write (at byte 2)"},
      {"LONG4 of negative length", pickle("\x8b\xff\xff\xff\xff"s), "has the opcode LONG4"},
      {"LONG1 cut",
       "\x80\2\x8a\xff"
       "abc.",
       "ends within LONG1, which wants 255 more bytes"},
      {"frame past the end", "\x80\4\x95\x10\0\0\0\0\0\0\0N."s, "has a frame that is longer than the rest"},
      {"global without an end", "\x80\2cmodule.", "has a name without an end in GLOBAL"},
      {"global of 2,000 characters", pickle("c" + std::string(2000, 'x') + "\ny\n"), "has a name without an end in GLOBAL"},
      {"STACK_GLOBAL of numbers", pickle("K\1K\2\x93"), "names a global by something other than text"},
      {"STACK_GLOBAL of 2,000 characters", pickle("X\xd0\7\0\0"s + std::string(2000, 'x') + "U\1a\x93"),
       "has a name that is too long"},
      {"persistent id as text", pickle("Pid\n"), "has the opcode PERSID"},
      {"DUP", pickle("N2"), "has the opcode DUP"},
      {"POP", pickle("NN0"), "has the opcode POP"},
      {"INST", pickle("(ios\nsystem\n"), "has the opcode INST"},
      {"OBJ", pickle("(o"), "has the opcode OBJ"},
      {"extension registry", pickle("\x82\1"), "has the opcode EXT1"},
      {"buffer from outside", pickle("\x97"), "has the opcode NEXT_BUFFER"},
      {"text integer", pickle("I1\n"), "has the opcode INT"},
      {"no opcode", pickle("\xff"), "has the opcode 0xff"},
      {"underflow: REDUCE", pickle("R"), "has 0 values on its stack where REDUCE wants 2"},
      {"underflow: TUPLE3", pickle("NN\x87"), "has 2 values on its stack where TUPLE3 wants 3"},
      {"underflow through a mark", pickle("N(N\x86"), "has 1 values on its stack where TUPLE2 wants 2"},
      {"underflow: BUILD", pickle("Nb"), "where BUILD wants 1"},
      {"underflow: BINPUT", pickle("q\1"), "where BINPUT wants 1"},
      {"underflow: BINPERSID", pickle("Q"), "where BINPERSID wants 1"},
      {"underflow: APPEND", pickle("]N(a"), "where APPEND wants 1"},
      {"TUPLE without mark", pickle("Nt"), "has no mark for TUPLE"},
      {"SETITEMS without mark", pickle("}NNu"), "has no mark for SETITEMS"},
      {"SETITEMS of three", pickle("}(NNNu"), "has a key without a value for SETITEMS"},
      {"SETITEM on a list", pickle("]NNs"), "has no value on its stack that SETITEM could change"},
      {"APPEND on a dictionary", pickle("}Na"), "has no value on its stack that APPEND could change"},
      {"APPENDS on a number", pickle("K\1(Ne"), "has no value on its stack that APPENDS could change"},
      {"BUILD on a list", pickle("]}b"), "has no value on its stack that BUILD could change"},
      {"memo never filled", pickle("h\5"), "asks for the value number 5, which it has not remembered"},
      {"memo number of 32 bits", pickle("j\xff\xff\xff\xff"), "asks for the value number 4294967295"},
      {"PROTO 9 in the middle", pickle("\x80\x09N"), "is of protocol 9"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(message_of(c.bytes), HasSubstr(c.message));
  }
}

// Each is refused, or read into memory in proportion to the file, without recursion.
TEST(Pickle, SurvivesBombs) {
  const std::size_t many = 1'000'001;
  EXPECT_EQ(message_of(pickle(repeat("]", 900'000) + repeat("a", 899'999))), "accepted") << "lists 900,000 deep";
  EXPECT_EQ(message_of(pickle(repeat("N", 1) + repeat("\x85", 900'000))), "accepted") << "tuples 900,000 deep";
  EXPECT_EQ(message_of(pickle("]q\1h\1a")), "accepted") << "a list that contains itself";
  // Billion laughs: 60 lists, each of them twice in the next; 2^60 items for whoever would copy them.
  EXPECT_EQ(message_of(pickle("]q\1" + repeat("](h\1h\1eq\1", 60) + repeat("\x86", 30) + repeat("\x86", 30))), "accepted");
  EXPECT_THAT(message_of(pickle(repeat("N", many))), HasSubstr("has more than 1000000 values"));
  EXPECT_THAT(message_of(pickle("Nq\1" + repeat("h\1", many))), HasSubstr("has more than 1000000 values on its stack"));
  EXPECT_THAT(message_of(pickle(repeat("(", many))), HasSubstr("has more than 1000000 marks"));
  std::string puts = "N";
  for (std::uint32_t i = 0; i < many; ++i) puts.append("r").append(number(i));
  EXPECT_THAT(message_of(pickle(puts)), HasSubstr("remembers more than 1000000 values"));
  EXPECT_THAT(message_of(pickle("Nq\1]" + repeat("h\1a", 8'000'000))), HasSubstr("has more than 16000000 operations"));
}

}  // namespace
}  // namespace alexnet
