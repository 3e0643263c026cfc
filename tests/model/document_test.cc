// docs/model-file.md against the program: tables of keys and defaults, and the examples.
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "model/model_file.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::HasSubstr;

std::string contents(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string document() { return contents(test::source_path("docs/model-file.md")); }

// What stands between two lines.
std::string part(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find("\n" + begin + "\n");
  EXPECT_NE(from, std::string::npos) << begin;
  return text.substr(from, text.find("\n" + end, from + 1) - from);
}

// Key to default, by the heading that the table stands under: {"convolution": {"bias": "true"}}.
using Tables = std::map<std::string, std::map<std::string, std::string>>;

Tables tables(const std::string& text) {
  Tables result;
  std::string heading;
  for (const auto& line : split(text, '\n')) {
    if (line.starts_with("#### `")) {
      heading = line.substr(6, line.size() - 7);
      result[heading];
    } else if (line.starts_with("| `")) {
      const auto cells = split(line, '|');
      const std::string key(trim(cells.at(1)));
      const std::string value(trim(cells.at(2)));
      result[heading][key.substr(1, key.size() - 2)] = value.starts_with('`') ? value.substr(1, value.size() - 2) : "";
    }
  }
  return result;
}

template <typename Kind>
void expect_default(const Kind& fresh, const std::string& key, const std::string& documented) {
  if constexpr (std::is_constructible_v<Layer, Kind>) {
    // A layer that has the documented default for this key is the default one.
    const Json json{{"kind", Kind::kKind}, {key, Json::parse(documented)}};
    EXPECT_EQ(layer_from_json(json, {}), Layer(fresh)) << Kind::kKind << ' ' << key;
  } else {
    // Steps are written with all their keys.
    const Json json = to_json(Preprocessing{{fresh}});
    EXPECT_EQ(json[0].value(key, Json()), documented.empty() ? Json() : Json::parse(documented)) << Kind::kKind << ' ' << key;
  }
}

template <typename Variant, std::size_t Index = 0>
void expect_documented(const Tables& tables) {
  if constexpr (Index < std::variant_size_v<Variant>) {
    const std::variant_alternative_t<Index, Variant> fresh{};
    const std::string kind(fresh.kKind);
    ASSERT_TRUE(tables.contains(kind)) << kind << " is not documented";
    auto documented = tables.at(kind);
    fresh.fields(fresh, [&](std::string_view key, const auto&) {
      const auto found = documented.extract(std::string(key));
      ASSERT_FALSE(found.empty()) << kind << " has a key " << key;
      expect_default(fresh, std::string(key), found.mapped());
    });
    for (const auto& [key, value] : documented) ADD_FAILURE() << kind << " has no key " << key;
    expect_documented<Variant, Index + 1>(tables);
  } else {
    EXPECT_EQ(tables.size(), Index) << "more kinds are documented than there are";
  }
}

TEST(ModelFileDocument, ListsEveryLayerKindWithItsKeysAndDefaults) {
  expect_documented<Layer>(tables(part(document(), "### Layer kinds", "## ")));
}

TEST(ModelFileDocument, ListsEveryStepWithItsKeysAndDefaults) {
  expect_documented<Step>(tables(part(document(), "### Steps", "## ")));
}

TEST(ModelFileDocument, NamesTheTensorsOfEveryKind) {
  const Shape shape{1, 6, 8, 8};
  const std::string text = document();
  for (const Layer& layer :
       {Layer{BatchNorm{}}, Layer{BatchStatisticsNorm{}}, Layer{Convolution{.out_channels = 4, .kernel = {3, 3}}},
        Layer{FilterResponseNorm{.learned_epsilon = true}}, Layer{GroupNorm{}}, Layer{InstanceNorm{}}, Layer{LayerNorm{}},
        Layer{Linear{.out_features = 4}}, Layer{MovingAverageBatchNorm{}}, Layer{ScaleShift{}}, Layer{SwitchableNorm{}}}) {
    const Shape flat{1, 6};
    const bool linear = std::holds_alternative<Linear>(layer);
    for (const auto& parameter : parameters(layer, std::span(linear ? &flat : &shape, 1))) {
      const std::string of_kind = part(text, fmt::format("#### `{}`", kind(layer)), "#### ");
      EXPECT_THAT(of_kind.substr(of_kind.find("Tensors:")), HasSubstr(fmt::format("`{}` [", parameter.name))) << kind(layer);
    }
  }
}

std::string hex_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02X}", byte);
  return text;
}

// The hexadecimal bytes of a line of the document, up to a longer gap.
std::string hex_after(const std::string& text, const std::string& beginning, const std::string& end) {
  const auto from = text.find(beginning) + beginning.size();
  std::string hex;
  for (const char c : text.substr(from, text.find(end, from) - from)) {
    if (c != ' ') hex += c;
  }
  return hex;
}

TEST(ModelFileDocument, ShowsSparseBytesAsTheyAre) {
  std::vector<float> values(20, 0.0f);
  values[0] = 127;
  values[3] = -1;
  values[9] = 5;
  values[18] = -254;
  const Weight weight = stored(Tensor::of<float>({2, 10}, values), Storage::int8_sparse);
  const std::string text = document();
  EXPECT_EQ(hex_after(text, "\nfc.weight.mask ", "      "), hex_of(weight.mask.bytes()));
  EXPECT_EQ(hex_after(text, "\nfc.weight.values ", "      "), hex_of(weight.data.bytes()));
  EXPECT_EQ(hex_after(text, "\nfc.weight.scale ", "      "), hex_of(weight.scale.bytes()));
}

TEST(ModelFileDocument, ShowsAWholeFileAsItIsWritten) {
  const std::vector<float> weights{2, -1};
  const std::vector<float> bias{0.5};
  Model model;
  model.graph = {.inputs = {{"data", {2}}}, .nodes = {{"fc", Linear{.out_features = 1}, {"data"}}}, .outputs = {"fc"}};
  model.weights["fc.weight"] = Weight::of(Tensor::of<float>({1, 2}, weights));
  model.weights["fc.bias"] = Weight::of(Tensor::of<float>({1}, bias));
  const test::TemporaryFolder folder;
  write_model(model, folder.path() / "m");
  const std::string file = contents(folder.path() / "m");
  std::uint64_t size = 0;
  std::memcpy(&size, file.data(), 8);
  EXPECT_EQ((8 + size) % 64, 0u);
  const std::string text = part(document(), "## A whole file", "## ");
  EXPECT_THAT(text, HasSubstr("\n" + std::string(trim(file.substr(8, size))) + "\n"));
  EXPECT_EQ(hex_after(text, "then the data:\n```\n", "\n"), hex_of(std::as_bytes(std::span(file).subspan(8 + size))));
}

}  // namespace
}  // namespace alexnet
