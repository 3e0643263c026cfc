#include "runtime/arena.h"

#include <random>

namespace alexnet {
namespace {

bool overlap(std::uint64_t a, std::uint64_t a_bytes, std::uint64_t b, std::uint64_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

TEST(Arena, SharesBytesOfWhatNeverLivesTogether) {
  const std::vector<Lifetime> chain{{640, 0, 1}, {640, 1, 2}, {640, 2, 3}, {640, 3, 4}};
  EXPECT_EQ(plan_arena(chain)->bytes, 1280u);
  const std::vector<Lifetime> apart{{640, 0, 0}, {320, 1, 1}, {64, 2, 2}};
  EXPECT_EQ(plan_arena(apart)->bytes, 640u);
}

TEST(Arena, FillsGaps) {
  // The small one fits between those that live with it.
  const std::vector<Lifetime> lifetimes{{1024, 0, 1}, {512, 0, 0}, {256, 0, 3}, {64, 1, 1}};
  const auto plan = plan_arena(lifetimes);
  EXPECT_EQ(plan->bytes, 1024u + 512u + 256u);
  EXPECT_EQ(plan->offsets[3], 1024u);
}

TEST(Arena, AlignsToCacheLines) {
  const auto plan = plan_arena(std::vector<Lifetime>{{1, 0, 0}, {65, 0, 0}, {7, 0, 0}});
  for (const auto offset : plan->offsets) EXPECT_EQ(offset % 64, 0u);
  EXPECT_EQ(plan->bytes, 64u + 128u + 64u);
}

TEST(Arena, RefusesWhatCannotBeCounted) {
  EXPECT_FALSE(plan_arena(std::vector<Lifetime>{{UINT64_MAX - 5, 0, 0}}));
  EXPECT_FALSE(plan_arena(std::vector<Lifetime>{{UINT64_MAX / 2, 0, 0}, {UINT64_MAX / 2, 0, 0}, {640, 0, 0}}));
}

TEST(Arena, NothingOverlapsWhatLivesWithIt) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random); };
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> lifetimes;
    for (std::size_t i = 0; i < 30; ++i) {
      const auto first = below(20);
      lifetimes.push_back({below(5000), first, first + below(6)});
    }
    const auto plan = plan_arena(lifetimes);
    for (std::size_t i = 0; i < lifetimes.size(); ++i) {
      EXPECT_LE(plan->offsets[i] + lifetimes[i].bytes, plan->bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = lifetimes[i].first <= lifetimes[j].last && lifetimes[j].first <= lifetimes[i].last;
        if (!together) continue;
        EXPECT_FALSE(overlap(plan->offsets[i], lifetimes[i].bytes, plan->offsets[j], lifetimes[j].bytes))
            << "round " << round << ": " << i << " and " << j;
      }
    }
  }
}

}  // namespace
}  // namespace alexnet
