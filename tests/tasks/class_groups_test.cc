#include "tasks/class_groups.h"

namespace alexnet {
namespace {

using Groups = std::vector<std::vector<std::int64_t>>;

TEST(ClassGroups, PutTogetherWhatIsConfused) {
  // Two circles of classes with one mistake between them, and a class that is never mistaken.
  const std::vector<Confusion> mistakes{{0, 2, 5}, {2, 4, 5}, {4, 0, 5}, {1, 3, 4}, {3, 5, 4}, {5, 7, 4}, {7, 1, 4}, {0, 1, 1}};
  Groups found = class_groups(mistakes, 100);
  ASSERT_EQ(found.size(), 2u);
  for (auto& group : found) std::ranges::sort(group);
  EXPECT_EQ(found, (Groups{{1, 3, 5, 7}, {0, 2, 4}}));
}

TEST(ClassGroups, LeaveOutClassesWithFewMistakes) {
  const std::vector<Confusion> mistakes{{0, 1, 9}, {1, 0, 9}, {2, 3, 1}};
  EXPECT_EQ(class_groups(mistakes, 2), (Groups{{0, 1}}));
  EXPECT_EQ(class_groups({}, 10), Groups{});
  EXPECT_EQ(class_groups(mistakes, 0), Groups{});
}

TEST(ClassGroups, AreTheSameForAnyOrderOfTheMistakes) {
  std::vector<Confusion> mistakes;
  for (std::int64_t i = 0; i < 30; ++i) mistakes.push_back({i, (7 * i + 3) % 30, static_cast<std::uint64_t>(1 + i % 4)});
  const Groups expected = class_groups(mistakes, 30);
  std::ranges::reverse(mistakes);
  EXPECT_EQ(class_groups(mistakes, 30), expected);
}

}  // namespace
}  // namespace alexnet
