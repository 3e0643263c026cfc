#include "tasks/feature_file.h"

#include <fstream>

#include "alexnet/error.h"
#include "formats/npy.h"
#include "formats/npz.h"
#include "formats/safetensors.h"
#include "tests/support.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kPaths = {"a.jpg", "\xff not UTF-8", "caf\xc3\xa9 \xf0\x9f\x98\x80.png"};
const std::vector<TensorInfo> kLayers = {{"conv1", {2, 2}}, {"fc7.relu", {3}}};

float value(std::size_t picture, std::size_t layer, std::size_t i) { return static_cast<float>(100 * picture + 10 * layer + i); }

void fill(FeatureFile& file, std::size_t layers) {
  for (std::size_t picture = 0; picture < kPaths.size(); ++picture) {
    std::vector<std::vector<float>> rows;
    for (std::size_t layer = 0; layer < layers; ++layer) {
      rows.emplace_back();
      for (std::size_t i = 0; i < static_cast<std::size_t>(kLayers[layer].shape.elements()); ++i)
        rows.back().push_back(value(picture, layer, i));
    }
    file.append(kPaths[picture], std::vector<std::span<const float>>(rows.begin(), rows.end()));
  }
}

void expect_rows(const Tensor& tensor, std::size_t layer) {
  EXPECT_EQ(tensor.shape(), kLayers[layer].shape.with_batch(3));
  const auto values = tensor.values<float>();
  const auto width = static_cast<std::size_t>(kLayers[layer].shape.elements());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], value(i / width, layer, i % width));
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::ptrdiff_t files_in(const fs::path& folder) { return std::distance(fs::directory_iterator(folder), {}); }

TEST(FeatureFile, NpyHasTheRowsAndAListOfPathsBesideIt) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "x.npy";
  FeatureFile file(path, FeatureFormat::npy, {kLayers[0]}, '\n');
  fill(file, 1);
  EXPECT_FALSE(fs::exists(path));
  file.finish();
  expect_rows(read_npy(path), 0);
  EXPECT_EQ(content(folder.path() / "x.npy.paths"), kPaths[0] + "\n" + kPaths[1] + "\n" + kPaths[2] + "\n");
  EXPECT_EQ(files_in(folder.path()), 2);
}

TEST(FeatureFile, NpzHasEachLayerAndThePathsAsText) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "x.npz";
  FeatureFile file(path, FeatureFormat::npz, kLayers, '\n');
  fill(file, 2);
  file.finish();
  const auto arrays = read_npz(path);
  ASSERT_EQ(arrays.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(arrays[i].name, kLayers[i].name);
    expect_rows(arrays[i].tensor, i);
  }
  EXPECT_EQ(read_npz_text(path, "paths"), kPaths);
  EXPECT_EQ(files_in(folder.path()), 1) << "nothing is left beside it";
}

TEST(FeatureFile, SafetensorsHasEachLayerAndAListOfPathsBesideIt) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "x.safetensors";
  FeatureFile file(path, FeatureFormat::safetensors, kLayers, '\0');
  fill(file, 2);
  file.finish();
  for (const auto& [name, tensor] : read_safetensors(path).tensors) expect_rows(tensor, name == "conv1" ? 0 : 1);
  EXPECT_EQ(content(folder.path() / "x.safetensors.paths"), kPaths[0] + '\0' + kPaths[1] + '\0' + kPaths[2] + '\0');
  EXPECT_EQ(files_in(folder.path()), 2);
}

TEST(FeatureFile, WithoutPicturesHasNoRows) {
  for (const auto format : {FeatureFormat::npy, FeatureFormat::npz, FeatureFormat::safetensors}) {
    const test::TemporaryFolder folder;
    const auto path = folder.path() / "x";
    FeatureFile file(path, format, {kLayers[1]}, '\n');
    file.finish();
    const Tensor tensor = format == FeatureFormat::npy   ? read_npy(path)
                          : format == FeatureFormat::npz ? read_npz(path).at(0).tensor
                                                         : read_safetensors(path).tensors.at(0).tensor;
    EXPECT_EQ(tensor.shape(), (Shape{0, 3}));
  }
}

TEST(FeatureFile, LeavesNothingWhenItIsNotFinished) {
  for (const auto format : {FeatureFormat::npy, FeatureFormat::npz, FeatureFormat::safetensors}) {
    const test::TemporaryFolder folder;
    {
      FeatureFile file(folder.path() / "x", format, {kLayers[0]}, '\n');
      fill(file, 1);
    }
    EXPECT_EQ(files_in(folder.path()), 0);
  }
}

TEST(FeatureFile, NamesAPlaceThatDoesNotExist) {
  for (const auto format : {FeatureFormat::npy, FeatureFormat::npz, FeatureFormat::safetensors}) {
    try {
      FeatureFile file("/nowhere/x.npz", format, {kLayers[0]}, '\n');
      FAIL() << "created";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::output);
      EXPECT_THAT(error.what(), testing::StartsWith("/nowhere/x.npz")) << error.what();
    }
  }
}

}  // namespace
}  // namespace alexnet
