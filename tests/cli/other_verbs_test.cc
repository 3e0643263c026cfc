// features, run, inspect and show as a user and a script see them.
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "formats/npy.h"
#include "formats/npz.h"
#include "formats/safetensors.h"
#include "image/decode.h"
#include "image/preprocess.h"
#include "model/model_file.h"
#include "tasks/prepare.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;
using test::lines;

class OtherVerbs : public test::CommandTest {};

TEST_F(OtherVerbs, FeaturesWritesEveryFormWithRowsInOrder) {
  write_pictures(5);
  folder_.write("in/02.ppm", "broken");
  const std::vector<std::string> good = {"in/00.ppm", "in/01.ppm", "in/03.ppm", "in/04.ppm"};
  for (const std::string form : {"npy", "npz", "csv", "jsonl", "safetensors"}) {
    const auto result = alexnet({"features", "--layer", "fc3.relu", "--batch", "2", "-o", "x." + form, "in"});
    EXPECT_EQ(result.exit_code, 1) << form << " " << result;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, testing::EndsWith("alexnet: 1 of 5 pictures could not be used\n"));
    EXPECT_EQ(lines(result.err).size(), form == "jsonl" ? 1u : 2u) << "the broken one is named, there or in its record";
  }
  const Tensor npy = read_npy(path("x.npy"));
  EXPECT_EQ(npy.shape(), (Shape{4, 64}));
  EXPECT_EQ(content("x.npy.paths"), join(good, "\n") + "\n");
  const auto npz = read_npz(path("x.npz"));
  ASSERT_EQ(npz.size(), 1u);
  EXPECT_EQ(npz[0].name, "fc3.relu");
  EXPECT_TRUE(std::ranges::equal(npz[0].tensor.bytes(), npy.bytes()));
  EXPECT_EQ(read_npz_text(path("x.npz"), "paths"), good);
  EXPECT_TRUE(std::ranges::equal(read_safetensors(path("x.safetensors")).tensors.at(0).tensor.bytes(), npy.bytes()));

  const auto csv = lines(content("x.csv"));
  ASSERT_EQ(csv.size(), 5u);
  EXPECT_THAT(csv[0], testing::StartsWith("path,path_base64,fc3.relu.0,fc3.relu.1,"));
  const auto jsonl = lines(content("x.jsonl"));
  ASSERT_EQ(jsonl.size(), 5u);
  EXPECT_EQ(Json::parse(jsonl[2])["error"]["kind"], "unknown_format");
  for (std::size_t row = 0; row < 4; ++row) {
    const auto cells = split(csv[row + 1], ',');
    EXPECT_EQ(cells[0], good[row]);
    const Json record = Json::parse(jsonl[row < 2 ? row : row + 1]);
    EXPECT_EQ(record["path"], good[row]);
    for (std::size_t i = 0; i < 64; ++i) {
      const float value = npy.values<float>()[row * 64 + i];
      EXPECT_EQ(static_cast<float>(*parse_number(cells[i + 2])), value);
      EXPECT_EQ(record["features"]["fc3.relu"][i].get<float>(), value);
    }
  }
}

TEST_F(OtherVerbs, FeaturesOfDataAreThePreprocessedTensor) {
  write_pictures(2);
  const auto result = alexnet({"features", "--layer", "data,prob", "-o", "x.npz", "in"});
  EXPECT_EQ(result.exit_code, 0) << result;
  const auto arrays = read_npz(path("x.npz"));
  const Model model = test::tiny_model();
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor data =
        preprocess(model.preprocessing, load_picture(path(fmt::format("in/0{}.ppm", i)).string(), {}, nullptr).image);
    EXPECT_TRUE(std::ranges::equal(arrays[0].tensor.values<float>().subspan(i * 3072, 3072), data.values<float>()));
  }
}

TEST_F(OtherVerbs, FeaturesOptionsThatDoNotFitAreUsageErrors) {
  struct Case {
    std::vector<std::string> options;
    std::string error;
  };
  for (const auto& [options, error] : {
           Case{{}, "--layer: is needed (name layers as alexnet inspect lists them: --layer fc7)"},
           Case{{"--layer", "fc9"}, "--layer: the network has no layer 'fc9' (did you mean fc3?)"},
           Case{{"--layer", "fc3,"}, "--layer: the network has no layer ''"},
           Case{{"--layer", "fc3", "-o", "x.txt"},
                "--output: 'x.txt' has no suffix that names a form (allowed: .npy, .npz, .csv, .jsonl or .safetensors; or give "
                "--format)"},
           Case{{"--layer", "fc3,fc4", "-o", "x.npy"}, "--format: npy holds one layer (npz and safetensors hold several)"},
           Case{{"--layer", "fc3", "-f", "npz"},
                "--format: npz needs a file (give it with -o FILE; allowed on standard output: jsonl, csv)"},
       }) {
    std::vector<std::string> arguments{"features", "in"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, 2) << result;
    EXPECT_THAT(result.err, testing::StartsWith("alexnet: " + error));
  }
}

TEST_F(OtherVerbs, RunTakesAnArrayAndGivesOutputs) {
  Tensor batch = Tensor::zeros({2, 3, 32, 32});
  for (std::size_t i = 0; i < 6144; ++i) batch.mutable_values<float>()[i] = static_cast<float>(i % 13) / 6 - 1;
  write_npy(path("batch.npy"), batch);
  const auto described = alexnet({"run", "--input", "data=batch.npy"});
  EXPECT_EQ(described.exit_code, 0) << described;
  EXPECT_THAT(described.out, testing::StartsWith("prob  2x10\n  from "));
  EXPECT_EQ(alexnet({"run", "--input", "data=batch.npy", "--layer", "fc4,conv1", "-o", "out.npz"}).exit_code, 0);
  const auto arrays = read_npz(path("out.npz"));
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].tensor.shape(), (Shape{2, 10}));
  EXPECT_EQ(arrays[1].tensor.shape(), (Shape{2, 16, 14, 14}));
  EXPECT_EQ(alexnet({"run", "--input", "data=batch.npy", "--layer", "fc4,conv1", "-o", "-"}).out, content("out.npz"));

  struct Case {
    std::string input;
    int exit_code;
    std::string error;
  };
  for (const auto& [input, exit_code, error] : {
           Case{"batch.npy", 2, "--input: 'batch.npy' is not allowed (allowed: NAME=FILE.npy)"},
           Case{"image=batch.npy", 2, "input 'image': is not in the network (it takes data (3x32x32))"},
           Case{"data=missing.npy", 3, "missing.npy: can't be opened: No such file or directory"},
           Case{"data=" + model_, 3, model_ + ": "},
       }) {
    const auto result = alexnet({"run", "--input", input});
    EXPECT_EQ(result.exit_code, exit_code) << result;
    EXPECT_THAT(result.err, testing::StartsWith("alexnet: " + error));
  }
  EXPECT_EQ(alexnet({"run"}).err, "alexnet: run: needs tensors (give each input of the network with --input NAME=FILE.npy)\n");
}

TEST_F(OtherVerbs, InspectShowsLayersPreprocessingLabelsAndPlan) {
  ALEXNET_NEEDS_A_TERMINAL();
  const auto result = alexnet({"inspect", "--plan", "--tensors", model_});
  EXPECT_EQ(result.exit_code, 0) << result;
  for (const char* part :
       {"22,698 parameters in 90,792 bytes, 337,216 multiply-adds a picture", "labels 10: thing 0", "conv2.relu  relu", "groups=2",
        "resize shorter=36", "source: random numbers", "fc4.weight", "10x64", "plan", "threads"}) {
    EXPECT_TRUE(result.out.find(part) != std::string::npos) << part << " is missing in\n" << result.out;
  }
  EXPECT_EQ(alexnet({"inspect", "--plan", "--tensors"}).out.substr(0, 200), result.out.substr(0, 200))
      << "$ALEXNET_MODEL is the default";
  const Json json = Json::parse(alexnet({"inspect", "--json", "--plan", "--tensors"}).out);
  EXPECT_EQ(json["parameters"], 22'698);
  EXPECT_EQ(json["layers"].size(), 12u);
  EXPECT_EQ(json["layers"][0]["output_shape"], (Json{16, 14, 14}));
  EXPECT_EQ(json["labels"][3]["id"], "n00000003");
  EXPECT_EQ(json["preprocessing"][0]["step"], "resize");
  EXPECT_EQ(json["tensors"].size(), 8u);
  EXPECT_GE(json["plan"]["steps"].size(), 5u);
  const auto narrow = alexnet({"inspect", "--color=never"}, {.columns = 70});
  for (const auto& line : lines(narrow.out)) EXPECT_LE(line.size(), 71u) << line;
}

TEST_F(OtherVerbs, InspectNamesWhatIsWrongWithAFile) {
  folder_.write("text", "no model");
  folder_.write("empty", "");
  for (const std::string file : {"text", "empty", "missing", "in"}) {
    const auto result = alexnet({"inspect", file});
    EXPECT_EQ(result.exit_code, 3) << result;
    EXPECT_EQ(lines(result.err).size(), 1u);
    EXPECT_THAT(result.err, testing::StartsWith("alexnet: " + file + ": "));
  }
  const auto check = alexnet({"inspect", "--check"});
  EXPECT_EQ(check.exit_code, 3);
  EXPECT_EQ(check.err, "alexnet: " + model_ + ": the model has no golden picture to check against\n");
}

TEST_F(OtherVerbs, CheckComparesWithTheGoldenLogits) {
  Model model = test::tiny_model();
  const Decoded picture = [&] {
    write_pictures(1);
    return load_picture(path("in/00.ppm").string(), {}, nullptr);
  }();
  Tensor input = Tensor::allocate(ElementType::u8, {picture.image.height, picture.image.width, 3});
  std::ranges::copy(picture.image.pixels, input.mutable_values<std::uint8_t>().begin());
  const Json record = Json::parse(alexnet({"classify", "-f", "jsonl", "--logits", "in"}).out);
  auto logits = record["logits"].get<std::vector<float>>();
  for (const bool good : {true, false}) {
    if (!good) logits[2] += 0.01f;
    model.golden = Golden{input, Tensor::of<float>({10}, logits)};
    write_model(model, path("golden.safetensors"));
    const auto result = alexnet({"inspect", "--check", "golden.safetensors"});
    EXPECT_EQ(result.exit_code, good ? 0 : 4) << result;
    EXPECT_THAT(result.out, testing::HasSubstr(good ? "check: its logits for the golden picture agree" : "disagree"));
    EXPECT_EQ(result.err.empty(), good);
    EXPECT_EQ(Json::parse(alexnet({"inspect", "--check", "--json", "golden.safetensors"}).out)["check"]["agrees"], good);
  }
}

TEST_F(OtherVerbs, ShowDataIsWhatTheNetworkSees) {
  ALEXNET_NEEDS_A_TERMINAL();
  write_pictures(1);
  const auto result = alexnet({"show", "data", "--image", "in/00.ppm", "-o", "seen.png"});
  EXPECT_EQ(result.exit_code, 0) << result;
  const Image seen = load_picture(path("seen.png").string(), {}, nullptr).image;
  EXPECT_EQ(seen.width, 32);
  EXPECT_EQ(seen.height, 32);
  // Normalised by hand, it is the tensor that the network is given.
  const Model model = test::tiny_model();
  const Tensor data = preprocess(model.preprocessing, load_picture(path("in/00.ppm").string(), {}, nullptr).image);
  const float mean[] = {0.485f, 0.456f, 0.406f};
  const float std[] = {0.229f, 0.224f, 0.225f};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t i = 0; i < 1024; ++i) {
      const float value = static_cast<float>(seen.pixels[3 * i + channel]) / 255.0f;
      ASSERT_EQ((value - mean[channel]) / std[channel], data.values<float>()[channel * 1024 + i]);
    }
  }
  EXPECT_EQ(alexnet({"show", "data", "--image", "in/00.ppm"}).out, content("seen.png"));
  const auto terminal = alexnet({"show", "data", "--image", "in/00.ppm"}, {.columns = 80});
  EXPECT_EQ(terminal.exit_code, 2);
  EXPECT_THAT(terminal.out, testing::HasSubstr("a terminal can't show a PNG file (give a file with -o FILE.png)"));
  EXPECT_EQ(alexnet({"show"}).err,
            "alexnet: show: needs to know what to show (data, a layer, or a weight as conv1.weight; alexnet inspect lists them)\n");
  EXPECT_EQ(alexnet({"show", "conv9", "--image", "in/00.ppm"}).err,
            "alexnet: show: the network has no layer 'conv9' (did you mean conv1?)\n");
  EXPECT_EQ(alexnet({"show", "data"}).err, "alexnet: --image: is needed (the picture to show: --image FILE)\n");
  const auto missing = alexnet({"show", "data", "--image", "missing.jpg"});
  EXPECT_EQ(missing.exit_code, 1);
}

}  // namespace
}  // namespace alexnet
