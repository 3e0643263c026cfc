// docs/errors.md and docs/records.md say what the program does.
#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "image/decode.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

// The cells of a document's tables below this heading up to the next one, without backticks; heads and rules left out.
std::vector<std::vector<std::string>> table_below(const std::string& document, const std::string& heading) {
  std::ifstream file(test::source_path(document));
  std::vector<std::vector<std::string>> rows;
  bool inside = false;
  bool head = true;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#") || line.ends_with(":")) inside = line == heading;
    if (!inside) continue;
    if (!line.starts_with("|")) {
      head = true;
      continue;
    }
    std::vector<std::string> cells;
    for (const auto& cell : split(line.substr(1, line.size() - 2), '|')) {
      std::string text(trim(cell));
      std::erase(text, '`');
      cells.push_back(text);
    }
    if (!head && !cells[0].starts_with("-")) rows.push_back(cells);
    head = false;
  }
  return rows;
}

TEST(Documents, ListEveryKindWithItsExitCode) {
  std::map<std::string, std::string> documented;
  for (const auto& row : table_below("docs/errors.md", "## Kinds")) documented[row[0]] = row[2];
  std::map<std::string, std::string> real;
  for (int i = 0; i <= static_cast<int>(ErrorKind::resources); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    real[std::string(name(kind))] = fmt::format("{}", cli::exit_code(kind));
  }
  EXPECT_EQ(documented, real);
}

TEST(Documents, ListEveryExitCode) {
  const auto rows = table_below("docs/errors.md", "## Exit codes");
  ASSERT_EQ(rows.size(), cli::kExitMeanings.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i][0], cli::kExitMeanings[i].code);
    EXPECT_EQ(rows[i][1], cli::kExitMeanings[i].meaning);
  }
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

std::vector<std::string> documented_keys(const std::string& heading) {
  std::vector<std::string> keys;
  for (const auto& row : table_below("docs/records.md", heading)) keys.push_back(row[0]);
  return keys;
}

class DocumentedRecords : public test::CommandTest {};

TEST_F(DocumentedRecords, HaveTheDocumentedKeysInTheirOrder) {
  const std::string name = "bad \xff.ppm";
  folder_.write(name, test::noise_ppm(20, 20, 1));
  const Json good = Json::parse(alexnet({"classify", "-f", "jsonl", "--logits", name}).out);
  const Json failed = Json::parse(alexnet({"classify", "-f", "jsonl", "missing.jpg"}).out);

  auto record =
      documented_keys("`-f jsonl` gives one record a line, `-f json` one array of the same records. Keys stand in this order:");
  ASSERT_EQ(std::erase(record, "error"), 1u);
  EXPECT_EQ(keys_of(good), record);
  EXPECT_EQ(keys_of(good["top"][0]), documented_keys("An entry of `top`:"));
  EXPECT_EQ(keys_of(failed), (std::vector<std::string>{"path", "error"}));
  EXPECT_EQ(keys_of(failed["error"]), documented_keys("The `error`:"));
}

TEST_F(DocumentedRecords, EvaluateHasTheDocumentedKeysInTheirOrder) {
  folder_.write("a.ppm", test::noise_ppm(20, 20, 1));
  folder_.write("list.csv", "a.ppm,0\n");
  ASSERT_EQ(alexnet({"evaluate", "-o", "out.jsonl", "list.csv"}).exit_code, 0);
  EXPECT_EQ(keys_of(Json::parse(content("out.jsonl"))).back(), "target");
  const Json found = Json::parse(alexnet({"evaluate", "-f", "json", "--against", "out.jsonl", "list.csv"}).out);
  std::vector<std::string> documented;
  for (const auto& row : table_below("docs/evaluate.md", "`-f json` gives one object:")) {
    for (const auto& key : split(row[0], ',')) documented.emplace_back(trim(key));
  }
  EXPECT_EQ(keys_of(found), documented);
}

// docs/conventions.md shows what this command draws. Captions may differ by a digit, pixels by one, between processors.
TEST(Documents, ShowTheNormalisedPhotographAsItIs) {
  const test::TemporaryFolder folder;
  const std::string drawn = folder.path() / "drawn.png";
  const auto result = test::run({"show", "norm", "-m", test::source_path("docs/tensorflow-lrn.safetensors").string(), "--image",
                                 test::source_path("data/rocket.jpg").string(), "-o", drawn});
  ASSERT_EQ(result.exit_code, 0) << result;
  const Image found = decode(read_file(drawn), {}, drawn).image;
  const Image shown = decode(read_file(test::source_path("docs/tensorflow-lrn.png")), {}, "shown").image;
  ASSERT_EQ(found.width, shown.width);
  ASSERT_EQ(found.height, shown.height);
  std::size_t other = 0;
  for (std::size_t i = 0; i < found.pixels.size(); ++i) other += std::abs(found.pixels[i] - shown.pixels[i]) > 1;
  EXPECT_LT(other, found.pixels.size() / 500);
}

}  // namespace
}  // namespace alexnet
