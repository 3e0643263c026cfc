#include "formats/pytorch.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/npz.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::ElementsAre;

std::filesystem::path golden(const std::string& name) { return test::source_path("tests/golden/formats/pytorch") / name; }

std::vector<std::string> keys_of(const PytorchCheckpoint& checkpoint) {
  std::vector<std::string> keys;
  for (const auto& entry : checkpoint.entries) keys.push_back(entry.key);
  return keys;
}

const PytorchEntry& entry_of(const PytorchCheckpoint& checkpoint, const std::string& key) {
  const auto found = std::ranges::find(checkpoint.entries, key, &PytorchEntry::key);
  if (found == checkpoint.entries.end()) throw std::runtime_error("no entry " + key);
  return *found;
}

// NumPy has no bfloat16: the expected arrays hold its bits.
ElementType in_numpy(ElementType type) { return type == ElementType::bf16 ? ElementType::u16 : type; }

void expect_tensors(const std::vector<NamedTensor>& tensors, const std::string& expected, const std::string& prefix = "") {
  const auto wanted = read_npz(golden("expected/" + expected + ".npz"));
  ASSERT_EQ(tensors.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    SCOPED_TRACE(wanted[i].name);
    EXPECT_EQ(tensors[i].name, prefix + wanted[i].name);
    EXPECT_EQ(tensors[i].tensor.shape(), wanted[i].tensor.shape());
    EXPECT_EQ(in_numpy(tensors[i].tensor.type()), wanted[i].tensor.type());
    EXPECT_TRUE(std::ranges::equal(tensors[i].tensor.bytes(), wanted[i].tensor.bytes())) << "other bits";
  }
}

TEST(Pytorch, ReadsWhatPyTorchSaves) {
  const struct {
    std::string file;
    std::string container;
    std::string key;
    std::string expected;
    std::string prefix = "";
  } cases[] = {
      {"plain.pth", "zip", "", "plain"},
      {"legacy.pth", "legacy", "", "plain"},
      {"protocol4.pth", "zip", "", "plain"},
      {"protocol5.pth", "zip", "", "plain"},
      {"legacy_protocol4.pth", "legacy", "", "plain"},
      {"legacy_protocol5.pth", "legacy", "", "plain"},
      {"few_no_crc.pth", "zip", "", "few"},
      {"few.pth", "zip", "", "few"},
      {"few_legacy.pth", "legacy", "", "few"},
      {"few_aligned.pth", "zip", "", "few"},
      {"wrapped_state_dict.pth", "zip", "state_dict", "trained"},
      {"wrapped_state_dict_legacy.pth", "legacy", "state_dict", "trained"},
      {"dansuh17_states_e10.pkl", "zip", "model", "trained"},
      {"wrapped_model_state_dict.pth", "zip", "model_state_dict", "trained"},
      {"two_candidates.pth", "zip", "model", "trained"},
      {"two_candidates.pth", "zip", "model_ema", "doubled"},
      {"nested_ema.pth", "zip", "ema.module", "trained"},
      {"lightning.pth", "zip", "state_dict", "trained", "model."},
      {"data_parallel.pth", "zip", "", "trained", "module."},
      {"compiled.pth", "zip", "", "trained", "_orig_mod."},
      {"tuple_of_dicts.pth", "zip", "0", "trained"},
      {"parameters.pth", "zip", "", "trained"},
      {"module.pth", "zip", "", "module"},
      {"module_legacy.pth", "legacy", "", "module"},
      {"module_wrapped.pth", "zip", "model", "module"},
      {"batch_norm.pth", "zip", "", "module"},
      {"tower.pth", "zip", "", "tower"},
      {"weight_norm_old.pth", "zip", "", "weight_norm_old"},
      {"weight_norm_new.pth", "zip", "", "weight_norm_new"},
      {"types.pth", "zip", "", "types"},
      {"types_legacy.pth", "legacy", "", "types_legacy"},
      {"views.pth", "zip", "", "views"},
      {"views_legacy.pth", "legacy", "", "views"},
      {"tensor.pth", "zip", "", "tensor"},
      {"special.pth", "zip", "", "special"},
      {"others.pth", "zip", "", "others"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file + " " + c.key);
    const auto checkpoint = read_pytorch(golden(c.file));
    EXPECT_EQ(checkpoint.file.container, c.container);
    expect_tensors(tensors_of(checkpoint, entry_of(checkpoint, c.key)), c.expected, c.prefix);
  }
}

// The weights are the same: the same seed gave them.
TEST(Pytorch, ReadsWhatPyTorch1_13Saves) {
  const struct {
    std::string file;
    std::string key;
    std::string expected;
    std::string prefix = "";
  } cases[] = {
      {"plain.pth", "", "plain"},
      {"legacy.pth", "", "plain"},
      {"protocol4.pth", "", "plain"},
      {"few.pth", "", "few"},
      {"few_legacy.pth", "", "few"},
      {"dansuh17_states_e10.pkl", "model", "trained"},
      {"lightning.pth", "state_dict", "trained", "model."},
      {"batch_norm.pth", "", "module"},
      {"module.pth", "", "module"},
      {"module_legacy.pth", "", "module"},
      {"tower.pth", "", "tower"},
      {"weight_norm_old.pth", "", "weight_norm_old"},
      {"types.pth", "", "types_legacy"},
      {"views.pth", "", "views"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file + " " + c.key);
    const auto checkpoint = read_pytorch(golden("../pytorch-1.13/" + c.file));
    expect_tensors(tensors_of(checkpoint, entry_of(checkpoint, c.key)), c.expected, c.prefix);
  }
}

TEST(Pytorch, NumbersTheTensorsOfAList) {
  const auto checkpoint = read_pytorch(golden("list.pth"));
  const auto tensors = tensors_of(checkpoint, checkpoint.entries.at(0));
  const auto wanted = read_npz(golden("expected/trained.npz"));
  ASSERT_EQ(tensors.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(tensors[i].name, std::to_string(i));
    EXPECT_TRUE(std::ranges::equal(tensors[i].tensor.bytes(), wanted[i].tensor.bytes())) << i;
  }
}

TEST(Pytorch, FindsTheEntriesThatMayBeWeights) {
  const struct {
    std::string file;
    std::vector<std::string> keys;
  } cases[] = {
      {"plain.pth", {""}},
      {"wrapped_state_dict.pth", {"state_dict"}},
      {"dansuh17_states_e10.pkl", {"model"}},
      {"wrapped_model_state_dict.pth", {"", "model_state_dict"}},
      {"two_candidates.pth", {"model", "model_ema"}},
      {"nested_ema.pth", {"ema.module"}},
      {"lightning.pth",
       {"state_dict", "callbacks.ModelCheckpoint{'monitor': None}", "callbacks.ModelCheckpoint{'monitor': None}.kth"}},
      {"list.pth", {""}},
      {"tuple_of_dicts.pth", {"0"}},
      {"module.pth", {""}},
      {"module_wrapped.pth", {"model"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file);
    EXPECT_EQ(keys_of(read_pytorch(golden(c.file))), c.keys);
  }
}

TEST(Pytorch, LooksIntoTheFileInsteadOfCopying) {
  const auto checkpoint = read_pytorch(golden("plain.pth"));
  const auto file = checkpoint.file.bytes;
  for (const auto& named : tensors_of(checkpoint, checkpoint.entries.at(0))) {
    const auto* data = named.tensor.bytes().data();
    EXPECT_TRUE(data >= file.data() && data < file.data() + file.size()) << named.name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0u) << named.name;
  }
}

TEST(Pytorch, KeepsTheFileMappedForItsTensors) {
  std::vector<NamedTensor> tensors;
  {
    const auto checkpoint = read_pytorch(golden("plain.pth"));
    tensors = tensors_of(checkpoint, checkpoint.entries.at(0));
  }
  expect_tensors(tensors, "plain");
}

TEST(Pytorch, KnowsTheLayersOfAPickledModule) {
  for (const std::string file : {"module.pth", "module_legacy.pth"}) {
    SCOPED_TRACE(file);
    const auto checkpoint = read_pytorch(golden(file));
    const auto modules = modules_of(checkpoint, checkpoint.entries.at(0));
    std::vector<std::string> lines;
    for (const auto& module : modules)
      lines.push_back(fmt::format("{}:{}", module.name, module.type.substr(module.type.rfind('.') + 1)));
    EXPECT_THAT(lines, ElementsAre(":Net", "features:Sequential", "features.0:Conv2d", "features.1:BatchNorm2d", "features.2:ReLU",
                                   "features.3:MaxPool2d", "features.4:Conv2d", "features.5:ReLU", "features.6:MaxPool2d",
                                   "features.7:Conv2d", "features.8:ReLU", "features.9:Conv2d", "features.10:ReLU",
                                   "features.11:Conv2d", "features.12:ReLU", "features.13:MaxPool2d", "avgpool:AdaptiveAvgPool2d",
                                   "classifier:Sequential", "classifier.0:Dropout", "classifier.1:Linear", "classifier.2:ReLU",
                                   "classifier.3:Dropout", "classifier.4:Linear", "classifier.5:ReLU", "classifier.6:Linear"));
    EXPECT_EQ(modules[2].type, "torch.nn.modules.conv.Conv2d");
    EXPECT_EQ(modules[2].attributes.at("training"), PytorchAttribute(false));
    EXPECT_EQ(modules[4].attributes.at("inplace"), PytorchAttribute(true));
    EXPECT_EQ(modules[5].attributes.at("kernel_size"), PytorchAttribute(std::int64_t{3}));
    EXPECT_EQ(modules[16].attributes.at("output_size"), PytorchAttribute(std::vector<std::int64_t>{6, 6}));
    EXPECT_EQ(modules[18].attributes.at("p"), PytorchAttribute(0.5));
  }
  const auto checkpoint = read_pytorch(golden("tower.pth"));
  const auto modules = modules_of(checkpoint, checkpoint.entries.at(0));
  ASSERT_EQ(modules.size(), 3u);
  EXPECT_EQ(modules[1].attributes.at("kernel_size"), PytorchAttribute(std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(modules[1].attributes.at("padding_mode"), PytorchAttribute("zeros"));
  EXPECT_EQ(modules[1].attributes.at("groups"), PytorchAttribute(std::int64_t{2}));
  EXPECT_EQ(modules[2].type, "torch.nn.modules.normalization.LocalResponseNorm");
  EXPECT_EQ(modules[2].attributes.at("alpha"), PytorchAttribute(2e-4));
  const auto plain = read_pytorch(golden("plain.pth"));
  EXPECT_TRUE(modules_of(plain, plain.entries.at(0)).empty());
}

}  // namespace
}  // namespace alexnet
