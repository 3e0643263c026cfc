#include "formats/safetensors.h"

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alexnet/error.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::HasSubstr;

std::string length_of(std::uint64_t value) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &value, 8);
  return bytes;
}

// A file of this header and data.
std::string file_of(const std::string& header, const std::string& data = "") { return length_of(header.size()) + header + data; }

// A file whose header has these entries.
std::string file_with(std::initializer_list<std::string> entries, const std::string& data = "") {
  return file_of(fmt::format("{{{}}}", fmt::join(entries, ",")), data);
}

Safetensors read(const std::string& bytes) {
  auto owner = std::make_shared<std::vector<std::byte>>(bytes.size());
  std::memcpy(owner->data(), bytes.data(), bytes.size());
  return read_safetensors(*owner, owner, "a.safetensors");
}

std::string message_of(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), "a.safetensors");
    return error.message();
  }
  return "accepted";
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, int begin, int end) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})", name, dtype, shape, begin, end);
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirData) {
  const auto file = read(
      file_with({entry("b", "U8", "[3]", 8, 11), entry("a", "F32", "[2,1]", 0, 8)}, std::string("\0\0\x80\x3f\0\0\0\x40xyz", 11)));
  ASSERT_EQ(file.tensors.size(), 2u);
  EXPECT_EQ(file.tensors[0].name, "a");
  EXPECT_EQ(file.tensors[0].tensor.shape(), (Shape{2, 1}));
  EXPECT_THAT(file.tensors[0].tensor.values<float>(), ::testing::ElementsAre(1.0f, 2.0f));
  EXPECT_EQ(file.tensors[1].name, "b");
  EXPECT_THAT(file.tensors[1].tensor.values<std::uint8_t>(), ::testing::ElementsAre('x', 'y', 'z'));
}

TEST(Safetensors, CopiesDataThatIsNotAlignedToItsElements) {
  const auto file =
      read(file_with({entry("a", "U8", "[1]", 0, 1), entry("b", "F32", "[1]", 1, 5)}, std::string("x\0\0\x80\x3f", 5)));
  ASSERT_EQ(file.tensors.size(), 2u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.tensors[1].tensor.bytes().data()) % 4, 0u);
  EXPECT_EQ(file.tensors[1].tensor.values<float>()[0], 1.0f);
}

TEST(Safetensors, AcceptsWhatTheReferenceAccepts) {
  const struct {
    std::string what;
    std::string bytes;
    std::size_t tensors;
  } cases[] = {
      {"no tensors", file_of("{}"), 0},
      {"spaces around the header", file_of(" {} \n"), 0},
      {"null metadata", file_of(R"({"__metadata__":null})"), 0},
      {"a scalar", file_with({entry("a", "I64", "[]", 0, 8)}, "12345678"), 1},
      {"a dimension of 0", file_with({entry("a", "F32", "[4,0]", 0, 0)}), 1},
      {"an empty tensor between others",
       file_with({entry("a", "U8", "[2]", 0, 2), entry("e", "F64", "[0]", 2, 2), entry("c", "BOOL", "[1]", 2, 3)}, "abc"), 3},
      {"a field of the future", file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":{"x":[1]}}})", "x"), 1},
      {"an empty and an escaped name", file_with({entry("", "U8", "[1]", 0, 1), entry("\\u00e9\\n", "U8", "[1]", 1, 2)}, "xy"), 2},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(message_of(c.bytes), "accepted");
    EXPECT_EQ(read(c.bytes).tensors.size(), c.tensors);
  }
}

TEST(Safetensors, RefusesBrokenFiles) {
  const auto one = [](const std::string& dtype, const std::string& shape, int begin, int end, const std::string& data) {
    return file_with({entry("w", dtype, shape, begin, end)}, data);
  };
  const auto two = [](int begin, int end, const std::string& data) {
    return file_with({entry("a", "U8", "[4]", 0, 4), entry("w", "U8", "[4]", begin, end)}, data);
  };
  const struct {
    std::string what;
    std::string bytes;
    std::string message;
  } cases[] = {
      {"seven bytes", "1234567", "is too short"},
      {"header past the end", length_of(3) + "{}", "its safetensors header would have 3 bytes, the file has 10"},
      {"header of 100 MB and one byte", length_of(100'000'001) + "{}", "would have 100000001 bytes, more than 100000000"},
      {"header of 2^64 - 1", length_of(UINT64_MAX) + "{}", "would have 18446744073709551615 bytes"},
      {"no header", file_of(""), "is not valid JSON"},
      {"not JSON", file_of("{nonsense}"), "is not valid JSON"},
      {"not UTF-8", file_of("{\"\xff\":1}"), "is not valid JSON"},
      {"NUL behind the JSON", file_of(std::string("{}\0\0", 4)), "NUL"},
      {"trailing JSON", file_of("{}{}"), "is not valid JSON"},
      {"a list", file_of("[]"), "header is not an object"},
      {"deep nesting", file_of(std::string(100'000, '[')), "nested deeper than 64"},
      {"metadata a list", file_of(R"({"__metadata__":[]})"), "__metadata__ is not an object"},
      {"metadata with a number", file_of(R"({"__metadata__":{"k":1}})"), "not text, at 'k'"},
      {"tensor a number", file_of(R"({"w":1})"), "tensor 'w' is not described by an object"},
      {"no dtype", file_of(R"({"w":{"shape":[],"data_offsets":[0,0]}})"), "tensor 'w' has no dtype"},
      {"no shape", file_of(R"({"w":{"dtype":"U8","data_offsets":[0,0]}})"), "tensor 'w' has no shape"},
      {"no offsets", file_of(R"({"w":{"dtype":"U8","shape":[]}})"), "tensor 'w' has no data_offsets"},
      {"dtype a number", file_of(R"({"w":{"dtype":1,"shape":[],"data_offsets":[0,0]}})"), "dtype that is not text"},
      {"lower-case dtype", one("f32", "[1]", 0, 4, "1234"), "tensor 'w' has the unknown dtype 'f32'"},
      {"unknown dtype", one("F31", "[1]", 0, 4, "1234"), "tensor 'w' has the unknown dtype 'F31'"},
      {"a dtype that we do not read", one("F8_E4M3", "[1]", 0, 1, "1"), "tensor 'w' has the unsupported dtype 'F8_E4M3'"},
      {"shape a number", one("U8", "1", 0, 1, "1"), "shape that is not a list"},
      {"negative dimension", one("U8", "[-1]", 0, 1, "1"), "not a whole number from 0"},
      {"fractional dimension", one("U8", "[1.0]", 0, 1, "1"), "not a whole number from 0"},
      {"nine dimensions", one("U8", "[1,1,1,1,1,1,1,1,1]", 0, 1, "1"), "has 9 dimensions, more than 8"},
      {"product overflow", one("U8", "[4294967296,4294967296]", 0, 1, "1"), "product overflows"},
      {"product overflow behind a 0", one("U8", "[0,4294967296,4294967296]", 0, 0, ""), "product overflows"},
      {"byte count overflow", one("F64", "[4611686018427387904]", 0, 1, "1"), "product overflows"},
      {"dimension of 2^63", one("U8", "[9223372036854775808]", 0, 1, "1"), "product overflows"},
      {"dimension beyond 64 bits", one("U8", "[99999999999999999999]", 0, 1, "1"), "not a whole number from 0"},
      {"three offsets", file_of(R"({"w":{"dtype":"U8","shape":[],"data_offsets":[0,1,1]}})", "1"), "not two whole numbers"},
      {"negative offset", one("U8", "[1]", -1, 0, "1"), "not two whole numbers"},
      {"end before begin", one("U8", "[1]", 1, 0, "1"), "data from 1 to 0: an end before its begin"},
      {"wrong byte count", one("F32", "[2]", 0, 4, "1234"), "tensor 'w' has 4 bytes, F32 of shape 2 wants 8"},
      {"starts beyond 0", one("U8", "[1]", 1, 2, "12"), "has data from 1 on, where 0 is wanted"},
      {"a hole", two(5, 9, "123456789"), "tensor 'w' has data from 5 on, where 4 is wanted"},
      {"an overlap", two(3, 7, "1234567"), "tensor 'w' has data from 3 on, where 4 is wanted"},
      {"the same place twice", two(0, 4, "1234"), "tensor 'w' has data from 0 on, where 4 is wanted"},
      {"cut data", one("F32", "[1]", 0, 4, "123"), "has 3 bytes of tensor data, its header wants 4"},
      {"trailing bytes", one("F32", "[1]", 0, 4, "12345"), "has 5 bytes of tensor data, its header wants 4"},
      {"duplicate name", file_with({entry("w", "U8", "[1]", 0, 1), entry("w", "U8", "[1]", 1, 2)}, "12"),
       "JSON has the key 'w' twice"},
      {"duplicate field", file_of(R"({"w":{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]}})", "1"),
       "JSON has the key 'dtype' twice"},
      {"an escape sequence in a name", file_with({entry("\\u001b[2J", "U7", "[1]", 0, 1)}, "1"), "tensor '\\x1b[2J'"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(message_of(c.bytes), HasSubstr(c.message));
  }
}

// Each insertion into an ordered object looks at all keys; without a limit this file would take hours.
TEST(Safetensors, RefusesMoreTensorsThanItCanReadInTime) {
  std::string header = "{";
  for (int i = 0; i < 200'000; ++i) header += fmt::format("\"{}\":0,", i);
  EXPECT_THAT(message_of(file_of(header + "\"x\":0}")), HasSubstr("more than 10000 keys"));
  EXPECT_THAT(message_of(file_of("{\"w\":[" + std::string(2'000'000, '\n') + std::string("0") +
                                 [] {
                                   std::string zeros;
                                   for (int i = 0; i < 1'000'001; ++i) zeros += ",0";
                                   return zeros;
                                 }() +
                                 "]}")),
              HasSubstr("more than 1000000 values"));
}

TEST(Safetensors, WritesWhatItReads) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  const std::array<float, 6> six{1, 2, 3, 4, 5, 6};
  const std::array<std::uint8_t, 3> three{7, 8, 9};
  const std::array<float, 32> row{0.5f};
  const NamedTensor tensors[] = {
      {"odd", Tensor::of<std::uint8_t>({3}, three)},
      {"six", Tensor::of<float>({2, 3}, six)},
      {"row", Tensor::of<float>({2, 16}, row)},
      {"empty", Tensor::zeros({0, 3})},
      {"scalar", Tensor::of<float>({}, std::span(six).first(1))},
      {"\xc3\xa9\"\n", Tensor::of<float>({1}, std::span(six).subspan(1, 1))},
  };
  const std::map<std::string, std::string> metadata{{"b", "{\"x\": 1}"}, {"a", "\xe2\x82\xac"}};
  write_safetensors(path, metadata, tensors);
  const auto file = read_safetensors(path);
  EXPECT_EQ(file.metadata, metadata);
  std::vector<std::string> names;
  for (const auto& named : file.tensors) names.push_back(named.name);
  EXPECT_THAT(names, ::testing::ElementsAre("row", "empty", "six", "scalar", "\xc3\xa9\"\n", "odd"));
  for (const auto& wanted : tensors) {
    for (const auto& got : file.tensors) {
      if (got.name != wanted.name) continue;
      EXPECT_EQ(got.tensor.shape(), wanted.tensor.shape()) << got.name;
      EXPECT_EQ(got.tensor.type(), wanted.tensor.type()) << got.name;
      EXPECT_TRUE(std::ranges::equal(got.tensor.bytes(), wanted.tensor.bytes())) << got.name;
    }
  }
  const auto first = contents(path);
  write_safetensors(path, metadata, tensors);
  EXPECT_EQ(contents(path), first);
}

TEST(Safetensors, AlignsTensorsAsFarAsAFileWithoutGapsCan) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  for (std::size_t padding = 0; padding < 70; ++padding) {
    std::vector<NamedTensor> tensors;
    for (const std::int64_t bytes : {1, 2, 4, 8, 16, 32, 64, 63, 96, 128, 4000, 24, 6, 0}) {
      tensors.push_back({fmt::format("t{}", bytes), Tensor::allocate(ElementType::u8, {bytes})});
    }
    write_safetensors(path, {{"k", std::string(padding, 'x')}}, tensors);
    const auto file = read_safetensors(path);
    ASSERT_EQ(file.tensors.size(), tensors.size());
    for (const auto& named : file.tensors) {
      // The mapping starts at a page, so addresses are aligned as offsets are.
      const auto address = reinterpret_cast<std::uintptr_t>(named.tensor.bytes().data());
      std::uintptr_t wanted = 64;
      while (named.tensor.byte_count() % wanted != 0) wanted /= 2;
      EXPECT_EQ(address % wanted, 0u) << named.name << " after metadata of " << padding << " bytes";
    }
  }
}

TEST(Safetensors, RefusesToWriteWhatItWouldNotRead) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  const NamedTensor twice[] = {{"w", Tensor::zeros({1})}, {"w", Tensor::zeros({2})}};
  const NamedTensor reserved[] = {{"__metadata__", Tensor::zeros({1})}};
  const NamedTensor not_utf8[] = {{"\xff", Tensor::zeros({1})}};
  const struct {
    std::span<const NamedTensor> tensors;
    std::string message;
  } cases[] = {{twice, "two tensors are named 'w'"},
               {reserved, "two tensors are named '__metadata__'"},
               {not_utf8, "the name '\\xff' is not UTF-8"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.message);
    try {
      write_safetensors(path, {}, c.tensors);
      FAIL() << "written";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::output);
      EXPECT_THAT(error.message(), HasSubstr(c.message));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
  }
}

class SafetensorsIndex : public ::testing::Test {
 protected:
  SafetensorsIndex() {
    const NamedTensor first[] = {{"a", Tensor::zeros({2})}, {"b", Tensor::zeros({3})}};
    const NamedTensor second[] = {{"c", Tensor::zeros({4})}};
    write_safetensors(folder_.path() / "m-1.safetensors", {{"format", "pt"}}, first);
    write_safetensors(folder_.path() / "m-2.safetensors", {{"format", "pt"}}, second);
  }
  std::string message_of(const std::string& index) const {
    try {
      read_safetensors_index(folder_.write("m.safetensors.index.json", index));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      return error.what();
    }
    return "accepted";
  }
  test::TemporaryFolder folder_;
};

TEST_F(SafetensorsIndex, JoinsTheFilesItNames) {
  const auto joined = read_safetensors_index(folder_.write(
      "m.safetensors.index.json",
      R"({"metadata":{"total_size":36},"weight_map":{"c":"m-2.safetensors","b":"m-1.safetensors","a":"m-1.safetensors"}})"));
  ASSERT_EQ(joined.tensors.size(), 3u);
  EXPECT_EQ(joined.tensors[0].name, "a");
  EXPECT_EQ(joined.tensors[2].name, "c");
  EXPECT_EQ(joined.metadata.at("format"), "pt");
}

TEST_F(SafetensorsIndex, RefusesBrokenIndexes) {
  const struct {
    std::string index;
    std::string message;
  } cases[] = {
      {"[]", "has no weight_map"},
      {R"({"metadata":{}})", "has no weight_map"},
      {R"({"weight_map":[]})", "has no weight_map"},
      {R"({"weight_map":{"a":1}})", "no file name at 'a'"},
      {R"({"weight_map":{"a":"../m-1.safetensors"}})", "'../m-1.safetensors', which is not a plain file name"},
      {R"({"weight_map":{"a":"/etc/passwd"}})", "not a plain file name"},
      {R"({"weight_map":{"a":"..\\x"}})", "not a plain file name"},
      {R"({"weight_map":{"a":".."}})", "not a plain file name"},
      {R"({"weight_map":{"a":""}})", "not a plain file name"},
      {R"({"weight_map":{"a":"m-3.safetensors"}})", "m-3.safetensors: can't be opened"},
      {R"({"weight_map":{"a":"m-1.safetensors"}})", "does not say that tensor 'b' is in 'm-1.safetensors'"},
      {R"({"weight_map":{"a":"m-1.safetensors","b":"m-1.safetensors","x":"m-1.safetensors"}})",
       "says that tensor 'x' is in 'm-1.safetensors', which lacks it"},
      {R"({"weight_map":{"a":"m-1.safetensors","a":"m-1.safetensors"}})", "the key 'a' twice"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.index);
    EXPECT_THAT(message_of(c.index), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace alexnet
