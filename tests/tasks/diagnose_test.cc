// Plants what other frameworks do otherwise (plants.h), one by one and in pairs, and has it found again. The dumps are made by the
// engine's reference layers from the planted model: here the point is to find the plant.
#include "tasks/diagnose.h"

#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "alexnet/error.h"
#include "base/text.h"
#include "formats/npz.h"
#include "image/preprocess.h"
#include "image/preprocess_presets.h"
#include "model/embedded_model.h"
#include "model/model_file.h"
#include "passes/fold_preprocessing.h"
#include "tasks/diagnosis/orientation.h"
#include "tasks/named_network.h"
#include "tasks/run.h"
#include "tests/runtime/generated.h"
#include "tests/support.h"
#include "tests/tasks/plants.h"
#include "tests/tasks/small_networks.h"

namespace alexnet {
namespace {

using Values = std::map<std::string, Tensor>;

// Waves and noise, other ones in each picture.
Image picture(int width, int height, unsigned seed) {
  Image image{.width = width, .height = height, .pixels = {}};
  std::minstd_rand random(seed);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const double wave = std::sin(x * 0.11 * (c + 1) + seed) + std::cos(y * 0.07 * (3 - c) + x * 0.02);
        image.pixels.push_back(static_cast<std::uint8_t>(100 + 40 * wave + static_cast<double>(random() % 30) + 20 * c));
      }
    }
  }
  return image;
}

// By the reference layers alone.
Values reference_values(const Model& model, const Tensor& data, const std::string& last) {
  std::map<std::string, std::vector<Tensor>> weights;
  for (const auto& parameter : parameters(model.graph))
    weights[parameter.layer].push_back(widened(model.weights.at(parameter.name)));
  Values values{{model.graph.inputs[0].name, data}};
  for (const Node& node : model.graph.nodes) {
    std::vector<Tensor> inputs;
    for (const auto& input : node.inputs) inputs.push_back(values.at(input));
    values[node.name] = reference(node.layer, inputs, weights[node.name]);
    if (node.name == last) break;
  }
  return values;
}

// By the compiled network, for what would take the reference layers minutes.
Values compiled_values(const Model& model, const Tensor& data, const std::string& last) {
  std::vector<std::string> names;
  for (const Node& node : model.graph.nodes) {
    names.push_back(node.name);
    if (node.name == last) break;
  }
  Values values{{model.graph.inputs[0].name, data}};
  for (auto& [name, tensor] : run(compile_named(model, names, CompileOptions{}), {{model.graph.inputs[0].name, data}}, nullptr))
    values[name] = tensor;
  return values;
}

struct Network {
  std::string name;
  Model model;
  Tensor data;
  // All layers up to this one; all if it is empty.
  Values (*run)(const Model&, const Tensor&, const std::string& last);
};

Network network(const std::string& name) {
  if (name == "default") {
    Model model = read_model(embedded_model(), nullptr, "embedded model");
    model.golden.reset();
    const Tensor data = preprocess(model.preprocessing, picture(300, 280, 5));
    return {name, model, data.reshaped(data.shape().with_batch(1)), compiled_values};
  }
  Model model = name == "normalised" ? test::normalised_network() : test::reduced_network(name);
  const Tensor data = test::generated_tensor(model.graph.inputs[0].shape.with_batch(2), "data", 60);
  return {name, std::move(model), data, reference_values};
}

class Diagnoses {
 public:
  explicit Diagnoses(Network network) : network_(std::move(network)) {}

  const Model& model() const { return network_.model; }
  bool is_small() const { return network_.run == reference_values; }

  // What is found when the reference is `planted`; of its layers, all are dumped, or the scores and probabilities alone.
  Diagnosis of(const Model& planted, bool all_layers) const {
    std::vector<NamedTensor> arrays;
    const std::string scores = logits_name(network_.model.graph);
    for (const auto& [name, tensor] : network_.run(planted, network_.data, "")) {
      const bool known = find(network_.model.graph, name) != nullptr || name == network_.model.graph.inputs[0].name;
      const bool wanted = all_layers || name == scores || name == "prob" || name == network_.model.graph.inputs[0].name;
      if (known && wanted) arrays.push_back({name, tensor});
    }
    return diagnosed(arrays);
  }

  Diagnosis of_preprocessing(const Preprocessing& planted, int orientation) const {
    const auto& input = network_.model.graph.inputs[0];
    std::vector<NamedTensor> arrays;
    Tensor data = Tensor::zeros(input.shape.with_batch(2));
    // Sides for which half a pixel is left over around the crop.
    const std::array<Image, 2> pictures{picture(308, 300, 1), picture(210, 277, 2)};
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      const Tensor tensor = preprocess(planted, oriented(pictures[i], orientation));
      std::ranges::copy(tensor.values<float>(),
                        data.mutable_values<float>().begin() + static_cast<std::ptrdiff_t>(i) * tensor.shape().elements());
      arrays.push_back(
          {fmt::format("images/{}", i), Tensor::of<std::uint8_t>({pictures[i].height, pictures[i].width, 3}, pictures[i].pixels)});
    }
    arrays.push_back({input.name, data});
    arrays.push_back({"conv1", network_.run(network_.model, data, "conv1").at("conv1")});
    return diagnosed(arrays);
  }

 private:
  Diagnosis diagnosed(const std::vector<NamedTensor>& arrays) const {
    const auto path = folder_.path() / "dump.npz";
    write_npz(path, arrays);
    const ReferenceDump reference(path, network_.model.graph);
    const CompareOptions options{.compile = {.threads = 1}};
    return diagnose(network_.model, reference, compare(network_.model, reference, options), options);
  }

  Network network_;
  test::TemporaryFolder folder_;
};

std::string described(const Diagnosis& diagnosis) {
  std::string text;
  for (const auto& finding : diagnosis.findings) {
    for (const auto& explanation : finding.explanations) {
      text += "  [" + join(finding.layers, " ") + "]";
      for (const auto& cause : explanation.causes)
        text += fmt::format(" {}/{} at {}", cause.suspect, cause.variant, join(cause.layers, " "));
      text += "\n";
    }
  }
  return text + "  unexplained: " + join(diagnosis.unexplained, " ");
}

// Suspects that some explanation of the finding names.
std::set<std::string> named(const Finding& finding) {
  std::set<std::string> result;
  for (const auto& explanation : finding.explanations) {
    for (const auto& cause : explanation.causes) result.insert(cause.suspect);
  }
  return result;
}

std::set<std::string> named(const Diagnosis& diagnosis) {
  std::set<std::string> result;
  for (const auto& finding : diagnosis.findings) result.merge(named(finding));
  return result;
}

// Whether every finding names the suspect, and nothing is left over.
bool found(const Diagnosis& diagnosis, const std::string& suspect) {
  return diagnosis.unexplained.empty() && !diagnosis.findings.empty() &&
         std::ranges::all_of(diagnosis.findings, [&](const auto& finding) {
           return named(finding).contains(suspect) && finding.after < finding.before;
         });
}

const std::vector<std::string> kReduced{"paper", "bvlc", "caffenet", "torchvision", "krizhevsky2012", "normalised"};

// The rows of docs/compare.md: which plants show in which network.
std::vector<std::string> documented_rows() {
  std::ifstream file(test::source_path("docs/compare.md"));
  std::vector<std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| suspect | mistake")) inside = true;
    if (!line.starts_with("|")) inside = false;
    if (inside && !line.starts_with("|---") && !line.starts_with("| suspect")) rows.push_back(line);
  }
  return rows;
}

// "yes": planted, seen and named; "no": planted, and the network computes the same; "": no place for it.
std::string outcome(const Diagnoses& diagnoses, const test::Plant& plant, bool of_layers) {
  Model planted = diagnoses.model();
  if (!plant.apply(planted)) return "";
  if (of_layers) {
    try {
      infer_shapes(planted.graph, 1);
    } catch (const Error&) {
      return "";
    }
  }
  const Diagnosis diagnosis =
      of_layers ? diagnoses.of(planted, /*all_layers=*/true) : diagnoses.of_preprocessing(planted.preprocessing, plant.orientation);
  if (diagnosis.nothing_wrong()) return "no";
  EXPECT_TRUE(found(diagnosis, plant.suspect)) << plant.what << " is not found to be " << plant.suspect << " but\n"
                                               << described(diagnosis);
  if (of_layers && diagnoses.is_small()) {
    const Diagnosis from_scores = diagnoses.of(planted, /*all_layers=*/false);
    EXPECT_TRUE(from_scores.nothing_wrong() || found(from_scores, plant.suspect))
        << plant.what << ", scores alone, is not found to be " << plant.suspect << " but\n"
        << described(from_scores);
  }
  return "yes";
}

std::map<std::string, std::vector<std::string>> outcomes(const std::vector<std::string>& networks) {
  std::map<std::string, std::vector<std::string>> result;
  for (const auto& name : networks) {
    SCOPED_TRACE(name);
    const Diagnoses diagnoses(network(name));
    for (const bool of_layers : {false, true}) {
      for (const auto& plant : of_layers ? test::layer_plants() : test::preprocessing_plants())
        result[plant.what].push_back(outcome(diagnoses, plant, of_layers));
    }
  }
  return result;
}

// The cells of a row, without blanks.
std::vector<std::string> cells(const std::string& row) {
  std::vector<std::string> result;
  for (const auto& cell : split(row.substr(1, row.size() - 2), '|')) result.emplace_back(trim(cell));
  return result;
}

// Compares these columns of the documented table; prints the rows as they should be.
void expect_documented(const std::vector<std::string>& networks, std::size_t first_column) {
  const auto real = outcomes(networks);
  std::set<std::string> seen;
  for (const auto& row : documented_rows()) {
    const auto documented = cells(row);
    seen.insert(documented[1]);
    const std::vector<std::string> columns(documented.begin() + static_cast<std::ptrdiff_t>(first_column),
                                           documented.begin() + static_cast<std::ptrdiff_t>(first_column + networks.size()));
    const auto found = real.find(documented[1]);
    EXPECT_TRUE(found != real.end() && found->second == columns) << row;
  }
  std::string table;
  for (const auto& plants : {test::preprocessing_plants(), test::layer_plants()}) {
    for (const auto& plant : plants)
      table += fmt::format("| {} | {} | {} |\n", plant.suspect, plant.what, join(real.at(plant.what), " | "));
  }
  EXPECT_EQ(seen.size(), real.size()) << "the rows should be\n" << table;
  if (testing::Test::HasFailure()) ADD_FAILURE() << table;
}

TEST(Diagnose, NamesEveryMistakeInRandomNetworks) { expect_documented(kReduced, 2); }

// Minutes: a test of its own in CMake.
TEST(Diagnose, DISABLED_NamesEveryMistakeInTheDefaultModel) { expect_documented({"default"}, 2 + kReduced.size()); }

TEST(Diagnose, HasNothingToSayOfACleanModel) {
  for (const auto& name : kReduced) {
    const Diagnoses diagnoses(network(name));
    EXPECT_TRUE(diagnoses.of(diagnoses.model(), true).nothing_wrong()) << name;
    EXPECT_TRUE(diagnoses.of_preprocessing(diagnoses.model().preprocessing, 1).nothing_wrong()) << name;
  }
}

TEST(Diagnose, NamesBothOfTwentyRandomPairs) {
  std::minstd_rand random(7);
  int pairs = 0;
  std::map<std::string, std::unique_ptr<Diagnoses>> all;
  for (const auto& name : kReduced) all[name] = std::make_unique<Diagnoses>(network(name));
  while (pairs < 20) {
    const std::string name = kReduced[random() % kReduced.size()];
    const Diagnoses& diagnoses = *all[name];
    const auto plants = test::layer_plants();
    const auto& first = plants[random() % plants.size()];
    const auto& second = plants[random() % plants.size()];
    if (first.suspect == second.suspect) continue;
    SCOPED_TRACE(name + ": " + first.what + " and " + second.what);
    // Both must apply, and show alone.
    bool good = true;
    for (const auto* plant : {&first, &second}) {
      Model planted = diagnoses.model();
      good = good && plant->apply(planted) && !diagnoses.of(planted, true).nothing_wrong();
    }
    Model planted = diagnoses.model();
    if (!good || !first.apply(planted) || !second.apply(planted)) continue;
    ++pairs;
    const Diagnosis diagnosis = diagnoses.of(planted, true);
    const auto suspects = named(diagnosis);
    EXPECT_TRUE(diagnosis.unexplained.empty() && suspects.contains(first.suspect) && suspects.contains(second.suspect))
        << described(diagnosis);
  }
}

TEST(Diagnose, NamesPairsOfPreprocessingMistakes) {
  const Diagnoses diagnoses(network("torchvision"));
  const auto plants = test::preprocessing_plants();
  int pairs = 0;
  for (std::size_t i = 0; i < plants.size(); i += 2) {
    const auto& first = plants[i];
    const auto& second = plants[(i + 5) % plants.size()];
    if (first.suspect == second.suspect) continue;
    SCOPED_TRACE(first.what + " and " + second.what);
    Model planted = diagnoses.model();
    if (!first.apply(planted) || !second.apply(planted)) continue;
    const Diagnosis diagnosis = diagnoses.of_preprocessing(planted.preprocessing, std::max(first.orientation, second.orientation));
    const auto suspects = named(diagnosis);
    EXPECT_TRUE(diagnosis.unexplained.empty() && suspects.contains(first.suspect) && suspects.contains(second.suspect))
        << described(diagnosis);
    ++pairs;
  }
  EXPECT_GE(pairs, 5);
}

// As PIL.ImageOps.exif_transpose turns them.
TEST(Diagnose, TurnsPicturesAsExifSays) {
  const std::string stored = "abcdef";  // two rows of three
  const std::vector<std::string> shown{"abcdef", "cbafed", "fedcba", "defabc", "adbecf", "daebfc", "fcebda", "cfbead"};
  Image image{.width = 3, .height = 2, .pixels = {}};
  for (const char pixel : stored) image.pixels.insert(image.pixels.end(), 3, static_cast<std::uint8_t>(pixel));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image turned = oriented(image, orientation);
    EXPECT_EQ(turned.width, orientation >= 5 ? 2 : 3);
    std::string found;
    for (std::size_t i = 0; i < turned.pixels.size(); i += 3) found += static_cast<char>(turned.pixels[i]);
    EXPECT_EQ(found, shown[static_cast<std::size_t>(orientation) - 1]) << orientation;
  }
}

// A dump made before convert --fold-preprocessing compared with the model behind it, and the other way round.
TEST(Diagnose, NamesPreprocessingThatOneOfBothHasFoldedIn) {
  for (const std::string name : {"paper", "bvlc", "caffenet"}) {
    SCOPED_TRACE(name);
    Network plain = network(name);
    Network folded = plain;
    // An input's recipe must be one that is known; what it does to this network's pictures does not matter.
    const Shape input = plain.model.graph.inputs[0].shape;
    plain.model.preprocessing = preprocess_preset(name == "paper"  ? "torchvision"
                                                  : name == "bvlc" ? "caffe"
                                                                   : "tensorflow",
                                                  {input[1], input[2]});
    folded.model = fold_preprocessing(plain.model).model;
    for (const bool all_layers : {true, false}) {
      const Diagnosis ours_folded = Diagnoses(folded).of(plain.model, all_layers);
      EXPECT_TRUE(found(ours_folded, "folded_preprocessing")) << described(ours_folded);
      const Diagnosis theirs_folded = Diagnoses(plain).of(folded.model, all_layers);
      EXPECT_TRUE(found(theirs_folded, "folded_preprocessing")) << described(theirs_folded);
    }
  }
}

TEST(Diagnose, SaysWhenItIsNoneOfThem) {
  const Diagnoses diagnoses(network("paper"));
  Model planted = diagnoses.model();
  Tensor weight = widened(planted.weights.at("conv3.weight"));
  Tensor changed = Tensor::zeros(weight.shape());
  std::ranges::transform(weight.values<float>(), changed.mutable_values<float>().begin(),
                         [](float value) { return value * 1.25f; });
  planted.weights["conv3.weight"] = Weight::of(changed);
  const Diagnosis diagnosis = diagnoses.of(planted, true);
  EXPECT_TRUE(diagnosis.findings.empty()) << described(diagnosis);
  EXPECT_EQ(diagnosis.unexplained, std::vector<std::string>{"conv3"});
}

}  // namespace
}  // namespace alexnet
