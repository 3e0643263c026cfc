// convert, and every verb that takes its sources, as a user and a script see them.
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/model_text.h"
#include "formats/npy.h"
#include "formats/npz.h"
#include "model/imagenet_labels.h"
#include "model/model_file.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;
using test::lines;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string golden(const std::string& name) { return test::source_path("tests/golden/" + name).string(); }
std::string onnx(const std::string& name) { return golden("import/onnx/" + name); }
std::string caffe(const std::string& name) { return golden("import/caffe/" + name); }
std::string pytorch(const std::string& name) { return golden("formats/pytorch/" + name); }

class Convert : public test::CommandTest {
 protected:
  // Converts to x.safetensors and reads it back.
  Model converted(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "convert");
    arguments.insert(arguments.end(), {"-o", "x.safetensors"});
    fs::remove(path("x.safetensors"));
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, 0) << result;
    report_ = result.out;
    return read_model(path("x.safetensors"));
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path("")), fs::directory_iterator()));
  }

  std::string report_;
};

struct Kind {
  std::vector<std::string> sources;
  std::string npz;  // arrays of the network's input and output
  std::string input;
  std::string output;
};
const std::vector<Kind> kKinds{
    {{onnx("dynamo_dynamic.onnx")}, onnx("dynamo_dynamic.npz"), "x", "linear_1"},
    {{onnx("dynamo_external.onnx")}, onnx("dynamo_external.npz"), "x", "linear_1"},
    {{caffe("alexnet.prototxt"), caffe("alexnet.caffemodel")}, caffe("alexnet.npz"), "data", "prob"},
    {{caffe("caffenet_v1.caffemodel"), caffe("caffenet_v1.prototxt")}, caffe("caffenet_v1.npz"), "data", "fc8"},
};

TEST_F(Convert, GivesWhatTheSourceComputesAsAFileAndInMemory) {
  for (const auto& [sources, npz, input, output] : kKinds) {
    SCOPED_TRACE(sources.front());
    std::map<std::string, Tensor> arrays;
    for (const auto& [name, tensor] : read_npz(npz)) arrays[name] = widened(tensor);
    const auto wanted = arrays.at(output).values<float>();
    write_npy(path("input.npy"), arrays.at(input));
    converted(sources);
    std::vector<std::string> in_memory{"run", "--input", input + "=input.npy", "-o", "memory.npz"};
    for (const auto& source : sources) in_memory.insert(in_memory.end(), {"-m", source});
    ASSERT_EQ(alexnet({"run", "x.safetensors", "--input", input + "=input.npy", "-o", "file.npz"}).exit_code, 0);
    const auto memory = alexnet(in_memory);
    ASSERT_EQ(memory.exit_code, 0) << memory;
    EXPECT_EQ(content("memory.npz"), content("file.npz"));
    const auto found = read_npz(path("file.npz"));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].name, output);
    float largest = 0;
    for (const float value : wanted) largest = std::max(largest, std::fabs(value));
    for (std::size_t i = 0; i < wanted.size(); ++i)
      EXPECT_NEAR(found[0].tensor.values<float>()[i], wanted[i], 1e-5f * largest) << i;

    std::vector<std::string> inspect{"inspect"};
    inspect.insert(inspect.end(), sources.begin(), sources.end());
    const auto inspected = alexnet(inspect);
    EXPECT_EQ(inspected.exit_code, 0) << inspected;
    EXPECT_THAT(inspected.out, HasSubstr("output: " + output));
  }
}

TEST_F(Convert, TakesACaffeNetworkAndItsWeightsInEitherOrder) {
  converted({caffe("alexnet.prototxt"), caffe("alexnet.caffemodel")});
  const auto one = content("x.safetensors");
  converted({caffe("alexnet.caffemodel"), caffe("alexnet.prototxt")});
  EXPECT_EQ(one, content("x.safetensors"));
}

TEST_F(Convert, KnowsASourceByItsBytes) {
  for (const auto& [file, format] : std::map<std::string, std::string>{{pytorch("plain.pth"), "PyTorch (zip)"},
                                                                       {pytorch("legacy.pth"), "PyTorch (legacy)"},
                                                                       {onnx("towers.onnx"), "ONNX"},
                                                                       {model_, "model file"}}) {
    fs::copy_file(file, path("misnamed.jpg"), fs::copy_options::overwrite_existing);
    const auto result = alexnet({"convert", "misnamed.jpg", "--dry-run"});
    EXPECT_EQ(result.exit_code, 0) << result;
    EXPECT_THAT(result.out, HasSubstr(format));
  }
}

TEST_F(Convert, ReportsEachTensorAndWhatWasDone) {
  ALEXNET_NEEDS_A_TERMINAL();
  const auto result = alexnet({"convert", pytorch("plain.pth"), "--dry-run", "--color=never"}, {.columns = 80});
  EXPECT_EQ(result.exit_code, 0) << result;
  for (const auto& line : lines(result.out)) EXPECT_LE(line.size(), 81u) << line;  // with the terminal's \r
  EXPECT_THAT(result.out, HasSubstr("features.0.weight    conv1.weight  2x3x11x11  F32   f32     as it is"));
  EXPECT_THAT(result.out, HasSubstr("sha256 " + sha256(read_file(pytorch("plain.pth")))));
  EXPECT_THAT(result.out, HasSubstr("architecture: torchvision"));

  const Json json =
      Json::parse(alexnet({"convert", "--json", "--dry-run", caffe("alexnet.prototxt"), caffe("alexnet.caffemodel")}).out);
  EXPECT_EQ(json["files"].size(), 2u);
  EXPECT_EQ(json["tensors"][0]["source"], "conv1[0]");
  EXPECT_EQ(json["tensors"][0]["here"], "conv1.weight");
  EXPECT_EQ(json["tensors"][0]["shape"], (Json{6, 3, 5, 5}));
  EXPECT_EQ(json["unused"], (Json{"loss3/classifier"}));
}

TEST_F(Convert, KeepsWhereTheModelCameFrom) {
  const Model model = converted({caffe("alexnet.prototxt"), caffe("alexnet.caffemodel"), "--mean", "104,117,123"});
  const Json provenance = Json::parse(model.provenance);
  EXPECT_EQ(provenance["source"]["name"], "alexnet.prototxt");
  EXPECT_EQ(provenance["source"]["sha256"], sha256(read_file(caffe("alexnet.prototxt"))));
  EXPECT_EQ(provenance["beside"][0]["sha256"], sha256(read_file(caffe("alexnet.caffemodel"))));
  EXPECT_THAT(provenance["made_by"].get<std::string>(), StartsWith("alexnet "));
  EXPECT_EQ(provenance["choices"]["mean"], "given for each channel");
  EXPECT_THAT(model.lrn_source, HasSubstr(R"("convention":"caffe")"));
  // Data beside an ONNX file is part of the source, and the origin of a model file is kept.
  EXPECT_EQ(Json::parse(converted({onnx("dynamo_external.onnx")}).provenance)["beside"][0]["name"], "dynamo_external.onnx.data");
  fs::rename(path("x.safetensors"), path("first.safetensors"));
  const Json again = Json::parse(converted({"first.safetensors", "--weights", "f16"}).provenance);
  EXPECT_EQ(again["source"]["provenance"]["source"]["name"], "dynamo_external.onnx");
}

TEST_F(Convert, KeepsAGoldenPictureThatInspectRunsAgain) {
  const Model model = converted({pytorch("plain.pth")});
  ASSERT_TRUE(model.golden.has_value());
  const auto check = alexnet({"inspect", "--check", "x.safetensors"});
  EXPECT_EQ(check.exit_code, 0) << check;
  EXPECT_THAT(check.out, HasSubstr("agree: they differ by up to 0 where"));
  EXPECT_FALSE(converted({pytorch("plain.pth"), "--no-golden"}).golden.has_value());
  EXPECT_THAT(report_, HasSubstr("golden picture: none: none was asked for"));
  EXPECT_FALSE(converted({onnx("dynamo_dynamic.onnx")}).golden.has_value());
  EXPECT_THAT(report_, HasSubstr("golden picture: none: it is not known what is done to pictures"));
}

TEST_F(Convert, StoresWeightsAsAsked) {
  for (const std::string form : {"f32", "f16", "bf16", "int8", "int8-sparse"}) {
    const Model model = converted({pytorch("plain.pth"), "--weights", form});
    const auto storage = name(model.weights.at("fc6.weight").storage);
    EXPECT_EQ(storage, form == "int8-sparse" ? "int8" : form) << "dense weights take less room as plain int8";
    EXPECT_EQ(name(model.weights.at("fc6.bias").storage), "f32");
    EXPECT_EQ(alexnet({"inspect", "--check", "x.safetensors"}).exit_code, 0) << form;
  }
}

TEST_F(Convert, PreparesPicturesAsAsked) {
  const std::vector<std::string> net{caffe("alexnet.prototxt"), caffe("alexnet.caffemodel")};
  const auto steps = [&](std::vector<std::string> options) {
    options.insert(options.begin(), net.begin(), net.end());
    return join(cli::preprocessing_lines(converted(options).preprocessing), "; ");
  };
  EXPECT_EQ(steps({}), "");
  EXPECT_EQ(steps({"--preprocess", "caffe"}),
            "resize size=[256,256] filter=bilinear antialias=true pass_order=pillow13; center_crop size=[24,24] rounding=down; "
            "channels order=bgr; normalize mean=[104.0,117.0,123.0] std=[1.0,1.0,1.0]");
  EXPECT_EQ(steps({"--preprocess", "caffe"}), steps({"--mean", "104,117,123"}));
  write_npy(path("image.npy"), Tensor::zeros({3, 32, 40}));
  EXPECT_EQ(steps({"--mean", "image.npy"}),
            "resize size=[32,40] filter=bilinear antialias=true pass_order=pillow13; channels order=bgr; mean_image "
            "tensor=preprocess.mean; center_crop size=[24,24] rounding=down");
  EXPECT_EQ(steps({"--preprocess", "torchvision"}),
            "resize shorter=256 filter=bilinear antialias=true pass_order=pillow13; center_crop size=[24,24] rounding=half_even; "
            "divide by=255.0; normalize mean=[0.485,0.456,0.406] std=[0.229,0.224,0.225]");
  EXPECT_THAT(steps({"--preprocess", "torchvision", "--channels", "bgr"}), testing::EndsWith("; channels order=bgr"));
  EXPECT_THAT(steps({"--preprocess", "caffe", "--channels", "rgb"}), testing::EndsWith("; channels order=rgb"));
  EXPECT_THAT(steps({"--preprocess", "tensorflow", "--mean", "1,2,3"}), HasSubstr("mean=[1.0,2.0,3.0]"));
  folder_.write("steps.json", R"([{"step": "resize", "size": [24, 24]}])");
  EXPECT_EQ(steps({"--preprocess", "steps.json"}), "resize size=[24,24] filter=bilinear antialias=true pass_order=pillow13");
  write_npy(path("mean.npy"), Tensor::of<float>({3}, std::vector<float>{1, 2, 3}));
  EXPECT_THAT(steps({"--preprocess", "caffe", "--mean", "mean.npy"}), HasSubstr("mean=[1.0,2.0,3.0]"));
}

TEST_F(Convert, FoldsPreprocessingWhereAskedToAndExact) {
  write_pictures(2);
  const auto logits = [&](const std::string& model) {
    std::vector<double> all;
    const auto result = alexnet({"classify", "-m", model, "--logits", "-f", "jsonl", "in"});
    for (const auto& line : lines(result.out)) {
      const auto values = Json::parse(line).at("logits").get<std::vector<double>>();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  };
  const auto dansuh17 = golden("import/pytorch/alexnet_states_e10.pkl");
  const Model plain = converted({dansuh17});
  const auto wanted = logits("x.safetensors");
  const Model folded = converted({dansuh17, "--fold-preprocessing"});
  EXPECT_THAT(report_, HasSubstr("2x3x11x11  F32   f32     preprocessing folded in"));
  ASSERT_EQ(plain.preprocessing.steps.size(), 4u);
  EXPECT_TRUE(folded.preprocessing == (Preprocessing{{plain.preprocessing.steps[0], plain.preprocessing.steps[1]}}));
  const auto found = logits("x.safetensors");
  ASSERT_EQ(found.size(), 10u);
  ASSERT_EQ(found.size(), wanted.size());
  double largest = 0;
  for (const double value : wanted) largest = std::max(largest, std::fabs(value));
  // As for any other way to compute the same network in f32.
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 1e-5 * largest) << i;

  const auto inspected = alexnet({"inspect", "--check", "x.safetensors"});
  EXPECT_EQ(inspected.exit_code, 0) << inspected;
  EXPECT_THAT(inspected.out, HasSubstr("  notes: folded preprocessing's divide and normalize into convolution 'conv1'\n"));

  const auto padded = alexnet({"convert", pytorch("plain.pth"), "--fold-preprocessing", "-o", "padded.safetensors"});
  EXPECT_EQ(padded.exit_code, 3) << padded;
  EXPECT_EQ(padded.err,
            "alexnet: " + pytorch("plain.pth") +
                ": preprocessing: can't be folded: convolution 'conv1' pads with zeros, which mean the mean colour: the "
                "folded one would pad with black (leave out --fold-preprocessing)\n");
  EXPECT_FALSE(fs::exists(path("padded.safetensors")));
}

TEST_F(Convert, WritesNothingThatDisagreesWithAReference) {
  // Inputs and outputs as PyTorch and Caffe's formulas gave them in float64.
  for (const auto& [sources, npz, input, output] : kKinds) {
    SCOPED_TRACE(sources.front());
    auto arguments = sources;
    arguments.insert(arguments.end(), {"--verify", npz, "--weights", "int8"});
    converted(arguments);
    EXPECT_THAT(report_, HasSubstr("1 of 1 layers agree for "));
    auto arrays = read_npz(npz);
    for (auto& [name, tensor] : arrays) {
      tensor = Tensor::of<float>(tensor.shape(), widened(tensor).values<float>());
      if (name == output) tensor.mutable_values<float>()[1] += 0.01f;
    }
    write_npz(path("wrong.npz"), arrays);
    arguments = sources;
    arguments.insert(arguments.begin(), "convert");
    arguments.insert(arguments.end(), {"--verify", "wrong.npz", "-o", "wrong.safetensors"});
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, 4) << result;
    EXPECT_THAT(result.out, HasSubstr("  " + output + " disagrees: up to "));
    EXPECT_EQ(result.err,
              "alexnet: wrong.npz: the network disagrees with it: nothing was written (alexnet compare --diagnose "
              "tries what is usually the cause)\n");
    EXPECT_FALSE(fs::exists(path("wrong.safetensors")));
  }
}

TEST_F(Convert, TakesWhatACheckpointDoesNotSay) {
  const auto dansuh17 = golden("import/pytorch/alexnet_states_e10.pkl");
  EXPECT_TRUE(find(converted({dansuh17}).graph, "norm1")->layer == Layer(Lrn{.k = 2}));
  const Model paper = converted({dansuh17, "--lrn", "paper", "--flatten", "hwc", "--key", "model", "--arch", "paper"});
  EXPECT_TRUE(find(paper.graph, "norm1")->layer == Layer(Lrn{.alpha = 5e-4, .k = 2}));
  const Json choices = Json::parse(paper.provenance)["choices"];
  EXPECT_EQ(choices["flatten"], "hwc");
  EXPECT_EQ(choices["architecture"], "paper, as told");
  EXPECT_THAT(paper.lrn_source, HasSubstr(R"("convention":"paper")"));
}

TEST_F(Convert, ClassifiesWithSourcesOfAnyKind) {
  write_pictures(1);
  const auto with_net = alexnet({"classify", "-m", onnx("dynamo_dynamic.onnx"), "--preprocess", "torchvision", "in", "-k", "1"});
  EXPECT_EQ(with_net.exit_code, 0) << with_net;
  const auto without = alexnet({"classify", "-m", onnx("dynamo_dynamic.onnx"), "in"});
  EXPECT_EQ(without.exit_code, 3) << without;
  EXPECT_THAT(without.err, HasSubstr("--preprocess"));
  EXPECT_EQ(alexnet({"classify", "-m", pytorch("plain.pth"), "in"}).exit_code, 0);
  EXPECT_EQ(alexnet({"classify", "-m", caffe("alexnet.caffemodel"), "-m", caffe("alexnet.prototxt"), "--preprocess", "caffe", "in"})
                .exit_code,
            0);
}

TEST_F(Convert, ChecksLabels) {
  struct Case {
    std::string name;
    std::string text;
    std::string error;  // empty: fine
  };
  const std::string five = "a\nb\nc\nd\ne\n";
  for (const auto& [name, text, error] : {
           Case{"plain", five, ""},
           Case{"crlf", "a\r\nb\r\nc\r\nd\r\ne\r\n", ""},
           Case{"bom", "\xef\xbb\xbf" + five, ""},
           Case{"empty-end", five + "\n\n", ""},
           Case{"few", "a\nb\nc\nd\n", "labels: there are 4 for 5 classes"},
           Case{"empty-line", "a\n\nc\nd\ne\n", "empty-line: line 2 is empty"},
           Case{"twice", "a\nb\na\nd\ne\n", "twice: line 3 repeats the label 'a' of line 1"},
           Case{"latin1", "a\nb\nc\nd\n\xe9t\xe9\n", "latin1: line 5 is not UTF-8"},
           Case{"nothing", "\n", "nothing: has no labels"},
       }) {
    folder_.write(name, text);
    const auto result = alexnet({"convert", pytorch("plain.pth"), "--labels", name, "--no-golden", "-o", "y.safetensors"});
    EXPECT_EQ(result.exit_code, error.empty() ? 0 : 3) << result;
    EXPECT_EQ(fs::exists(path("y.safetensors")), error.empty());
    if (error.empty()) {
      EXPECT_EQ(read_model(path("y.safetensors")).labels.at(4).label, "e");
      fs::remove(path("y.safetensors"));
    } else {
      EXPECT_THAT(result.err, StartsWith("alexnet: " + error));
      EXPECT_EQ(lines(result.err).size(), 1u);
    }
  }
  EXPECT_THAT(alexnet({"convert", pytorch("plain.pth"), "--labels", "imagenet", "--dry-run"}).err,
              HasSubstr("there are 1000 for 5 classes"));
  EXPECT_EQ(imagenet_labels().size(), 1000u);
  EXPECT_EQ(imagenet_labels()[281].label, "tabby, tabby cat");
  EXPECT_EQ(imagenet_labels()[281].id, "n02123045");
}

TEST_F(Convert, WritesWholeFilesOrNone) {
  const auto before = files();
  const auto dry = alexnet({"convert", pytorch("plain.pth"), "--dry-run", "-o", "x.safetensors"});
  EXPECT_EQ(dry.exit_code, 0) << dry;
  EXPECT_EQ(files(), before);
  // The place is looked at before the source.
  const auto nowhere = alexnet({"convert", "missing.pth", "-o", "missing/x.safetensors"});
  EXPECT_EQ(nowhere.exit_code, 5) << nowhere;
  EXPECT_THAT(nowhere.err, StartsWith("alexnet: missing/x.safetensors: can't be created: No such file or directory"));
  EXPECT_EQ(alexnet({"convert", "missing.pth", "-o", "x.safetensors"}).exit_code, 3);
  EXPECT_EQ(files(), before);
  converted({pytorch("plain.pth")});
  const auto piped = alexnet({"convert", pytorch("plain.pth"), "-o", "-"});
  EXPECT_EQ(piped.exit_code, 0);
  EXPECT_TRUE(piped.out == content("x.safetensors"));
  EXPECT_THAT(piped.err, HasSubstr("features.0.weight"));
  // Onto itself.
  const auto itself = alexnet({"convert", "x.safetensors", "--weights", "int8", "-o", "x.safetensors"});
  EXPECT_EQ(itself.exit_code, 0) << itself;
  EXPECT_EQ(read_model(path("x.safetensors")).weights.at("fc6.weight").storage, Storage::int8);
}

TEST_F(Convert, RefusesOptionsThatDoNotFit) {
  struct Case {
    std::vector<std::string> arguments;
    std::string error;
  };
  const std::string net = onnx("dynamo_dynamic.onnx");
  const std::string weights = pytorch("plain.pth");
  for (const auto& [arguments, error] : {
           Case{{}, "convert: needs a source"},
           Case{{weights}, "--output: is needed (-o MODEL.safetensors, or --dry-run for the report alone)"},
           Case{{net, "--arch", "bvlc", "--dry-run"}, "--arch: settles what an ONNX model says itself"},
           Case{{net, "--lrn", "paper", "--dry-run"}, "--lrn: settles what an ONNX model says itself"},
           Case{{net, "--flatten", "hwc", "--dry-run"}, "--flatten: settles what an ONNX model says itself"},
           Case{{weights, "--arch", "torchvison", "--dry-run"},
                "--arch: 'torchvison' is neither a known name nor a file (did you mean torchvision?)"},
           Case{{weights, "--preprocess", "cafe", "--dry-run"},
                "--preprocess: 'cafe' is neither a known name nor a file (did you mean caffe?)"},
           Case{{net, "--mean", "1,2,3", "--dry-run"}, "--mean: needs to be told what else is done to pictures"},
           Case{{net, "--mean", "1,2", "--dry-run"}, "--mean: '1,2' is neither three numbers nor a file"},
           Case{{net, "--preprocess", "torchvision", "--mean", "1,2,3", "--dry-run"},
                "--preprocess: a mean does not fit torchvision's recipe"},
           Case{{net, "--channels", "bgr", "--dry-run"}, "--channels: needs to be told what else is done to pictures"},
           Case{{net, weights, "--dry-run"}, net + ": is an ONNX model, " + weights + " is a PyTorch checkpoint"},
           Case{{weights, "--weights", "int4", "--dry-run"}, "--weights: 'int4' is not allowed"},
       }) {
    std::vector<std::string> words{"convert"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const auto result = alexnet(words);
    EXPECT_EQ(result.exit_code, 2) << result;
    EXPECT_THAT(result.err, testing::AnyOf(StartsWith("alexnet: " + error), HasSubstr(error)));
    EXPECT_EQ(lines(result.err).size(), 1u) << result;
  }
}

}  // namespace
}  // namespace alexnet
