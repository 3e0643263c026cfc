// Broken and hostile checkpoints and networks: one line that names the file and the cause, exit code 3, and nothing written. The
// readers' own tests (tests/formats, tests/import) go through each kind of damage; here is what becomes of them on the command
// line.
#include <cstring>
#include <functional>
#include <limits>

#include "base/file.h"
#include "formats/pytorch.h"
#include "formats/safetensors.h"
#include "tests/cli/fixture.h"
#include "tests/formats/build_zip.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using test::build_zip;
using test::lines;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string golden(const std::string& name) { return test::source_path("tests/golden/" + name).string(); }

std::string bytes_of(const std::string& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

// A checkpoint whose pickle has these opcodes, with a storage of six floats.
std::string checkpoint(const std::string& opcodes) {
  return build_zip({{.name = "x/data.pkl", .data = "\x80\2" + opcodes + "."}, {.name = "x/data/0", .data = std::string(24, '\0')}});
}

// {"w": a tensor that looks into that storage}.
std::string with_tensor(const std::string& storage, const std::string& offset, const std::string& size, const std::string& stride) {
  return checkpoint("}U\1wctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\n" + storage + "\nU\0010U\3cpuK\6tQ" + offset +
                    "(" + size + "t(" + stride + "t\x89" + "ccollections\nOrderedDict\n)RtRs");
}

std::string safetensors(const std::string& header, std::size_t data_bytes, std::uint64_t length = 0) {
  std::string file(8, '\0');
  if (length == 0) length = header.size();
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_bytes, '\0');
}

class BadSources : public test::CommandTest {
 protected:
  // What convert says of a file of these bytes, without "alexnet: ".
  std::string refusal(const std::string& bytes, const std::vector<std::string>& others = {}) {
    folder_.write("source", bytes);
    std::vector<std::string> arguments{"convert", "source", "-o", "out.safetensors"};
    arguments.insert(arguments.end(), others.begin(), others.end());
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, 3) << result;
    EXPECT_EQ(lines(result.err).size(), 1u) << result;
    EXPECT_EQ(result.out, "");
    EXPECT_FALSE(fs::exists(path("out.safetensors")));
    EXPECT_THAT(result.err, StartsWith("alexnet: "));
    EXPECT_LE(result.seconds, 20) << "in time";
    return result.err;
  }

  // plain.pth's tensors, changed, as a foreign safetensors file.
  std::string changed(const std::function<void(std::vector<NamedTensor>&)>& change) {
    const auto source = read_pytorch(golden("formats/pytorch/plain.pth"));
    auto tensors = tensors_of(source, source.entries.front());
    change(tensors);
    write_safetensors(path("changed"), {}, tensors);
    return content("changed");
  }
};

struct Case {
  std::string what;
  std::string bytes;
  std::string message;
};

TEST_F(BadSources, PicklesThatCallSomething) {
  for (const auto& [what, bytes, message] : {
           Case{"os.system", checkpoint("cos\nsystem\nU\4true\x85R"), "would call 'os.system'"},
           Case{"posix.system", checkpoint("cposix\nsystem\nU\4true\x85R"), "would call 'posix.system'"},
           Case{"eval",
                checkpoint("cbuiltins\neval\nU\1"
                           "1\x85R"),
                "would call 'builtins.eval'"},
           Case{"unknown", checkpoint("cmy.module\nmake\n)R"), "would call 'my.module.make'"},
       }) {
    EXPECT_THAT(refusal(bytes), HasSubstr("source: ")) << what;
    EXPECT_THAT(refusal(bytes), HasSubstr(message)) << what;
  }
}

TEST_F(BadSources, PickleBombsAndArchivesThatLie) {
  using test::ZipPart;
  const std::string nothing = "\x80\2N.";
  std::string many;
  for (const auto& [what, bytes, message] : {
           Case{"deep", checkpoint(repeated("]", 900'000) + repeated("a", 899'999)), "holds no tensors"},
           Case{"laughs", checkpoint("]q\1" + repeated("](h\1h\1eq\1", 60) + repeated("\x86", 60)), "holds no tensors"},
           Case{"LONG4 of 2 GB", checkpoint("\x8b\xff\xff\xff\x7f"), "has the opcode LONG4"},
           Case{"underflow", checkpoint("R"), "has 0 values on its stack where REDUCE wants 2"},
           Case{"negative length", checkpoint("X\xff\xff\xff\xff"), "ends within BINUNICODE"},
           Case{"offset", build_zip({ZipPart{.name = "x/data.pkl", .data = nothing, .offset = 1'000'000}}), "source: "},
           Case{"overlap",
                build_zip(
                    {ZipPart{.name = "x/data.pkl", .data = nothing}, ZipPart{.name = "x/data/0", .data = "abcd", .offset = 0}}),
                "source: "},
           Case{"sizes", build_zip({ZipPart{.name = "x/data.pkl", .data = nothing, .local_size = 77}}), "source: "},
           Case{"compressed",
                build_zip({ZipPart{
                    .name = "x/data.pkl", .data = test::deflate(nothing), .method = 8, .crc = test::crc_of(nothing), .size = 4}}),
                "data.pkl"},
           Case{"twice",
                build_zip({ZipPart{.name = "x/data.pkl", .data = nothing}, ZipPart{.name = "x/data.pkl", .data = nothing}}),
                "data.pkl"},
           Case{"cut", bytes_of(golden("formats/pytorch/plain.pth")).substr(0, 5000), "source: "},
           Case{"legacy cut", bytes_of(golden("formats/pytorch/legacy.pth")).substr(0, 5000), "source: "},
       }) {
    EXPECT_THAT(refusal(bytes), HasSubstr(message)) << what;
  }
}

TEST_F(BadSources, TensorsThatDoNotFitTheirStorage) {
  for (const auto& [what, bytes, message] : {
           Case{"short", with_tensor("FloatStorage", "K\0"s, "K\3K\3", "K\3K\1"), "tensor 'w'"},
           Case{"stride", with_tensor("FloatStorage", "K\0"s, "K\2K\2", "J\xff\xff\xff\xffK\1"), "tensor 'w'"},
           Case{"offset", with_tensor("FloatStorage", "J\xff\xff\xff\xff", "K\2", "K\1"), "tensor 'w'"},
           Case{"product", with_tensor("FloatStorage", "K\0"s, repeated("J\xff\xff\xff\x7f", 3), "K\0K\0K\0"s), "tensor 'w'"},
           Case{"type", with_tensor("QuantumStorage", "K\0"s, "K\2", "K\1"), "QuantumStorage"},
           Case{"quantised", bytes_of(golden("formats/pytorch/refused_quantized.pth")),
                "tensor 'w' is quantised, which is not supported"},
           Case{"TorchScript", bytes_of(golden("formats/pytorch/torchscript.pth")), "is a TorchScript archive, not a checkpoint"},
           Case{"big-endian", build_zip({{.name = "x/data.pkl", .data = "\x80\2N."}, {.name = "x/byteorder", .data = "big"}}),
                "big"},
       }) {
    EXPECT_THAT(refusal(bytes), HasSubstr(message)) << what;
  }
}

TEST_F(BadSources, SafetensorsThatContradictThemselves) {
  const std::string w = R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  for (const auto& [what, bytes, message] : {
           Case{"length beyond the file", safetensors("{" + w + "}", 8, 5000), "its safetensors header would have 5000 bytes"},
           Case{"length over 100 MB", safetensors("{" + w + "}", 8, 100'000'001), "more than 100000000"},
           Case{"length of 2^63", safetensors("{" + w + "}", 8, 1ull << 63), "more than 100000000"},
           Case{"not JSON", safetensors("{nonsense}", 8), "source: "},
           Case{"twice", safetensors("{" + w + "," + w + "}", 8), "'w'"},
           Case{"bytes", safetensors(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8), "wants 12"},
           Case{"dtype", safetensors(R"({"w":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8),
                "has the unknown dtype 'F33'"},
           Case{"overflow", safetensors(R"({"w":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,8]}})", 8),
                "product overflows"},
           Case{"gap", safetensors(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "hole or overlap"},
           Case{"not an index", "{\"weights\": 1}", "has no weight_map"},
           Case{"index that leaves", R"({"weight_map": {"w": "../x.safetensors"}})", "is not a plain file name"},
       }) {
    EXPECT_THAT(refusal(bytes), HasSubstr(message)) << what;
  }
}

TEST_F(BadSources, OnnxThatCantBeRun) {
  const auto whole = bytes_of(golden("import/onnx/dynamo_external.onnx"));
  EXPECT_THAT(refusal(whole), HasSubstr("'dynamo_external.onnx.data', which can't be read: No such file or directory"));
  EXPECT_THAT(refusal(replaced(whole, "dynamo_external.onnx.data", "../amo_external.onnx.data")),
              HasSubstr("which leaves the model's folder"));
  EXPECT_THAT(refusal(replaced(whole, "dynamo_external.onnx.data", "/ynamo_external.onnx.data")), HasSubstr("an absolute path"));
  const auto net = bytes_of(golden("import/onnx/dynamo_dynamic.onnx"));
  EXPECT_THAT(refusal(net.substr(0, net.size() / 2)), HasSubstr("ends in the middle of a field"));
  EXPECT_THAT(refusal("\x08\x0a"), HasSubstr("has no graph"));
  auto other = net;
  for (std::size_t at = 0; (at = other.find("MaxPool", at)) != other.npos; ++at) other.replace(at, 7, "MinPool");
  EXPECT_THAT(refusal(other), HasSubstr("operator MinPool is not supported: node 'node_max_pool2d', node 'node_max_pool2d_1'"))
      << "all at once, by node";
}

TEST_F(BadSources, CaffeNetworksThatDoNotFit) {
  const auto prototxt = bytes_of(golden("import/caffe/alexnet.prototxt"));
  const auto weights = golden("import/caffe/alexnet.caffemodel");
  for (const auto& [what, text, message] : {
           Case{"deep", repeated("layer { ", 10'000), "is nested deeper than 100"},
           Case{"unbalanced", prototxt.substr(0, prototxt.size() - 30), "source"},
           Case{"no bottom", replaced(prototxt, "bottom: \"data\"", ""), "conv1"},
           Case{"shape", replaced(prototxt, "num_output: 6", "num_output: 7"), "conv1"},
           Case{"V0", "layers { layer { name: 'conv1' type: 'conv' } }", "source"},
       }) {
    EXPECT_THAT(refusal(text, {weights}), HasSubstr(message)) << what;
  }
  EXPECT_THAT(refusal(prototxt), HasSubstr("source: is a Caffe network without its weights (name its .caffemodel, too)"));
  EXPECT_THAT(refusal(bytes_of(weights)),
              HasSubstr("holds the weights of a Caffe network, not its structure (name its deploy.prototxt, too)"));
}

TEST_F(BadSources, TensorsThatAreMissingUnexpectedOrOfAnotherShapeAreToldTogether) {
  const auto error = refusal(changed([](auto& tensors) {
                               std::erase_if(tensors, [](const auto& named) { return named.name == "features.3.bias"; });
                               for (auto& [name, tensor] : tensors) {
                                 if (name == "classifier.6.weight") name = "classifier.6.wieght";
                                 if (name == "features.6.weight") tensor = tensor.reshaped({4, 27});
                               }
                             }),
                             {"--arch", "torchvision"});
  for (const char* part : {"features.3", "classifier.6.wieght", "features.6.weight"}) EXPECT_THAT(error, HasSubstr(part));
}

TEST_F(BadSources, WeightsThatAreNotFiniteOrOdd) {
  const auto set_first = [](const char* wanted, float value) {
    return [=](std::vector<NamedTensor>& tensors) {
      for (auto& [name, tensor] : tensors) {
        if (name != wanted) continue;
        Tensor copy = Tensor::zeros(tensor.shape());
        std::ranges::copy(tensor.template values<float>(), copy.mutable_values<float>().begin());
        copy.mutable_values<float>()[7] = value;
        tensor = copy;
      }
    };
  };
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const auto error = refusal(changed(set_first("features.0.weight", bad)));
    EXPECT_THAT(error,
                HasSubstr("has 1 NaN or infinite elements, the first at [0, 0, 0, 7] (--allow-nonfinite uses them as they are)"));
  }
  EXPECT_EQ(alexnet({"convert", "source", "--allow-nonfinite", "--no-golden", "-o", "out.safetensors"}).exit_code, 0);

  folder_.write("zeros", changed([](auto& tensors) { tensors.front().tensor = Tensor::zeros(tensors.front().tensor.shape()); }));
  const auto zeros = alexnet({"convert", "zeros", "--dry-run"});
  EXPECT_EQ(zeros.exit_code, 0) << zeros;
  EXPECT_THAT(zeros.out, HasSubstr("all weights of layer 'conv1' are 0"));

  folder_.write("double", changed([](auto& tensors) {
                  auto& tensor = tensors.front().tensor;
                  Tensor wide = Tensor::allocate(ElementType::f64, tensor.shape());
                  std::ranges::copy(tensor.template values<float>(), wide.mutable_values<double>().begin());
                  tensor = wide;
                }));
  const auto wide = alexnet({"convert", "double", "--dry-run"});
  EXPECT_EQ(wide.exit_code, 0) << wide;
  EXPECT_THAT(wide.out, testing::ContainsRegex("features.0.weight +conv1.weight.*F64 +f32 +to f32"));
}

TEST_F(BadSources, FilesThatAreNoSource) {
  for (const auto& [what, bytes, message] : {
           Case{"text", "hello, world\n", "source: is nothing that a model can be read from"},
           Case{"page", "<!DOCTYPE html><html></html>", "source: is nothing that a model can be read from"},
           Case{"pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
                "source: is a pointer of Git LFS, not the file itself"},
           Case{"empty", "", "source: is empty"},
           Case{"picture", bytes_of(test::source_path("data/coffee.jpg").string()),
                "source: is nothing that a model can be read from"},
           Case{"arrays", bytes_of(golden("formats/arrays/stored.npz")), "is a zip archive, but no PyTorch checkpoint"},
       }) {
    EXPECT_THAT(refusal(bytes), HasSubstr(message)) << what;
  }
  fs::create_directory(path("folder"));
  EXPECT_THAT(alexnet({"convert", "folder", "-o", "x"}).err, HasSubstr("folder: is a folder, not a file"));
}

}  // namespace
}  // namespace alexnet
