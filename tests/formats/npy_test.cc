#include "formats/npy.h"

#include <fstream>
#include <iterator>
#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alexnet/error.h"
#include "formats/bytes.h"
#include "formats/npz.h"
#include "formats/zip.h"
#include "tests/formats/build_zip.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::filesystem::path golden(const std::string& name) { return test::source_path("tests/golden/formats/arrays") / name; }

std::string contents(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string file_of(const std::string& header, const std::string& data = "", char version = 1) {
  std::string file = "\x93NUMPY";
  file += {version, '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8 & 255)};
  if (version > 1) file += std::string(2, '\0');
  return file + header + data;
}

std::string message_of(const std::string& bytes) {
  try {
    const auto owner = std::make_shared<std::string>(bytes);
    read_npy(std::as_bytes(std::span(*owner)), owner, "a.npy");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), "a.npy");
    return error.message();
  }
  return "accepted";
}

template <typename F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

// The values that tools/make_arrays.py writes: 0, 1, 2, ... in row-major order.
std::vector<float> ramp(std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

TEST(Npy, ReadsWhatNumPyWrites) {
  const struct {
    std::string file;
    ElementType type;
    Shape shape;
  } cases[] = {
      {"float64.npy", ElementType::f64, {2, 3}},    {"float32.npy", ElementType::f32, {2, 3}},
      {"float16.npy", ElementType::f16, {2, 3}},    {"int64.npy", ElementType::i64, {2, 3}},
      {"int32.npy", ElementType::i32, {2, 3}},      {"int16.npy", ElementType::i16, {2, 3}},
      {"int8.npy", ElementType::i8, {2, 3}},        {"uint64.npy", ElementType::u64, {2, 3}},
      {"uint32.npy", ElementType::u32, {2, 3}},     {"uint16.npy", ElementType::u16, {2, 3}},
      {"uint8.npy", ElementType::u8, {2, 3}},       {"scalar.npy", ElementType::f32, {}},
      {"vector.npy", ElementType::f32, {5}},        {"empty.npy", ElementType::f32, {0, 3}},
      {"fortran.npy", ElementType::f32, {2, 3, 4}}, {"version2.npy", ElementType::f32, {2, 3}},
      {"version3.npy", ElementType::f32, {2, 3}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file);
    const auto tensor = read_npy(golden(c.file));
    EXPECT_EQ(tensor.type(), c.type);
    EXPECT_EQ(tensor.shape(), c.shape);
    const Tensor wide = widened(tensor);
    const auto values = wide.values<float>();
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()), ramp(c.shape.elements()));
  }
  const Tensor truth = widened(read_npy(golden("bool.npy")));
  EXPECT_THAT(truth.values<float>(), ElementsAre(0, 1, 1, 1, 1, 1));
}

TEST(Npy, RefusesOtherArraysOfNumPy) {
  const struct {
    std::string file;
    std::string message;
  } cases[] = {
      {"big_endian.npy", "is big-endian (dtype '>f4')"},
      {"complex.npy", "has the unsupported dtype '<c8'"},
      {"objects.npy", "is an array of Python objects, which only running code could read"},
      {"structures.npy", "is an array of structures"},
      {"text.npy", "is an array of text, not of numbers"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file);
    EXPECT_THAT(error_of([&] { read_npy(golden(c.file)); }), HasSubstr(c.message));
  }
}

TEST(Npy, ReadsHeadersAsPythonWould) {
  const struct {
    std::string header;
    Shape shape;
  } cases[] = {
      {"{'descr':'|u1','fortran_order':False,'shape':(2,2)}", {2, 2}},
      {"{\"shape\": (4L, ), \"descr\": \"|u1\", \"fortran_order\": False, }\n", {4}},
      {"  { 'shape' : ( 1 , 4 , ) , 'fortran_order' : True , 'descr' : '<u1' } ", {1, 4}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.header);
    const auto owner = std::make_shared<std::string>(file_of(c.header, "abcd"));
    const auto tensor = read_npy(std::as_bytes(std::span(*owner)), owner, "a.npy");
    EXPECT_EQ(tensor.shape(), c.shape);
    EXPECT_THAT(tensor.values<std::uint8_t>(), ElementsAre('a', 'b', 'c', 'd'));
  }
}

TEST(Npy, RefusesBrokenFiles) {
  const auto shaped = [](const std::string& shape, const std::string& data = "", const std::string& descr = "'|u1'") {
    return file_of(fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': {}, }}", descr, shape), data);
  };
  const struct {
    std::string what;
    std::string bytes;
    std::string message;
  } cases[] = {
      {"text", "hello, this is text", "is not a npy array"},
      {"magic alone", "\x93NUMPY", "has a damaged npy header"},
      {"version 4", file_of("{}", "", 4), "unknown version 4"},
      {"version 0", file_of("{}", "", 0), "unknown version 0"},
      {"header past the end", file_of("{'descr'").substr(0, 14), "ends within its npy header"},
      {"header of 4 GB", std::string("\x93NUMPY\2\0\xff\xff\xff\xff{}", 14), "npy header of 4294967295 bytes, more than 65536"},
      {"no dictionary", file_of("hello"), "damaged npy header, at 'hello'"},
      {"empty dictionary", file_of("{}"), "without descr, fortran_order or shape"},
      {"no shape", file_of("{'descr': '<f4', 'fortran_order': False}"), "without descr"},
      {"unknown field", file_of("{'descr': '<f4', 'extra': 1}"), "unknown npy header field 'extra'"},
      {"a field twice", file_of("{'descr': '<f4', 'descr': '<f4'}"), "damaged npy header"},
      {"an open string", file_of("{'descr"), "damaged npy header, at ''descr'"},
      {"neither true nor false", file_of("{'fortran_order': 1}"), "damaged npy header, at '1}'"},
      {"code in the header", file_of("__import__('os').system('x')"), "damaged npy header"},
      {"text behind the dictionary", shaped("(1,)} {", "a"), "damaged npy header"},
      {"a list for a shape", shaped("[1]", "a"), "damaged npy header"},
      {"an open shape", shaped("(1,", "a"), "damaged npy header"},
      {"a shape without commas", shaped("(1 2)", "ab"), "damaged npy header"},
      {"negative dimension", shaped("(-1,)", "a"), "negative dimension"},
      {"dimension beyond 64 bits", shaped("(99999999999999999999,)", "a"), "damaged npy header"},
      {"nine dimensions", shaped("(1,1,1,1,1,1,1,1,1)", "a"), "more than 8 dimensions"},
      {"product overflow", shaped("(4294967296,4294967296)", "a"), "product that overflows"},
      {"byte count overflow", shaped("(4611686018427387904,)", "a", "'<f8'"), "wants more than there can be"},
      {"too little data", shaped("(2,)", "a"), "has 1 bytes of data, its shape 2 wants 2"},
      {"too much data", shaped("(2,)", "abc"), "has 3 bytes of data, its shape 2 wants 2"},
      {"empty dtype", shaped("(1,)", "a", "''"), "unsupported dtype ''"},
      {"native byte order", shaped("(1,)", "abcd", "'=f4'"), "unsupported dtype '=f4'"},
      {"date", shaped("(1,)", "12345678", "'<M8[s]'"), "unsupported dtype '<M8[s]'"},
      {"object", shaped("(1,)", "12345678", "'|O'"), "only running code could read"},
      {"text of a huge width", shaped("(1,)", "", "'<U99999999999'"), "unknown dtype '<U99999999999'"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(message_of(c.bytes), HasSubstr(c.message));
  }
}

TEST(Npy, WritesTheBytesThatNumPyWrites) {
  const test::TemporaryFolder folder;
  for (const std::string name : {"float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16",
                                 "uint8", "bool", "scalar", "vector", "empty"}) {
    SCOPED_TRACE(name);
    const auto path = folder.path() / "x.npy";
    write_npy(path, read_npy(golden(name + ".npy")));
    EXPECT_EQ(contents(path), contents(golden(name + ".npy")));
  }
}

TEST(Npy, WritesBf16AsF32) {
  const test::TemporaryFolder folder;
  Tensor tensor = Tensor::allocate(ElementType::bf16, {1});
  tensor.mutable_bytes()[1] = std::byte{0x40};  // 2.0
  write_npy(folder.path() / "x.npy", tensor);
  EXPECT_THAT(read_npy(folder.path() / "x.npy").values<float>(), ElementsAre(2.0f));
}

TEST(Npy, AppendsRows) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "x.npy";
  const auto values = ramp(24);
  NpyWriter writer(path, {2, 2});
  writer.append(std::span(values).first(4));
  writer.append({});
  writer.append(std::span(values).subspan(4, 20));
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.finish();
  write_npy(folder.path() / "whole.npy", Tensor::of<float>({6, 2, 2}, values));
  EXPECT_EQ(contents(path), contents(folder.path() / "whole.npy"));
}

TEST(Npz, ReadsWhatNumPyWrites) {
  for (const std::string name : {"stored.npz", "deflated.npz"}) {
    SCOPED_TRACE(name);
    const auto tensors = read_npz(golden(name));
    ASSERT_EQ(tensors.size(), 2u);
    EXPECT_EQ(tensors[0].name, "conv1");
    EXPECT_EQ(tensors[0].tensor.shape(), (Shape{1, 2, 3, 4}));
    EXPECT_THAT(tensors[0].tensor.values<float>(), ::testing::ElementsAreArray(ramp(24)));
    EXPECT_EQ(tensors[1].name, "fc8");
    EXPECT_EQ(tensors[1].tensor.type(), ElementType::f16);
    EXPECT_THAT(read_npz_text(golden(name), "paths"), ElementsAre("x.jpg", "y.jpg"));
    const NpzReader reader(golden(name));
    EXPECT_EQ(reader.text("paths"), (std::vector<std::string>{"x.jpg", "y.jpg"}));
    EXPECT_EQ(reader.text("none"), std::nullopt);
    ASSERT_EQ(reader.arrays().size(), tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const auto& [array, type, shape] = reader.arrays()[i];
      EXPECT_EQ(array, tensors[i].name);
      EXPECT_EQ(type, tensors[i].tensor.type());
      ASSERT_EQ(shape, tensors[i].tensor.shape()) << array;
      const std::size_t row = tensors[i].tensor.byte_count() / static_cast<std::size_t>(shape[0]);
      for (std::int64_t begin = 0; begin < shape[0]; ++begin) {
        const Tensor rows = reader.rows(i, begin, 1);
        EXPECT_EQ(rows.shape(), shape.without_batch().with_batch(1));
        EXPECT_TRUE(
            std::ranges::equal(rows.bytes(), tensors[i].tensor.bytes().subspan(static_cast<std::size_t>(begin) * row, row)));
      }
      EXPECT_EQ(reader.rows(i, 0, shape[0]).byte_count(), tensors[i].tensor.byte_count());
    }
  }
}

TEST(Npz, RefusesWhatIsNoArchiveOfArrays) {
  const test::TemporaryFolder folder;
  const auto array = contents(golden("float32.npy"));
  const auto archive = [&](const std::string& name, const std::string& data) {
    return folder.write("a.npz", test::build_zip({{.name = name, .data = data}}));
  };
  const struct {
    std::string what;
    std::filesystem::path path;
    std::string message;
  } cases[] = {
      {"an array", golden("float32.npy"), "no end record"},
      {"no file", folder.path() / "none.npz", "none.npz: can't be opened"},
      {"a text", golden("other.npz"), "zip entry 'readme.txt' is not a npy array"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(error_of([&] { read_npz(c.path); }), HasSubstr(c.message));
  }
  EXPECT_THAT(error_of([&] { read_npz(archive("\xff.npy", array)); }), HasSubstr("a name that is not UTF-8"));
  EXPECT_THAT(error_of([&] { read_npz(archive("x.npy", "text")); }), HasSubstr("a.npz: 'x.npy': is not a npy array"));
  EXPECT_THAT(error_of([&] { read_npz(archive("x.npy", array + "y")); }), HasSubstr("has 25 bytes of data"));
  EXPECT_THAT(error_of([&] { read_npz_text(archive("x.npy", array), "y"); }), HasSubstr("has no array 'y'"));
  EXPECT_THAT(error_of([&] { read_npz_text(archive("x.npy", array), "x"); }), HasSubstr("is not a list of text"));
}

TEST(Npz, WritesWhatItReads) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "x.npz";
  const auto values = ramp(6);
  const std::vector<std::string> text{"a",
                                      "",
                                      "Stra\xc3\x9f"
                                      "e",
                                      "\xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x90\xb1",
                                      "bad \xff byte",
                                      "\xc3"};
  write_npy(folder.path() / "rows.npy", Tensor::of<float>({3, 2}, values));
  NpzWriter writer(path);
  writer.add("conv1", Tensor::of<float>({2, 3}, values));
  writer.add_text("paths", text);
  writer.add_file("fc7.relu", folder.path() / "rows.npy");
  writer.finish();
  const auto tensors = read_npz(path);
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].name, "conv1");
  EXPECT_EQ(tensors[0].tensor.shape(), (Shape{2, 3}));
  EXPECT_EQ(tensors[1].name, "fc7.relu");
  EXPECT_THAT(tensors[1].tensor.values<float>(), ::testing::ElementsAreArray(values));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensors[1].tensor.bytes().data()) % 64, 0u);
  EXPECT_EQ(read_npz_text(path, "paths"), text);
}

TEST(Npz, KeepsFileNamesAsPythonKeepsThem) {
  const auto file = MappedFile::open(golden("text.npy"));
  EXPECT_THAT(read_npy_text(file->bytes(), "text.npy"), ElementsAre("a", "",
                                                                    "Stra\xc3\x9f"
                                                                    "e",
                                                                    "\xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x90\xb1", "bad \xff byte"));
  const test::TemporaryFolder folder;
  NpzWriter writer(folder.path() / "x.npz");
  writer.add_text("text", read_npy_text(file->bytes(), "text.npy"));
  writer.finish();
  const auto archive = MappedFile::open(folder.path() / "x.npz");
  const auto bytes = as_text(read_zip(archive->bytes(), "x.npz").at(0).data);
  EXPECT_EQ(bytes, as_text(file->bytes()));
}

TEST(Npz, RefusesTextThatIsNoText) {
  for (const char32_t point : {char32_t{0x110000}, char32_t{0xd800}, char32_t{0xdfff}, char32_t{0xffffffff}}) {
    auto file = npy_text_header(1, 1);
    append(file, point);
    EXPECT_THAT(error_of([&] { read_npy_text(std::as_bytes(std::span(file)), "a.npy"); }), HasSubstr("which is no character"));
  }
  const auto many = npy_text_header(2'000'000, 0);
  EXPECT_THAT(error_of([&] { read_npy_text(std::as_bytes(std::span(many)), "a.npy"); }), HasSubstr("too many empty texts"));
}

}  // namespace
}  // namespace alexnet
