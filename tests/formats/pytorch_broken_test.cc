// Files that are refused: broken ones, written opcode by opcode, and what no checkpoint should have.
#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "formats/bytes.h"
#include "formats/pytorch.h"
#include "tests/formats/build_zip.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using test::build_zip;
using test::ZipPart;
using ::testing::HasSubstr;

std::filesystem::path golden(const std::string& name) { return test::source_path("tests/golden/formats/pytorch") / name; }

std::string contents(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Reads from a buffer of exactly these bytes, so that a sanitizer sees a step outside.
std::string error_of(const std::string& bytes) {
  const auto buffer = std::make_shared<std::vector<std::byte>>(bytes.size());
  std::ranges::copy(std::as_bytes(std::span(bytes)), buffer->begin());
  try {
    const auto checkpoint = read_pytorch(*buffer, buffer, "a.pth");
    for (const auto& entry : checkpoint.entries) tensors_of(checkpoint, entry);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), "a.pth");
    return error.hint().empty() ? error.message() : fmt::format("{} ({})", error.message(), error.hint());
  }
  return "accepted";
}

TEST(Pytorch, RefusesByName) {
  const struct {
    std::string file;
    std::string message;
  } cases[] = {
      {"refused_quantized.pth", "tensor 'w' is quantised, which is not supported (save the model before quantisation)"},
      {"refused_quantized_per_channel.pth", "tensor 'w' is quantised"},
      {"refused_sparse.pth", "tensor 'w' is sparse, which is not supported (save tensor.to_dense())"},
      {"refused_complex.pth", "tensor 'w' has the dtype complex64, which is not supported"},
      {"refused_negative.pth", "tensor 'w' has the 'neg' bit set, which is not supported"},
      {"refused_conjugate.pth", "tensor 'w' has the dtype complex64"},
      {"refused_float8.pth", "tensor 'w' has the dtype float8_e4m3fn, which is not supported"},
      {"torchscript.pth", "is a TorchScript archive, not a checkpoint (save torch.jit.load(FILE).state_dict() with torch.save)"},
      {"protocol0.pth", "the pickle is no pickle of protocol 2 to 5; protocols 0 and 1 are not supported"},
      {"protocol1.pth", "protocols 0 and 1 are not supported"},
      {"legacy_protocol0.pth", "was saved with pickle protocol 0 or 1, which is not supported (save it without pickle_protocol)"},
      {"legacy_protocol1.pth", "was saved with pickle protocol 0 or 1"},
      {"expected/plain.npz", "is a zip archive, but no PyTorch checkpoint: it has no data.pkl"},
      {"../pickle/values_2.pkl", "is a pickle, but no PyTorch checkpoint (was it written by pickle.dump instead of torch.save?)"},
      {"../pickle/values.txt", "is no PyTorch checkpoint: it is neither a zip archive nor a pickle"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file);
    EXPECT_THAT(error_of(contents(golden(c.file))), HasSubstr(c.message));
  }
}

// Pickles of protocol 2, opcode by opcode.
std::string text(const std::string& value) {
  std::string bytes("X");
  append(bytes, static_cast<std::uint32_t>(value.size()));
  return bytes += value;
}
std::string number(std::int64_t value) {
  std::string bytes("\x8a\x08");
  append(bytes, value);
  return bytes;
}
std::string tuple(const std::vector<std::int64_t>& values) {
  std::string bytes("(");
  for (const auto value : values) bytes += number(value);
  return bytes += 't';
}
std::string global(const std::string& module, const std::string& name) { return fmt::format("c{}\n{}\n", module, name); }
std::string pickle(const std::string& opcodes) { return fmt::format("\x80\x02{}.", opcodes); }

// A view of `size` elements of a storage, as old files have it behind the count.
std::string view(std::int64_t offset, std::int64_t size) {
  return fmt::format("({}{}{}t", text("v"), number(offset), number(size));
}

struct TensorCase {
  std::int64_t offset = 0;
  std::vector<std::int64_t> size = {2, 3};
  std::vector<std::int64_t> stride = {3, 1};
  std::int64_t elements = 6;
  std::string storage = "FloatStorage";
  std::string key = "0";
  std::string part = "";
};

std::string storage_id(const TensorCase& c) {
  return fmt::format("({}{}{}{}{}{}tQ", text("storage"), global("torch", c.storage), text(c.key), text("cpu"), number(c.elements),
                     c.part);
}

std::string tensor(const TensorCase& c) {
  return fmt::format("{}({}{}{}{}\x89)tR", global("torch._utils", "_rebuild_tensor_v2"), storage_id(c), number(c.offset),
                     tuple(c.size), tuple(c.stride));
}

std::string dictionary(const std::string& value) { return pickle(fmt::format("}}{}{}s", text("w"), value)); }

std::string zipped(const std::string& pickled, const std::string& data = std::string(24, '\1'), std::vector<ZipPart> more = {}) {
  more.insert(more.begin(), {{.name = "a/data.pkl", .data = pickled}, {.name = "a/data/0", .data = data}});
  return build_zip(more);
}

TEST(PytorchFiles, ChecksTensorsAgainstTheirStorage) {
  constexpr std::int64_t kBig = std::int64_t{1} << 62;
  const struct {
    std::string what;
    TensorCase tensor;
    std::string message;
  } cases[] = {
      {"all of it", {}, "accepted"},
      {"the last element", {.offset = 5, .size = {}, .stride = {}}, "accepted"},
      {"nothing, at the end", {.offset = 6, .size = {0, 5}, .stride = {5, 1}}, "accepted"},
      {"stride of an extent of 1", {.size = {1, 6}, .stride = {kBig, 1}}, "accepted"},
      {"one element too far", {.offset = 1}, "tensor 'w' of shape 2x3 leads outside its storage '0' of 6 elements"},
      {"nothing, behind the end", {.offset = 7, .size = {0}, .stride = {1}}, "leads outside its storage"},
      {"stride too long", {.stride = {4, 1}}, "leads outside its storage"},
      {"stride that overflows", {.size = {3}, .stride = {INT64_MAX}}, "leads outside its storage"},
      {"strides whose sum overflows", {.size = {3, 3}, .stride = {INT64_MAX, INT64_MAX}}, "leads outside its storage"},
      {"offset of 2^63 - 1", {.offset = INT64_MAX, .size = {1}, .stride = {1}}, "leads outside its storage"},
      {"negative offset", {.offset = -1}, "tensor 'w' has an offset or storage that is none"},
      {"negative size", {.size = {-2, 3}}, "size or stride that is no whole number from 0"},
      {"negative stride", {.stride = {-3, 1}}, "size or stride that is no whole number from 0"},
      {"sizes that overflow", {.size = {kBig, kBig}, .stride = {0, 0}}, "has a shape whose product overflows"},
      {"an expanded giant", {.size = {kBig, 1}, .stride = {0, 1}}, "would take more memory than its file"},
      {"an expanded giant of 65 MB",
       {.size = {17'000'000}, .stride = {0}},
       "of shape 17000000 would take more memory than its file"},
      {"more strides than sizes", {.stride = {6, 3, 1}}, "has 2 sizes, but 3 strides"},
      {"nine dimensions", {.size = std::vector<std::int64_t>(9, 1)}, "has 9 dimensions, more than 8"},
      {"storage shorter than it says", {.elements = 7}, "lies in storage '0' of 7 elements of 4 bytes, which has 24 bytes"},
      {"storage longer than it says", {.elements = 5}, "lies in storage '0' of 5 elements of 4 bytes, which has 24 bytes"},
      {"storage of 2^62 elements", {.elements = kBig}, "which has 24 bytes"},
      {"storage of fewer than none", {.elements = -1}, "refers to a storage by values of unknown types"},
      {"storage of another type", {.storage = "DoubleStorage"}, "lies in storage '0' of 6 elements of 8 bytes, which has 24 bytes"},
      {"unknown storage", {.storage = "EvilStorage"}, "refers to a storage by the unknown class 'torch.EvilStorage'"},
      {"quantised storage", {.elements = 24, .storage = "QInt8Storage"}, "tensor 'w' is quantised (qint8)"},
      {"untyped storage without a type", {.elements = 24, .storage = "UntypedStorage"}, "has the dtype of an untyped storage"},
      {"no such storage", {.key = "1"}, "tensor 'w' lies in storage '1', which is not in the file"},
      {"a path for a key", {.key = "../data.pkl"}, "lies in storage '../data.pkl', which is not in the file"},
      {"a view of a storage", {.size = {2}, .stride = {1}, .part = view(4, 2)}, "accepted"},
      {"outside a view", {.size = {3}, .stride = {1}, .part = view(4, 2)}, "its storage '0' of 2 elements"},
      {"a view outside", {.part = view(4, 3)}, "by a view that leads outside"},
      {"a view of negative size", {.part = view(4, -3)}, "by a view that leads outside"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(error_of(zipped(dictionary(tensor(c.tensor)))), HasSubstr(c.message));
  }
}

TEST(PytorchFiles, RefusesTensorsThatAreNone) {
  const std::string v2 = global("torch._utils", "_rebuild_tensor_v2");
  const std::string parameter = global("torch._utils", "_rebuild_parameter");
  std::string wrapped = tensor({});
  for (int i = 0; i < 9; ++i) wrapped = fmt::format("{}({}\x88NtR", parameter, wrapped);
  const struct {
    std::string what;
    std::string value;
    std::string message;
  } cases[] = {
      {"no arguments", v2 + ")R", "has an offset or storage that is none"},
      {"numbers", v2 + tuple({1, 2, 3, 4}) + "R", "has an offset or storage that is none"},
      {"sizes of text", fmt::format("{}({}{}(U\x01{}t)tR", v2, storage_id({}), number(0), "x"), "no whole number from 0"},
      {"size a number", fmt::format("{}({}{}{})tR", v2, storage_id({}), number(0), number(6)), "size or stride that is no tuple"},
      {"parameter of nothing", parameter + "N\x85R", "is a parameter without a tensor"},
      {"parameter without arguments", parameter + ")R", "is a parameter without a tensor"},
      {"wrapped nine times", wrapped, "is wrapped too often"},
      {"a type without arguments", global("torch._tensor", "_rebuild_from_type_v2") + ")R", "is rebuilt in an unknown way"},
      {"a type rebuilt by something else",
       fmt::format("{}({}N)NtR", global("torch._tensor", "_rebuild_from_type_v2"), global("os", "system")),
       "is rebuilt by 'os.system', which is not supported"},
      {"an unknown dtype",
       fmt::format("{}({}{}))\x89){}tR", global("torch._utils", "_rebuild_tensor_v3"), storage_id({}), number(0),
                   global("torch", "float7")),
       "has the unknown dtype 'torch.float7'"},
      {"a storage of four values", fmt::format("{}((NNNNtQ{}))tR", v2, number(0)), "by something other than 5 or 6 values"},
      {"a storage of numbers", fmt::format("{}({}Q{}))tR", v2, tuple({1, 2, 3, 4, 5}), number(0)),
       "by something other than 'storage'"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(error_of(zipped(dictionary(c.value))), HasSubstr(c.message));
  }
}

TEST(PytorchFiles, RefusesBrokenZipContainers) {
  const auto good = dictionary(tensor({}));
  const std::string data(24, '\1');
  const auto packed = test::deflate(good);
  const struct {
    std::string what;
    std::string bytes;
    std::string message;
  } cases[] = {
      {"the base of these cases", zipped(good), "accepted"},
      {"little-endian", zipped(good, data, {{.name = "a/byteorder", .data = "little"}}), "accepted"},
      {"big-endian", zipped(good, data, {{.name = "a/byteorder", .data = "big"}}),
       "the byte order 'big', only little is supported"},
      {"TorchScript", zipped(good, data, {{.name = "a/constants.pkl", .data = ""}}), "is a TorchScript archive"},
      {"two pickles", zipped(good, data, {{.name = "b/data.pkl", .data = ""}}), "has two pickles, in 'a' and 'b'"},
      {"pickle at the top", build_zip({{.name = "data.pkl", .data = good}}), "it has no data.pkl"},
      {"pickle two deep", build_zip({{.name = "a/b/data.pkl", .data = good}}), "it has no data.pkl"},
      {"compressed pickle",
       build_zip({{.name = "a/data.pkl",
                   .data = packed,
                   .method = 8,
                   .crc = test::crc_of(good),
                   .size = static_cast<std::uint32_t>(good.size())}}),
       "has the compressed entry 'a/data.pkl', which torch.save never writes"},
      {"damaged pickle", build_zip({{.name = "a/data.pkl", .data = good, .crc = 1}}),
       "entry 'a/data.pkl' is damaged: its checksum is"},
      {"damaged storage", build_zip({{.name = "a/data.pkl", .data = good}, {.name = "a/data/0", .data = data, .crc = 1}}),
       "entry 'data/0' is damaged: its checksum is"},
      {"no checksums", build_zip({{.name = "a/data.pkl", .data = good, .crc = 0}, {.name = "a/data/0", .data = data, .crc = 0}}),
       "accepted"},
      {"empty pickle", zipped(""), "is no pickle of protocol 2 to 5"},
      {"no tensors", zipped(pickle("}")), "accepted"},
      {"code", zipped(pickle(global("posix", "system") + text("id") + "\x85R")), "would call 'posix.system'"},
      {"code beside the weights", zipped(dictionary(global("builtins", "eval") + text("1") + "\x85R")),
       "would call 'builtins.eval'"},
      {"cut", zipped(good).substr(0, 200), "is not a whole zip archive"},
      {"a name that is not UTF-8", zipped(pickle(fmt::format("}}{}{}s", text("\xff"), tensor({})))),
       "has the name '\\xff', which is not UTF-8"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(error_of(c.bytes), HasSubstr(c.message));
  }
}

std::string legacy(const std::string& object, const std::string& keys, const std::string& data, bool little = true) {
  using namespace std::string_literals;
  const auto magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s;
  const auto version = "\x80\x02M\xe9\x03."s;
  const auto system = pickle(fmt::format("}}{}{}s", text("little_endian"), little ? "\x88" : "\x89"));
  return magic + version + system + object + keys + data;
}

TEST(PytorchFiles, RefusesBrokenLegacyContainers) {
  using namespace std::string_literals;
  const auto object = dictionary(tensor({}));
  const auto keys = pickle(
      "]"
      "U\x01"
      "0a");
  const auto data = "\6\0\0\0\0\0\0\0"s + std::string(24, '\1');
  const auto whole = legacy(object, keys, data);
  auto other_version = whole;
  other_version[18] = '\4';
  std::string tar(300, '\0');
  tar.replace(257, 5, "ustar");
  const struct {
    std::string what;
    std::string bytes;
    std::string message;
  } cases[] = {
      {"the base of these cases", whole, "accepted"},
      {"big-endian", legacy(object, keys, data, false), "the byte order 'big', only little is supported"},
      {"another version", other_version, "unknown version of PyTorch's old format, supported is 1001"},
      {"another magic number", pickle(number(5)), "is a pickle, but no PyTorch checkpoint"},
      {"a tar archive", tar, "is a tar archive, as PyTorch wrote before 0.1.10"},
      {"no data", legacy(object, keys, ""), "ends before storage '0'"},
      {"cut data", whole.substr(0, whole.size() - 1), "ends within storage '0' of 6 elements (was it cut short?)"},
      {"bytes behind", whole + "x", "has 1 bytes behind its last storage"},
      {"a count that disagrees", legacy(object, keys, "\7\0\0\0\0\0\0\0"s + std::string(28, '\1')),
       "has 7 elements in storage '0', its pickle says 6"},
      {"a negative count", legacy(object, keys, std::string(8, '\xff')), "has 18446744073709551615 elements"},
      {"no list of storages", legacy(object, pickle("}"), data), "has no list of storages"},
      {"a storage that nobody uses",
       legacy(object,
              pickle("]"
                     "U\x01"
                     "1a"),
              data),
       "lists a storage that no tensor uses"},
      {"a storage twice", legacy(object, pickle("](" + text("0") + text("0") + "e"), data + data), "lists storage '0' twice"},
      {"a storage left out", legacy(object, pickle("]"), ""), "lies in storage '0', which is not in the file"},
      {"2^62 elements of 8 bytes",
       legacy(dictionary(tensor({.elements = std::int64_t{1} << 62, .storage = "DoubleStorage"})), keys, "\0\0\0\0\0\0\0\x40"s),
       "ends within storage '0'"},
      {"code", legacy(pickle(global("nt", "system") + ")R"), keys, data), "would call 'nt.system'"},
      {"code in the list of storages", legacy(object, pickle(global("os", "system") + ")R"), data), "would call 'os.system'"},
      {"empty pickles", "\x80\x02.", "ends with 0 values"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(error_of(c.bytes), HasSubstr(c.message));
  }
}

// Every beginning of a file is refused, or is read in full: nothing is taken from behind the end.
TEST(PytorchFiles, RefusesEveryBeginningOfAFile) {
  for (const std::string name : {"few.pth", "few_legacy.pth"}) {
    const auto whole = contents(golden(name));
    for (std::size_t size = 1; size < whole.size(); ++size) {
      EXPECT_NE(error_of(whole.substr(0, size)), "accepted") << name << " cut to " << size;
    }
  }
}

// A pickled module with these children, which are keys and values.
std::string module_with(const std::string& children, const std::string& memo = "") {
  return fmt::format("{})\x81{}}}({}}}{}}}({}uub", global("user", "Net"), memo, text("_parameters"), text("_modules"), children);
}

TEST(PytorchFiles, SurvivesModulesThatContainThemselves) {
  const auto own_child = module_with(text("self") + "h\x01", "q\x01");
  EXPECT_THAT(error_of(zipped(pickle(own_child))), HasSubstr("has modules nested deeper than 64"));
  // Each has the one before as two children, so that there are 2^40 ways down.
  std::string twins = module_with("");
  for (int i = 0; i < 40; ++i) twins = module_with(fmt::format("{}{}q\x02{}h\x02", text("a"), twins, text("b")));
  EXPECT_THAT(error_of(zipped(pickle(twins))), HasSubstr("or more than 10000 of them"));
  const auto own_value = fmt::format("}}q\x01{}h\x01s", text("state_dict"));
  EXPECT_EQ(error_of(zipped(pickle(own_value))), "accepted");
}

TEST(PytorchFiles, RefusesModulesWithTwoTensorsOfOneName) {
  const auto child =
      fmt::format("{})\x81}}({}}}{}{}s{}}}ub", global("user", "Net"), text("_parameters"), text("w"), tensor({}), text("_modules"));
  const auto twins = module_with(fmt::format("{}{}q\x02{}h\x02", text("a"), child, text("a")));
  EXPECT_THAT(error_of(zipped(pickle(twins))), HasSubstr("has a module with two tensors named 'a.w'"));
}

}  // namespace
}  // namespace alexnet
