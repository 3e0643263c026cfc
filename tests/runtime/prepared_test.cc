// Weights that were prepared by one process and are used by another.
#include "runtime/prepared.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <thread>
#include <tuple>

#include "base/file.h"
#include "model/architecture.h"
#include "runtime/instruction_set.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"
#include "tests/support.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kElements = 1000;

Tensor numbers(float first) {
  Tensor result = Tensor::zeros({kElements});
  for (float& value : result.mutable_values<float>()) value = first++;
  return result;
}

bool same_bytes(const Tensor& a, const Tensor& b) { return std::ranges::equal(a.bytes(), b.bytes()); }

std::vector<fs::path> files(const fs::path& folder) {
  const fs::directory_iterator all(folder);
  return {fs::begin(all), fs::end(all)};
}

// What a new process would get, and whether it had to make it.
struct Got {
  Tensor tensor;
  bool made = false;
  PreparedCounts counts;
};
Got get(const fs::path& folder, std::string_view key = "key", float first = 1, std::uint64_t limit = WeightStore::kLimit) {
  Got got;
  WeightStore prepared(folder, limit);
  got.tensor = prepared.get(Fingerprint().add(key), ElementType::f32, {kElements}, [&] {
    got.made = true;
    return numbers(first);
  });
  got.counts = prepared.counts();
  return got;
}

TEST(Prepared, IsMadeOnceAndThenMapped) {
  const test::TemporaryFolder folder;
  const auto below = folder.path() / "new" / "folder";
  EXPECT_TRUE(get(below).made);
  const auto again = get(below);
  EXPECT_FALSE(again.made);
  EXPECT_EQ(again.counts.mapped, 1U);
  EXPECT_EQ(again.counts.kept, 0U);
  EXPECT_TRUE(again.counts.problems.empty());
  EXPECT_TRUE(same_bytes(again.tensor, numbers(1)));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(again.tensor.bytes().data()) % Tensor::kAlignment, 0U);
  EXPECT_TRUE(get(below, "another key", 2).made);
  EXPECT_TRUE(same_bytes(get(below, "another key", 3).tensor, numbers(2)));
}

TEST(Prepared, DamageIsNoticedAndMended) {
  const auto overwrite = [](const fs::path& path, std::streamoff at, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
  };
  const struct {
    const char* name;
    std::function<void(const fs::path&)> damage;
  } cases[] = {
      {"empty", [](const fs::path& path) { fs::resize_file(path, 0); }},
      {"the header alone", [](const fs::path& path) { fs::resize_file(path, 64); }},
      {"cut by a byte", [](const fs::path& path) { fs::resize_file(path, fs::file_size(path) - 1); }},
      {"longer", [](const fs::path& path) { fs::resize_file(path, fs::file_size(path) + 1); }},
      {"a hole of zeros", [&](const fs::path& path) { overwrite(path, 1024, std::string(512, '\0')); }},
      {"the first byte", [&](const fs::path& path) { overwrite(path, 0, "x"); }},
      {"the key", [&](const fs::path& path) { overwrite(path, 16, "x"); }},
      {"the fingerprint of what follows", [&](const fs::path& path) { overwrite(path, 40, "x"); }},
      {"the size", [&](const fs::path& path) { overwrite(path, 55, "x"); }},
      {"the first number", [&](const fs::path& path) { overwrite(path, 64, "x"); }},
      {"the last byte", [&](const fs::path& path) { overwrite(path, 64 + 4 * kElements - 1, "x"); }},
      {"another key's file",
       [](const fs::path& path) {
         get(path.parent_path(), "other", 7);
         for (const auto& file : files(path.parent_path()))
           if (file != path) fs::rename(file, path);
       }},
      {"a folder",
       [](const fs::path& path) {
         fs::remove(path);
         fs::create_directory(path);
       }},
      {"a link",
       [](const fs::path& path) {
         fs::rename(path, path.parent_path() / "elsewhere");
         fs::create_symlink("elsewhere", path);
       }},
      {"writable by others", [](const fs::path& path) { ::chmod(path.c_str(), 0666); }},
  };
  for (const auto& [name, damage] : cases) {
    SCOPED_TRACE(name);
    const test::TemporaryFolder folder;
    get(folder.path());
    damage(files(folder.path()).front());
    const auto after = get(folder.path());
    EXPECT_TRUE(after.made);
    EXPECT_TRUE(same_bytes(after.tensor, numbers(1)));
    if (std::string_view(name) == "a folder") continue;  // which is not removed
    EXPECT_FALSE(get(folder.path()).made) << "is whole again";
  }
}

TEST(Prepared, EveryBitOfTheContentCounts) {
  Tensor tensor = numbers(1);
  const auto value = [&] { return Fingerprint().add(tensor.bytes()).value(); };
  const auto before = value();
  for (std::size_t i = 0; i < tensor.byte_count(); i += 7) {
    for (int bit = 0; bit < 8; ++bit) {
      const auto flip = [&](std::size_t at) { tensor.mutable_bytes()[at] ^= std::byte{1} << bit; };
      flip(i);
      EXPECT_NE(value(), before) << "byte " << i << ", bit " << bit;
      const auto other = (i + 64) % tensor.byte_count();
      flip(other);
      EXPECT_NE(value(), before) << "bytes " << i << " and " << other << ", bit " << bit;
      flip(other);
      flip(i);
    }
  }
  EXPECT_EQ(value(), before);
}

TEST(Prepared, AFolderThatCanNotBeUsedChangesNothing) {
  const test::TemporaryFolder folder;
  const auto shared = folder.path() / "shared";
  fs::create_directory(shared);
  ::chmod(shared.c_str(), 0777);
  for (const auto& path : {folder.write("file", "x"), folder.path() / "file" / "below", shared, fs::path("/proc/nowhere")}) {
    const auto got = get(path);
    EXPECT_TRUE(got.made) << path;
    EXPECT_EQ(got.counts.kept, 0U) << path;
    EXPECT_EQ(got.counts.problems.size(), 1U) << path;
    EXPECT_TRUE(same_bytes(got.tensor, numbers(1))) << path;
  }
  EXPECT_TRUE(files(shared).empty());
}

TEST(Prepared, TheOldestGoWhereThereIsNoRoom) {
  const test::TemporaryFolder folder;
  constexpr std::uint64_t kFile = 64 + 4 * kElements;
  for (const char* key : {"a", "b", "c"}) {
    const auto before = files(folder.path());
    get(folder.path(), key, 1, 2 * kFile);
    for (const auto& file : files(folder.path()))  // seconds apart
      fs::last_write_time(file, fs::last_write_time(file) - std::chrono::seconds(10));
  }
  EXPECT_EQ(files(folder.path()).size(), 2U);
  EXPECT_FALSE(get(folder.path(), "c").made);
  EXPECT_FALSE(get(folder.path(), "b").made);
  EXPECT_TRUE(get(folder.path(), "a").made);
  const auto too_large = get(folder.path(), "more than fits", 1, kFile - 1).counts;
  EXPECT_EQ(too_large.problems.size(), 0U);
  EXPECT_EQ(too_large.kept, 0U);
  EXPECT_EQ(files(folder.path()).size(), 3U);
}

TEST(Prepared, ManyAtOnceGetTheSame) {
  const test::TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        EXPECT_TRUE(same_bytes(get(folder.path()).tensor, numbers(1)));
        if (round % 5 != 4) continue;
        for (const auto& file : files(folder.path())) fs::remove(file);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

// What a network of this model gives, and what it took from the folder.
struct Answer {
  Tensor output;
  Plan plan;
};
Answer answer(const Model& model, const CompileOptions& options) {
  const auto network = compile(model, options);
  Session session(network);
  return {test::run(session, *network, {test::generated_tensor({2, 3, 227, 227}, "data", 1)}).front(), network->plan()};
}

Model small_model() {
  Model model = test::generated_model(test::narrow(architecture("bvlc").graph));
  test::add_ranges(model, test::generated_tensor({1, 3, 227, 227}, "data", 1));
  return model;
}

constexpr std::uint64_t kConvolutions = 5;  // each has a tensor

TEST(PreparedNetwork, GivesTheBitsOfAFreshOne) {
  const Model model = small_model();
  const CompileOptions cases[] = {{.threads = 2},
                                  {.threads = 2, .winograd = false},
                                  {.threads = 2, .precision = Precision::bf16, .emulate_bf16 = true},
                                  {.threads = 2, .precision = Precision::int8}};
  for (CompileOptions options : cases) {
    const test::TemporaryFolder folder;
    const auto fresh = answer(model, options);
    EXPECT_EQ(fresh.plan.prepared.kept + fresh.plan.prepared.mapped, 0U) << "nothing is written unasked";
    options.prepared = folder.path();
    const auto first = answer(model, options);
    const auto second = answer(model, options);
    EXPECT_EQ(first.plan.prepared.kept, kConvolutions);
    EXPECT_EQ(second.plan.prepared.mapped, kConvolutions);
    EXPECT_EQ(second.plan.prepared.kept, 0U);
    EXPECT_TRUE(same_bytes(fresh.output, first.output));
    EXPECT_TRUE(same_bytes(fresh.output, second.output));
  }
}

TEST(PreparedNetwork, KeepsTheIndicesOfPrunedWeights) {
  if (instruction_set().simd == SimdLevel::avx512_vbmi) GTEST_SKIP() << "int8 needs none where an instruction expands masks";
  Model model = small_model();
  Weight& weight = model.weights.at("fc6.weight");
  Tensor pruned = Tensor::zeros(weight.shape);
  const auto from = weight.data.values<float>();
  for (std::size_t i = 0; i < from.size(); i += 11) pruned.mutable_values<float>()[i] = from[i];
  weight = stored(pruned, Storage::int8_sparse);
  struct Case {
    Precision precision;
    std::int64_t rows;
    std::uint64_t indices;
  };
  // int8 has one form for few rows, and another one for many.
  for (const auto& [precision, rows, indices] :
       {Case{Precision::f32, 1, 1}, Case{Precision::f32, kMostRows, 1}, Case{Precision::int8, 1, 1}, Case{Precision::int8, 3, 1},
        Case{Precision::int8, 4, 2}, Case{Precision::int8, kMostRows, 2}}) {
    const test::TemporaryFolder folder;
    const auto fresh = answer(model, {.threads = 2, .precision = precision});
    const CompileOptions options{.threads = 2, .precision = precision, .rows = rows, .prepared = folder.path()};
    EXPECT_EQ(answer(model, options).plan.prepared.kept, kConvolutions + indices) << rows << " rows";
    const auto second = answer(model, options);
    EXPECT_EQ(second.plan.prepared.mapped, kConvolutions + indices) << rows << " rows";
    EXPECT_TRUE(same_bytes(fresh.output, second.output)) << rows << " rows";
  }
}

TEST(PreparedNetwork, TakesNothingThatWasMadeOtherwise) {
  const test::TemporaryFolder folder;
  const Model model = small_model();
  const auto first = answer(model, {.threads = 2, .prepared = folder.path()}).plan;
  ASSERT_EQ(first.prepared.kept, kConvolutions);
  const auto like_first = [&](const Plan& plan) {
    std::uint64_t count = 0;
    for (const PlanStep& step : plan.steps) {
      if (step.kind != "convolution") continue;
      const PlanStep& before = *test::step_of(first, step.layers.front());
      const auto form = [](const PlanStep& of) { return std::tie(of.implementation, of.source_layout, of.destination_layout); };
      count += form(step) == form(before) ? 1 : 0;
    }
    return count;
  };
  const CompileOptions others[] = {{.threads = 2, .winograd = false, .prepared = folder.path()},
                                   {.threads = 2, .precision = Precision::int8, .prepared = folder.path()}};
  for (const CompileOptions& other : others) {
    const auto plan = answer(model, other).plan;
    EXPECT_LT(plan.prepared.mapped, kConvolutions);
    EXPECT_EQ(plan.prepared.mapped, like_first(plan));
  }
  Model changed = model;
  Weight& weight = changed.weights.at("conv3.weight");
  weight.data = Tensor::of<float>(weight.shape, weight.data.values<float>());
  weight.data.mutable_values<float>().back() += 1;
  EXPECT_EQ(answer(changed, {.threads = 2, .prepared = folder.path()}).plan.prepared.mapped, kConvolutions - 1)
      << "all but conv3's";
}

}  // namespace
}  // namespace alexnet
