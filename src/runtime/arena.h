// One buffer for everything that a run writes: tensors and scratch share bytes when they do not live at the same time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace alexnet {

// Something that must keep its bytes from step `first` to step `last`, both included.
struct Lifetime {
  std::uint64_t bytes = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};

struct ArenaPlan {
  std::vector<std::uint64_t> offsets;  // one for each lifetime, multiples of 64
  std::uint64_t bytes = 0;
};

// Places the largest first, each at the lowest offset where it overlaps nothing that lives while it does. Nothing if the bytes
// can't be counted.
std::optional<ArenaPlan> plan_arena(std::span<const Lifetime> lifetimes);

}  // namespace alexnet
