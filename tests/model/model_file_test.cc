#include "model/model_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>

#include "alexnet/error.h"
#include "base/text.h"
#include "tests/model/small_model.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string contents(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

Model small_model_stored(Storage storage) {
  Model model = test::small_model();
  model.weights = stored(model.weights, storage);
  return model;
}

std::string bytes_of(const Tensor& tensor) { return {reinterpret_cast<const char*>(tensor.bytes().data()), tensor.bytes().size()}; }

void expect_same(const Tensor& a, const Tensor& b, const std::string& what) {
  EXPECT_EQ(a.shape(), b.shape()) << what;
  EXPECT_EQ(a.type(), b.type()) << what;
  EXPECT_EQ(bytes_of(a), bytes_of(b)) << what;
}

void expect_same(const Model& a, const Model& b, const std::string& what) {
  EXPECT_EQ(a.graph, b.graph) << what;
  EXPECT_EQ(a.preprocessing, b.preprocessing) << what;
  EXPECT_EQ(a.labels, b.labels) << what;
  EXPECT_EQ(a.provenance, b.provenance) << what;
  EXPECT_EQ(a.accuracy, b.accuracy) << what;
  EXPECT_EQ(a.ranges, b.ranges) << what;
  EXPECT_EQ(a.lrn_source, b.lrn_source) << what;
  ASSERT_EQ(a.golden.has_value(), b.golden.has_value()) << what;
  if (a.golden) expect_same(a.golden->input, b.golden->input, what + " golden.input");
  if (a.golden) expect_same(a.golden->logits, b.golden->logits, what + " golden.logits");
  ASSERT_EQ(a.weights.size(), b.weights.size()) << what;
  for (const auto& [name, weight] : a.weights) {
    const Weight& other = b.weights.at(name);
    EXPECT_EQ(alexnet::name(weight.storage), alexnet::name(other.storage)) << what << ' ' << name;
    EXPECT_EQ(weight.shape, other.shape) << what << ' ' << name;
    expect_same(weight.data, other.data, what + ' ' + name + " data");
    expect_same(weight.scale, other.scale, what + ' ' + name + " scale");
    expect_same(weight.mask, other.mask, what + ' ' + name + " mask");
  }
}

TEST(ModelFile, EveryStorageReadsBackAndWritesTheSameBytesAgain) {
  const test::TemporaryFolder folder;
  for (const auto storage : {Storage::f32, Storage::f16, Storage::bf16, Storage::int8, Storage::int8_sparse}) {
    const std::string what(name(storage));
    const Model model = small_model_stored(storage);
    const auto first = folder.path() / "first.safetensors";
    const auto second = folder.path() / "second.safetensors";
    write_model(model, first);
    const Model read = read_model(first);
    expect_same(model, read, what);
    write_model(read, second);
    EXPECT_EQ(contents(first), contents(second)) << what;
    const std::string bytes = contents(first);
    const auto owner = std::make_shared<std::string>(bytes);
    expect_same(model, read_model(std::as_bytes(std::span(*owner)), owner, "memory"), what + " in memory");
  }
}

TEST(ModelFile, HoldsWhatItCarriesAsOneSpellingOfItsJson) {
  const test::TemporaryFolder folder;
  Model model = test::small_model();
  model.accuracy = R"( { "precisions" : { "f32" : { "top1" : 41.060 , "top5": 68 } } } )";
  model.ranges = R"({"tensors":{"data":[-2.2,2.7]}})";
  model.graph.nodes.insert(model.graph.nodes.begin() + 3, {"norm1", Lrn{}, {"conv1.relu"}});
  find(model.graph, "flatten")->inputs = {"norm1"};
  model.lrn_source = R"({"norm1":{"convention":"pytorch","size":5,"alpha":0.0001,"beta":0.75,"k":1}})";
  write_model(model, folder.path() / "m");
  const Model read = read_model(folder.path() / "m");
  EXPECT_EQ(read.accuracy, R"({"precisions":{"f32":{"top1":41.06,"top5":68}}})");
  EXPECT_EQ(read.ranges, model.ranges);
  EXPECT_EQ(read.lrn_source, model.lrn_source);
}

TEST(ModelFile, MayLackAllThatIsNotNeededToRun) {
  const test::TemporaryFolder folder;
  Model model = test::small_model();
  model.labels.clear();
  model.preprocessing.steps.clear();
  model.provenance.clear();
  model.golden.reset();
  write_model(model, folder.path() / "m");
  const auto file = read_safetensors(folder.path() / "m");
  EXPECT_EQ(file.metadata.size(), 2u);
  EXPECT_EQ(file.metadata.at("alexnet.format"), "1");
  expect_same(model, read_model(folder.path() / "m"), "bare");
}

TEST(ModelFile, CarriesTheTensorsOfPreprocessing) {
  const test::TemporaryFolder folder;
  Model model = test::small_model();
  Tensor mean = Tensor::zeros({3, 8, 8});
  mean.mutable_values<float>()[7] = 104.5f;
  model.preprocessing.steps.push_back(MeanImage{.tensor = "preprocess.mean", .mean = mean});
  write_model(model, folder.path() / "m");
  const Model read = read_model(folder.path() / "m");
  expect_same(std::get<MeanImage>(read.preprocessing.steps.at(1)).mean, mean, "mean");
}

TEST(ModelFile, WeightsLookIntoTheMappedFileAtAlignedPlaces) {
  const test::TemporaryFolder folder;
  write_model(small_model_stored(Storage::int8_sparse), folder.path() / "m");
  const std::string bytes = contents(folder.path() / "m");
  Model read = read_model(folder.path() / "m");
  const Weight& fc2 = read.weights.at("fc2.weight");
  const auto address = [](const Tensor& tensor) { return reinterpret_cast<std::uintptr_t>(tensor.bytes().data()); };
  const auto offset = [&](const Tensor& tensor) { return bytes.find(bytes_of(tensor)); };
  EXPECT_EQ(address(fc2.mask) - address(fc2.data), offset(fc2.mask) - offset(fc2.data));
  EXPECT_EQ(address(read.golden->input) % 64, 0u);
  EXPECT_EQ(address(fc2.scale) % 16, 0u);
}

TEST(ModelFile, IsToldFromOtherSafetensors) {
  const test::TemporaryFolder folder;
  write_model(test::small_model(), folder.path() / "m");
  EXPECT_TRUE(is_model_file(read_safetensors(folder.path() / "m")));
  write_safetensors(folder.path() / "t", {{"format", "pt"}}, {});
  EXPECT_FALSE(is_model_file(read_safetensors(folder.path() / "t")));
}

TEST(ModelFile, IsNotWrittenWhenItCouldNotBeRead) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "m";
  Model incomplete = test::small_model();
  incomplete.weights.erase("fc2.bias");
  Model garbled = test::small_model();
  garbled.accuracy = "57.1 %";
  for (const Model& model : {incomplete, garbled}) {
    EXPECT_THROW(write_model(model, path), Error);
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_THROW(write_model(test::small_model(), folder.path() / "missing" / "m"), Error);
}

// A model file taken apart, to be put together wrongly.
struct Parts {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

using Change = std::function<void(Parts&)>;

Change set(const char* key, const char* value) {
  return [=](Parts& parts) { parts.metadata[key] = value; };
}

Change in_graph(const std::string& from, const std::string& to) {
  return [=](Parts& parts) {
    std::string& graph = parts.metadata["alexnet.graph"];
    ASSERT_NE(graph.find(from), std::string::npos) << from;
    graph.replace(graph.find(from), from.size(), to);
  };
}

Change without(const char* tensor) {
  return [=](Parts& parts) { parts.tensors.erase(tensor); };
}

Change with(const char* name, ElementType type, const Shape& shape) {
  return [=](Parts& parts) { parts.tensors[name] = Tensor::allocate(type, shape); };
}

// The tensor again, with one byte of it changed.
Change with_byte(const char* name, std::size_t at, std::uint8_t value) {
  return [=](Parts& parts) {
    const Tensor old = parts.tensors.at(name);
    Tensor changed = Tensor::allocate(old.type(), old.shape());
    std::memcpy(changed.mutable_bytes().data(), old.bytes().data(), old.byte_count());
    changed.mutable_bytes()[at] = std::byte{value};
    parts.tensors[name] = changed;
  };
}

Change with_element(const char* name, std::size_t at, float value) {
  return [=](Parts& parts) {
    Tensor changed = Tensor::allocate(ElementType::f32, parts.tensors.at(name).shape());
    changed.mutable_values<float>()[at] = value;
    parts.tensors[name] = changed;
  };
}

Parts parts_of(const Model& model, const std::filesystem::path& path) {
  write_model(model, path);
  auto file = read_safetensors(path);
  Parts parts{.metadata = file.metadata, .tensors = {}};
  for (auto& named : file.tensors) parts.tensors.emplace(named.name, named.tensor);
  return parts;
}

// What reading says of the small model, stored so, after this change.
std::string refusal(Storage storage, const Change& change, const ModelFileOptions& options = {}) {
  const test::TemporaryFolder folder;
  Parts parts = parts_of(small_model_stored(storage), folder.path() / "good");
  change(parts);
  std::vector<NamedTensor> tensors;
  for (const auto& [name, tensor] : parts.tensors) tensors.push_back({name, tensor});
  const auto path = folder.path() / "bad";
  write_safetensors(path, parts.metadata, tensors);
  try {
    read_model(path, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    const std::string text = error.what();
    EXPECT_THAT(text, StartsWith(path.string() + ": "));
    return text.substr(path.string().size() + 2);
  }
  return "accepted";
}

struct Case {
  const char* what;
  Change change;
  const char* message;
};

TEST(ModelFile, RefusesMetadataThatLies) {
  const Case kCases[] = {
      {"nothing changed", [](Parts&) {}, "accepted"},
      {"another tool's key", set("format", "pt"), "accepted"},
      {"another tool's file", [](Parts& p) { p.metadata.erase("alexnet.format"); },
       "is a safetensors file, but no model file: it has no alexnet.format (`alexnet convert` makes model files)"},
      {"a newer version", set("alexnet.format", "2"),
       "is a model file of format 2, this program reads up to format 1 (a newer alexnet made it, and can read it)"},
      {"a version that is no number", set("alexnet.format", "one"), "alexnet.format is 'one', must be a whole number from 1"},
      {"a version below 1", set("alexnet.format", "0"), "alexnet.format is '0', must be a whole number from 1"},
      {"a misspelled key", set("alexnet.label", "[]"),
       "has the unknown metadata key 'alexnet.label' (did you mean 'alexnet.labels'?)"},
      {"no graph", [](Parts& p) { p.metadata.erase("alexnet.graph"); }, "has no alexnet.graph"},
      {"a graph that is no JSON", set("alexnet.graph", "{"), "alexnet.graph: is not valid JSON"},
      {"a graph nested deeply", [](Parts& p) { p.metadata["alexnet.graph"] = std::string(100'000, '['); },
       "alexnet.graph: JSON is nested deeper than 64 levels"},
      {"a graph with a key twice", set("alexnet.graph", R"({"inputs": [], "inputs": []})"),
       "alexnet.graph: JSON has the key 'inputs' twice"},
      {"preprocessing that is no list", set("alexnet.preprocess", R"({"step": "divide"})"), "alexnet.preprocess: "},
      {"an unknown step", set("alexnet.preprocess", R"([{"step": "sharpen"}])"), "alexnet.preprocess: "},
      {"a std of 0", set("alexnet.preprocess", R"([{"step": "normalize", "mean": [0, 0, 0], "std": [1, 0, 1]}])"),
       "alexnet.preprocess: "},
      {"a crop larger than the resize",
       set("alexnet.preprocess", R"([{"step": "resize", "size": [7, 7]}, {"step": "center_crop", "size": [8, 8]}])"),
       "alexnet.preprocess: "},
      {"a crop of another size than the input", set("alexnet.preprocess", R"([{"step": "center_crop", "size": [9, 8]}])"),
       "preprocessing makes 3x9x8, the input 'data' wants 3x8x8"},
      {"a mean image that is not there", set("alexnet.preprocess", R"([{"step": "center_crop", "size": [8, 8]},
                                                                      {"step": "mean_image", "tensor": "mean"}])"),
       "'mean', which preprocessing reads, is missing"},
      {"too few labels", set("alexnet.labels", R"([{"id": "", "label": "cat"}])"), "there are 1 labels for 4 outputs of 'fc2'"},
      {"labels that are no list", set("alexnet.labels", "7"), "alexnet.labels: must be a list of labels"},
      {"shares above 100", set("alexnet.accuracy", R"({"source": {"top1": 110, "top5": 120}})"),
       "alexnet.accuracy: source: 110 is no share in per cent"},
      {"a source for a layer that is no normalisation", set("alexnet.lrn_source", R"({"bn1": {"convention": "caffe"}})"),
       "alexnet.lrn_source: 'bn1' is no response normalisation of the graph"},
      {"provenance that is no JSON", set("alexnet.provenance", "me"), "alexnet.provenance: is not valid JSON"},
  };
  for (const auto& c : kCases) EXPECT_THAT(refusal(Storage::f32, c.change), StartsWith(c.message)) << c.what;
}

TEST(ModelFile, RefusesGraphsThatLie) {
  const Case kCases[] = {
      {"a cycle", in_graph(R"("inputs":["data"])", R"("inputs":["fc2"])"), "alexnet.graph: layer 'conv1': is part of a cycle"},
      {"a missing input", in_graph(R"("inputs":["bn1"])", R"("inputs":["bn2"])"),
       "alexnet.graph: layer 'conv1.relu': reads 'bn2', which no layer makes (did you mean 'bn1'?)"},
      {"a duplicate name", in_graph(R"("name":"bn1")", R"("name":"conv1")"),
       "alexnet.graph: graph: the name 'conv1' is used twice"},
      {"an unknown layer kind", in_graph(R"("kind":"relu")", R"("kind":"reluu")"),
       "alexnet.graph: layer 'conv1.relu': unknown layer kind 'reluu' (did you mean 'relu'?)"},
      {"an unknown parameter", in_graph(R"("kernel":[3,3])", R"("kernel":[3,3],"strides":[1,1])"),
       "alexnet.graph: layer 'conv1': convolution has no parameter 'strides' (did you mean 'stride'?)"},
      {"a negative stride", in_graph(R"("kernel":[3,3])", R"("kernel":[3,3],"stride":[-1,1])"),
       "alexnet.graph: layer 'conv1' (convolution)"},
      {"a zero kernel", in_graph(R"("kernel":[3,3])", R"("kernel":[0,3])"), "alexnet.graph: layer 'conv1' (convolution)"},
      {"padding larger than the kernel", in_graph(R"("kernel":[3,3])", R"("kernel":[3,3],"padding":[4,0,0,0])"),
       "alexnet.graph: layer 'conv1' (convolution)"},
      {"groups that do not divide", in_graph(R"("kernel":[3,3])", R"("kernel":[3,3],"groups":2)"),
       "alexnet.graph: layer 'conv1' (convolution)"},
      {"shapes that do not connect", in_graph(R"("inputs":["flatten"])", R"("inputs":["conv1.relu"])"),
       "alexnet.graph: layer 'fc2' (linear) after 'conv1.relu' (1x5x6x6)"},
      {"an input so small that the output vanishes", in_graph("[3,8,8]", "[3,2,8]"), "alexnet.graph: layer 'conv1' (convolution)"},
      {"sizes that overflow", in_graph("[3,8,8]", "[3,4611686018427387904,8]"), "alexnet.graph: "},
      {"more channels than memory", in_graph(R"("out_channels":5)", R"("out_channels":4611686018427387904)"), "alexnet.graph: "},
      {"more features than there are weights", in_graph(R"("out_features":4)", R"("out_features":5)"),
       "'fc2.weight' is 4x180, layer 'fc2' wants 5x180; 'fc2.bias' is 4, layer 'fc2' wants 5"},
  };
  for (const auto& c : kCases) EXPECT_THAT(refusal(Storage::f32, c.change), StartsWith(c.message)) << c.what;
}

TEST(ModelFile, RefusesTensorsThatDoNotFit) {
  const Case kCases[] = {
      {"a missing weight", without("fc2.bias"), "'fc2.bias' (4) is missing"},
      {"a tensor of no layer", with("fc9.weight", ElementType::f32, {2}), "'fc9.weight' is not expected"},
      {"doubles", with("fc2.bias", ElementType::f64, {4}), "'fc2.bias' is stored as F64, must be F32, F16, BF16 or I8"},
      {"bytes without scales", with("fc2.weight", ElementType::i8, {4, 180}), "'fc2.weight.scale' is missing"},
      {"a golden input alone", without("golden.logits"), "'golden.input' is there without 'golden.logits'"},
      {"golden logits alone", without("golden.input"), "'golden.logits' is there without 'golden.input'"},
      {"a golden input of floats", with("golden.input", ElementType::f32, {8, 8, 3}),
       "the golden input is 8x8x3 of F32, must be a picture of U8, height x width x 3"},
      {"golden logits for other classes", with("golden.logits", ElementType::f32, {5}),
       "the golden logits are 5 of F32, must be 4 of F32"},
  };
  for (const auto& c : kCases) EXPECT_EQ(refusal(Storage::f32, c.change), c.message) << c.what;
}

TEST(ModelFile, RefusesInt8ThatContradictsItself) {
  const Case kCases[] = {
      {"no scales", without("fc2.weight.scale"), "'fc2.weight.scale' is missing"},
      {"too few scales", with("fc2.weight.scale", ElementType::f32, {3}), "'fc2.weight.scale' is 3 of F32, must be 4 of F32"},
      {"scales of another type", with("fc2.weight.scale", ElementType::f16, {4}),
       "'fc2.weight.scale' is 4 of F16, must be 4 of F32"},
      {"-128", with_byte("fc2.weight", 33, 0x80), "'fc2.weight' has the element -128, beyond the range of -127 to 127"},
      {"a scale that is not finite", with_element("fc2.weight.scale", 1, NAN),
       "'fc2.weight' has 1 NaN or infinite scales, the first at [1] (--allow-nonfinite uses them as they are)"},
  };
  for (const auto& c : kCases) EXPECT_EQ(refusal(Storage::int8, c.change), c.message) << c.what;
}

TEST(ModelFile, RefusesSparseInt8ThatContradictsItself) {
  const Model model = small_model_stored(Storage::int8_sparse);
  const auto values = model.weights.at("conv1.weight").data.shape()[0];
  const auto first = std::to_integer<std::uint8_t>(model.weights.at("conv1.weight").mask.bytes()[0]);
  const auto wanted = [&](std::int64_t found, std::int64_t bits) {
    return fmt::format("'conv1.weight.values' has {} elements, the mask wants {}", found, bits);
  };
  const struct {
    const char* what;
    Change change;
    std::string message;
  } kCases[] = {
      {"nothing changed", [](Parts&) {}, "accepted"},
      {"one value less", with("conv1.weight.values", ElementType::i8, {values - 1}), wanted(values - 1, values)},
      {"one value more", with("conv1.weight.values", ElementType::i8, {values + 1}), wanted(values + 1, values)},
      {"no values", with("conv1.weight.values", ElementType::i8, {0}), wanted(0, values)},
      {"one bit more or less", with_byte("conv1.weight.mask", 0, static_cast<std::uint8_t>(first ^ 1u)),
       wanted(values, first & 1 ? values - 1 : values + 1)},
      // 27 elements a row: the last byte of each has five bits of padding.
      {"a bit behind a row instead of one in it",
       [&](Parts& parts) {
         ASSERT_NE(first, 0);
         with_byte("conv1.weight.mask", 0, static_cast<std::uint8_t>(first & (first - 1)))(parts);
         with_byte("conv1.weight.mask", 3, 0x80)(parts);
       },
       "'conv1.weight.mask' has a bit set behind the end of a row"},
      {"a mask for other rows", with("conv1.weight.mask", ElementType::u8, {5, 3}),
       "'conv1.weight.mask' is 5x3 of U8, must be 5x4 of U8"},
      {"a mask without values", without("conv1.weight.values"), "'conv1.weight.values' is missing"},
      {"values without a mask", without("conv1.weight.mask"), "'conv1.weight.mask' is missing"},
      {"values of two axes", with("conv1.weight.values", ElementType::i8, {values, 1}),
       fmt::format("'conv1.weight.values' is {}x1 of I8, must be a list of I8", values)},
      {"no scales", without("conv1.weight.scale"), "'conv1.weight.scale' is missing"},
      {"the dense weight as well", with("conv1.weight", ElementType::f32, {5, 3, 3, 3}),
       "'conv1.weight.mask' is not expected; 'conv1.weight.scale' is not expected; 'conv1.weight.values' is not expected"},
      {"-128", with_byte("conv1.weight.values", 5, 0x80),
       "'conv1.weight.values' has the element -128, beyond the range of -127 to 127"},
      {"a scale that is not finite", with_element("conv1.weight.scale", 4, INFINITY),
       "'conv1.weight' has 1 NaN or infinite scales, the first at [4] (--allow-nonfinite uses them as they are)"},
  };
  for (const auto& c : kCases) EXPECT_EQ(refusal(Storage::int8_sparse, c.change), c.message) << c.what;
}

TEST(ModelFile, TakesNonFiniteWeightsOnlyWhenAsked) {
  const auto change = with_element("fc2.weight", 181, NAN);
  EXPECT_EQ(refusal(Storage::f32, change),
            "'fc2.weight' has 1 NaN or infinite elements, the first at [1, 1] (--allow-nonfinite uses them as they are)");
  EXPECT_EQ(refusal(Storage::f32, change, {.allow_nonfinite = true}), "accepted");
}

TEST(ModelFile, ReportsAllTensorsTogether) {
  const auto message = refusal(Storage::int8_sparse, [](Parts& parts) {
    without("fc2.weight.scale")(parts);
    without("bn1.mean")(parts);
    with("stray", ElementType::u8, {1})(parts);
    set("alexnet.labels", "[]")(parts);
  });
  EXPECT_EQ(message, "'fc2.weight.scale' is missing; 'bn1.mean' (5) is missing; 'stray' is not expected");
}

TEST(ModelFile, RefusesItsOwnFileCutAnywhere) {
  const test::TemporaryFolder folder;
  write_model(small_model_stored(Storage::int8_sparse), folder.path() / "m");
  const std::string bytes = contents(folder.path() / "m");
  for (std::size_t size = 0; size < bytes.size(); size += size < 64 ? 1 : 97) {
    const auto owner = std::make_shared<std::string>(bytes.substr(0, size));
    EXPECT_THROW(read_model(std::as_bytes(std::span(*owner)), owner, "cut"), Error) << size;
  }
}

TEST(ModelFile, RefusesBrokenSafetensorsByTheirOwnMessage) {
  const auto message_of = [](std::string bytes) {
    const auto owner = std::make_shared<std::string>(std::move(bytes));
    try {
      read_model(std::as_bytes(std::span(*owner)), owner, "m");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message_of(""), "m: is too short for a safetensors file");
  EXPECT_THAT(message_of(std::string("\xff\xff\xff\xff\0\0\0\0{}", 10)),
              HasSubstr("m: its safetensors header would have 4294967295 bytes"));
  EXPECT_THAT(message_of(std::string("\2\0\0\0\0\0\0\0[]", 10)), HasSubstr("m: its safetensors header is not an object"));
  EXPECT_THAT(message_of(std::string("\2\0\0\0\0\0\0\0{}", 10)), StartsWith("m: is a safetensors file, but no model file"));
}

}  // namespace
}  // namespace alexnet
