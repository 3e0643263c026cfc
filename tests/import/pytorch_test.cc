#include "import/pytorch.h"

#include <cmath>
#include <cstring>
#include <fstream>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/npz.h"
#include "import/parameter_names.h"
#include "runtime/network.h"
#include "tests/formats/build_zip.h"
#include "tests/passes/plain_run.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// Sums of hundreds of products in f32 against float64: 1e-5 of the largest, as for whole networks.
constexpr double kTolerance = 1e-5;

std::filesystem::path fixture(const std::string& name) { return test::source_path("tests/golden/import/" + name); }

// The pictures of tools/make_checkpoint_fixtures.py.
Tensor pictures(std::int64_t side) {
  Tensor result = Tensor::zeros({2, 3, side, side});
  std::uint64_t index = 0;
  for (float& value : result.mutable_values<float>())
    value = static_cast<float>((index++ * 2654435761u & 0xffffffffu) >> 16) / 65536 - 0.5f;
  return result;
}

// For two pictures. What mixes the samples of a batch runs by the layers' references alone.
Tensor logits(Model model) {
  const Tensor input = pictures(model.graph.inputs.front().shape[1]);
  const auto name = logits_name(model.graph);
  if (std::ranges::any_of(model.graph.nodes, [](const auto& node) { return batch_coupled(node.layer); }))
    return test::plain_run(model, {{"data", input}}).at(name);
  model.graph.outputs = {name};
  const auto network = compile(model, {});
  Tensor found = Tensor::zeros(network->outputs().front().shape.with_batch(2));
  const std::vector<std::span<const float>> inputs{input.values<float>()};
  const std::vector<std::span<float>> outputs{found.mutable_values<float>()};
  Session(network).run(2, inputs, outputs);
  return found;
}

// Expects the logits of this name in the folder's logits.npz.
void expect_logits(const Imported& imported, const std::string& folder, const std::string& name) {
  std::map<std::string, Tensor> all;
  for (const auto& [key, tensor] : read_npz(fixture(folder + "/logits.npz"))) all[key] = widened(tensor);
  const auto wanted = all.at(name).values<float>();
  const Tensor found = logits(imported.model);
  ASSERT_EQ(found.shape(), all.at(name).shape());
  double scale = 0;
  double difference = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    scale = std::max(scale, std::fabs(static_cast<double>(wanted[i])));
    difference = std::max(difference, std::fabs(static_cast<double>(found.values<float>()[i]) - static_cast<double>(wanted[i])));
  }
  EXPECT_LE(difference / scale, kTolerance) << name;
}

StateDictOptions as(const std::string& name) { return {.architecture = architecture(name)}; }

Imported imported(const std::string& name, const StateDictOptions& options = {}) {
  const auto path = fixture(name);
  const bool safetensors = path.extension() == ".safetensors" || path.extension() == ".json";
  return safetensors ? import_safetensors(path, options) : import_pytorch(path, options);
}

std::string refusal(const std::string& name, const StateDictOptions& options = {}) {
  try {
    imported(name, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), fixture(name).string());
    return error.hint().empty() ? error.message() : fmt::format("{} ({})", error.message(), error.hint());
  }
  return "accepted";
}

TEST(PytorchImport, GivesWhatPytorchComputes) {
  const struct {
    std::string file;
    std::string logits;
    std::string architecture;
    std::string key;
  } cases[] = {
      {"torchvision.pth", "torchvision", "", ""},
      {"torchvision_legacy.pth", "torchvision", "", ""},
      {"wrapped_state_dict.pth.tar", "torchvision", "", ""},
      {"wrapped_model_state_dict.pt", "torchvision", "", ""},
      {"wrapped_net.pth", "torchvision", "", ""},
      {"model_and_ema.pth", "torchvision", "", "model_ema"},
      {"nested_ema.pth", "torchvision", "", ""},
      {"features_module.pth.tar", "torchvision", "", ""},
      {"compiled.pt", "torchvision", "", ""},
      {"lightning.ckpt", "torchvision", "", ""},
      {"list.pt", "torchvision", "torchvision", ""},
      {"float64.pth", "torchvision", "", ""},
      {"float16.pth", "torchvision", "", ""},
      {"bfloat16.pth", "bfloat16", "", ""},
      {"views.pth", "torchvision", "", ""},
      {"torchvision.safetensors", "torchvision", "", ""},
      {"sharded.safetensors.index.json", "torchvision", "", ""},
      {"alexnet_states_e10.pkl", "dansuh17", "", ""},
      {"batch_norm.pth", "batch_norm", "", ""},
      {"batch_norm_legacy.pth", "batch_norm", "", ""},
      {"caffe_names.pth", "bvlc", "bvlc", ""},
      {"caffe_names.pth", "caffenet", "caffenet", ""},
      {"caffe_names.pth", "krizhevsky2012", "krizhevsky2012", ""},
      {"blocks.pth", "blocks", "torchvision", ""},
      {"weight_norm.pth", "weight_norm", "", ""},
      {"module.pth", "torchvision", "", ""},
      {"module_legacy.pth", "torchvision", "", ""},
      {"module_parallel.pth", "torchvision", "", ""},
      {"dansuh17_module.pth", "dansuh17", "", ""},
      {"batch_norm_module.pth", "batch_norm", "", ""},
      {"weight_norm_module.pth", "weight_norm", "", ""},
      {"norm_batch.pth", "norm_batch", "", ""},
      {"norm_batch_statistics.pth", "norm_batch_statistics", "", ""},
      {"norm_instance.pth", "norm_instance", "", ""},
      {"norm_instance_tracked.pth", "norm_instance_tracked", "", ""},
      {"norm_layer.pth", "norm_layer", "", ""},
      {"norm_group.pth", "norm_group", "", ""},
      {"norm_response.pth", "norm_response", "", ""},
      {"norm_batch_plain.pth", "norm_batch_plain", "", ""},
      {"norm_instance_plain.pth", "norm_instance_plain", "", ""},
      {"weight_norm_parametrized.pth", "weight_norm", "", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file + " " + c.architecture);
    StateDictOptions options = c.architecture.empty() ? StateDictOptions{} : as(c.architecture);
    options.key = c.key;
    expect_logits(imported("pytorch/" + c.file, options), "pytorch", c.logits);
  }
}

// PyTorch 1.13 writes other names of classes and leaves out what came later.
TEST(PytorchImport, GivesWhatAnOlderPytorchComputes) {
  const std::pair<std::string, std::string> cases[] = {
      {"torchvision.pth", "torchvision"},
      {"torchvision_legacy.pth", "torchvision"},
      {"wrapped_state_dict.pth.tar", "torchvision"},
      {"lightning.ckpt", "torchvision"},
      {"module.pth", "torchvision"},
      {"module_legacy.pth", "torchvision"},
      {"alexnet_states_e10.pkl", "dansuh17"},
      {"dansuh17_module.pth", "dansuh17"},
      {"batch_norm.pth", "batch_norm"},
      {"batch_norm_module.pth", "batch_norm"},
      {"weight_norm.pth", "weight_norm"},
      {"weight_norm_module.pth", "weight_norm"},
  };
  for (const auto& [file, logits] : cases) {
    SCOPED_TRACE(file);
    expect_logits(imported("pytorch-1.13/" + file), "pytorch-1.13", logits);
  }
}

TEST(PytorchImport, GivesWhatNormalisationsOfStatedNetworksCompute) {
  for (const std::string name :
       {"filter_response", "moving_average", "switchable", "within_channel", "local_contrast", "local_mean"}) {
    SCOPED_TRACE(name);
    const StateDictOptions options{.architecture = read_architecture(fixture("pytorch/norm_" + name + ".json"))};
    expect_logits(imported("pytorch/norm_" + name + ".pth", options), "pytorch", "norm_" + name);
  }
}

TEST(PytorchImport, RefusesWhatCouldMeanSeveralThings) {
  EXPECT_EQ(refusal("pytorch/model_and_ema.pth"),
            "holds the weights of several networks: 'model', 'model_ema' (--key NAME says which, e.g. --key model_ema)");
  EXPECT_EQ(refusal("pytorch/caffe_names.pth"),
            "fits several architectures alike: bvlc, caffenet, krizhevsky2012 (--arch NAME says which one it is, --arch FILE.json "
            "that it is another one)");
}

TEST(PytorchImport, ListsAllTensorsThatDoNotFit) {
  EXPECT_EQ(refusal("pytorch/wrong_tensors.pth"),
            "fits no known architecture; the nearest is torchvision, but 'features.10.weight' (2x3x3x3) is missing; "
            "'classifier.1.weight' is 4x50, layer 'fc6' wants 4x72; 'features.11.weight' (2x3x3x3) is not expected (meant as "
            "'features.10.weight'?); 'extra.weight' (2x2) is not expected (--arch NAME or --arch FILE.json says what it is)");
  EXPECT_THAT(refusal("pytorch/wrong_tensors.pth", as("torchvision")), HasSubstr("does not fit torchvision: 'features.10.weight'"));
  EXPECT_THAT(imported("pytorch/torchvision.pth", as("paper")).warnings,
              ElementsAre("the names of its layers are not known: taken as paper by their order and shapes alone"));
}

TEST(PytorchImport, RefusesWeightsThatCannotBeRight) {
  EXPECT_EQ(refusal("pytorch/quantised.pth"),
            "tensor 'features.3.weight' is quantised, which is not supported (save the model before quantisation)");
  EXPECT_EQ(refusal("pytorch/nan.pth"),
            "'fc7.bias' has 4 NaN or infinite elements, the first at [0] (--allow-nonfinite uses them as they are)");
  EXPECT_EQ(refusal("pytorch/nan.pth", {.allow_nonfinite = true}), "accepted");
  EXPECT_THAT(imported("pytorch/zero_conv1.pth").warnings, Contains("all weights of layer 'conv1' are 0"));
}

TEST(PytorchImport, RefusesModulesWhoseStructureIsCode) {
  EXPECT_EQ(refusal("pytorch/functional.pth"),
            "has no activation between 'conv1' and 'conv2': its forward() calls functions, which are not in the file; has no "
            "activation between 'conv2' and 'fc': its forward() calls functions, which are not in the file (--arch NAME or --arch "
            "FILE.json says what it computes)");
}

// A network of the paper's widths, whose tensors are a file of nothing.
TEST(PytorchImport, AsksWhetherResponseNormalisationStandsBesideBatchNormalisation) {
  const test::TemporaryFolder folder;
  const auto path = folder.write("zeros", "");
  std::filesystem::resize_file(path, std::uintmax_t{4} * 4096 * 9216);
  const auto zeros = MappedFile::open(path);
  StateDict source{.tensors = {}, .modules = {}, .format = {}};
  const auto add = [&](const std::string& name, const Shape& shape) {
    const auto bytes = zeros->bytes().first(static_cast<std::size_t>(shape.elements()) * sizeof(float));
    source.tensors.push_back({name, Tensor::view(ElementType::f32, shape, bytes, zeros)});
  };
  const Shape convolutions[] = {{96, 3, 11, 11}, {256, 96, 5, 5}, {384, 256, 3, 3}, {384, 384, 3, 3}, {256, 384, 3, 3}};
  for (int i = 0; i < 5; ++i) {
    const Shape& shape = convolutions[i];
    add(fmt::format("layer{}.0.weight", i + 1), shape);
    for (const std::string name : {"0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"})
      add(fmt::format("layer{}.{}", i + 1, name), {shape[0]});
  }
  const Shape linears[] = {{4096, 9216}, {4096, 4096}, {10, 4096}};
  for (int i = 0; i < 3; ++i) {
    add(fmt::format("fc{}.1.weight", i), linears[i]);
    add(fmt::format("fc{}.1.bias", i), {linears[i][0]});
  }
  try {
    import_state_dict(source, {}, "net.pth");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "net.pth: has the layers of paper and batch normalisation, and nothing says whether its response normalisation is there "
        "too (--arch paper if it is, else --arch FILE.json)");
  }
}

TEST(PytorchImport, ReportsWhatBecameOfEachTensor) {
  const auto plain = imported("pytorch/wrapped_state_dict.pth.tar");
  EXPECT_EQ(plain.format, "PyTorch (zip)");
  ASSERT_EQ(plain.tensors.size(), 16u);
  EXPECT_EQ(plain.tensors[0].source, "module.features.0.weight");
  EXPECT_EQ(plain.tensors[0].ours, "conv1.weight");
  EXPECT_EQ(plain.tensors[0].shape, (Shape{2, 3, 11, 11}));
  EXPECT_EQ(plain.tensors[0].done, "as it is");
  EXPECT_THAT(plain.choices,
              ElementsAre(Pair("architecture", "torchvision, by the numbers of its layers"), Pair("key", "state_dict")));
  EXPECT_THAT(plain.notes, ElementsAre("layers are not as wide as those of torchvision"));
  EXPECT_THAT(plain.warnings, IsEmpty());
  EXPECT_TRUE(plain.model.preprocessing == architecture("torchvision").preprocessing);

  const auto doubles = imported("pytorch/float64.pth");
  EXPECT_EQ(doubles.tensors[0].done, "to f32");
  EXPECT_THAT(doubles.notes, Contains("16 tensors of float64 rounded to f32"));
  const auto halves = imported("pytorch/float16.pth");
  EXPECT_EQ(halves.tensors[0].done, "as it is");
  EXPECT_EQ(halves.tensors[1].done, "to f32");
  EXPECT_EQ(halves.model.weights.at("conv1.weight").storage, Storage::f16);

  const auto batch_norm = imported("pytorch/batch_norm.pth");
  EXPECT_EQ(batch_norm.unused.size(), 5u);
  EXPECT_THAT(batch_norm.notes,
              Contains("'features.1' is batch normalisation, which torchvision does not have: put behind 'conv1' and "
                       "folded when it is run"));
  EXPECT_EQ(find(batch_norm.model.graph, "conv1.relu")->inputs, std::vector<std::string>{"conv1.bn"});

  const auto folded = imported("pytorch/weight_norm.pth");
  EXPECT_EQ(folded.tensors[0].source, "features.0.weight_g, features.0.weight_v");
  EXPECT_EQ(folded.tensors[0].done, "weight normalisation folded");
}

TEST(PytorchImport, NeedsNoCopies) {
  const auto path = fixture("pytorch/torchvision.pth");
  const auto checkpoint = read_pytorch(path);
  const auto imported = import_pytorch(checkpoint, {});
  const auto bytes = checkpoint.file.bytes;
  for (const auto& [name, weight] : imported.model.weights) {
    const auto* data = weight.data.bytes().data();
    EXPECT_TRUE(data >= bytes.data() && data < bytes.data() + bytes.size()) << name;
  }
}

TEST(PytorchImport, TakesOptionsForWhatTheSourceDoesNotSay) {
  StateDictOptions hwc;
  hwc.flatten = FlattenOrder::hwc;
  const auto reordered = imported("pytorch/torchvision.pth", hwc);
  expect_logits(reordered, "pytorch", "flatten_hwc");
  EXPECT_THAT(reordered.choices, Contains(Pair("flatten", "hwc")));

  // Alpha of the paper's formula is not divided by the window.
  StateDictOptions paper;
  paper.lrn = lrn::Paper{};
  const auto restated = imported("pytorch/alexnet_states_e10.pkl", paper);
  EXPECT_TRUE(find(restated.model.graph, "norm1")->layer == Layer(Lrn{.alpha = 5e-4, .k = 2}));
  EXPECT_THAT(restated.choices, Contains(Pair("lrn", "norm1: paper(k=2, n=5, alpha=0.0001, beta=0.75)")));
  const auto module = imported("pytorch/dansuh17_module.pth", paper);
  EXPECT_TRUE(find(module.model.graph, "norm1")->layer == Layer(Lrn{.k = 2}));
  EXPECT_THAT(module.warnings, Contains(HasSubstr("the source says it itself")));
  EXPECT_THAT(module.model.lrn_source, HasSubstr(R"("norm1":{"convention":"pytorch","size":5)"));
}

// docs/checkpoints.md lists the names of parameters as the importer knows them.
TEST(PytorchImport, KnowsTheNamesThatItsPageLists) {
  std::ifstream page(test::source_path("docs/checkpoints.md"));
  std::size_t rows = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const auto cells = split(line, '|');
    const auto parameter = std::string(trim(cells.at(1)));
    std::vector<std::string> names;
    for (const auto name : spellings(parameter.substr(1, parameter.size() - 2))) names.emplace_back(name);
    EXPECT_EQ(std::string(trim(cells.at(2))), join(names, ", ")) << parameter;
    ++rows;
  }
  EXPECT_EQ(rows, 11u);
}

// -- broken files --

std::string error_of(const std::string& name, const std::string& bytes) {
  const test::TemporaryFolder folder;
  const auto path = folder.write(name, bytes);
  try {
    path.extension() == ".pth" ? import_pytorch(path) : import_safetensors(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), path.string());
    return error.message();
  }
  return "accepted";
}

std::string zipped(const std::string& pickle, const std::string& byteorder = "little") {
  return test::build_zip({{.name = "a/data.pkl", .data = pickle}, {.name = "a/byteorder", .data = byteorder}});
}

std::string safetensors(const std::string& header, const std::string& data = "") {
  std::string length(8, '\0');
  const auto size = header.size();
  std::memcpy(length.data(), &size, sizeof size);
  return length + header + data;
}

TEST(PytorchImport, RefusesBrokenFiles) {
  using namespace std::string_literals;
  const auto tensor = [](const std::string& name, const std::string& shape, int begin, int end, const std::string& type = "F32") {
    return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})", name, type, shape, begin, end);
  };
  const struct {
    std::string name;
    std::string bytes;
    std::string message;
  } cases[] = {
      {"nothing.pth", "", "is empty"},
      {"system.pth",
       zipped("\x80\x02"
              "cposix\nsystem\nU\x02id\x85R."),
       "would call 'posix.system'"},
      {"eval.pth",
       zipped("\x80\x02}U\x01"
              "ac__builtin__\neval\nU\x01"
              "1\x85Rs."),
       "would call '__builtin__.eval'"},
      {"long4.pth", zipped("\x80\x02\x8b\xff\xff\xff\x7f."), "has the opcode LONG4, which torch.save does not write"},
      {"underflow.pth", zipped("\x80\x02R."), "has 0 values on its stack where REDUCE wants 2"},
      {"big.pth", zipped("\x80\x02}.", "big"), "the byte order 'big', only little is supported"},
      {"empty.pth", zipped("\x80\x02}."), "holds no tensors"},
      {"torch_script.pth", test::build_zip({{.name = "a/data.pkl", .data = "\x80\x02}."}, {.name = "a/constants.pkl", .data = ""}}),
       "TorchScript"},
      {"short.safetensors", "1234", "is too short"},
      {"beyond.safetensors", "\xff\xff\0\0\0\0\0\0{}"s, "header would have 65535 bytes, the file has 10"},
      {"text.safetensors", safetensors("hello"), "is not valid JSON"},
      {"twice.safetensors", safetensors("{" + tensor("a", "[1]", 0, 4) + "," + tensor("a", "[1]", 0, 4) + "}", "0123"),
       "has the key 'a' twice"},
      {"overlap.safetensors", safetensors("{" + tensor("a", "[1]", 0, 4) + "," + tensor("b", "[1]", 2, 6) + "}", "012345"),
       "tensors leave a hole or overlap"},
      {"type.safetensors", safetensors("{" + tensor("a", "[1]", 0, 4, "F33") + "}", "0123"), "has the unknown dtype 'F33'"},
      {"overflow.safetensors", safetensors("{" + tensor("a", "[4294967296,4294967296,4]", 0, 4) + "}", "0123"), "overflows"},
      {"none.safetensors", safetensors("{}"), "holds no weights"},
      {"integers.safetensors", safetensors("{" + tensor("conv1.weight", "[1]", 0, 4, "I32") + "}", "0123"), "fits no known"},
      {"index.json", "{\"weight_map\":{\"a\":\"../b\"}}", "names '../b', which is not a plain file name"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(error_of(c.name, c.bytes), HasSubstr(c.message));
  }
}

// Shapes that no file of this size can fill, except that one of their extents is 0.
TEST(PytorchImport, RefusesImpossibleWidths) {
  const StateDict source{.tensors = {{"features.0.weight", Tensor::allocate(ElementType::f32, {std::int64_t{1} << 60, 0, 11, 11})},
                                     {"features.0.bias", Tensor::allocate(ElementType::f32, {0})},
                                     {"classifier.1.weight", Tensor::allocate(ElementType::f32, {0, std::int64_t{1} << 60})}},
                         .modules = {},
                         .format = {}};
  EXPECT_THROW(import_state_dict(source, {}, "a.pth"), Error);
}

}  // namespace
}  // namespace alexnet
