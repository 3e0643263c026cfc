#include "runtime/place.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "alexnet/error.h"
#include "base/checked.h"
#include "runtime/arena.h"

namespace alexnet {
namespace {

[[noreturn]] void too_large() { throw Error(ErrorKind::resources, "", "needs more bytes than can be counted"); }

// A tensor that is made and read in one segment is of the samples that this runs for; others are kept for all samples of the slice
// or of the block, through all of each segment that touches them, since its steps run again for the next samples.
std::vector<Lifetime> tensor_lifetimes(Program& program) {
  std::vector<Lifetime> lifetimes(program.storages.size());
  std::vector<std::vector<std::size_t>> segments(program.storages.size());  // that touch each
  for (std::size_t g = 0; g < program.segments.size(); ++g) {
    for (auto i = program.segments[g].begin; i < program.segments[g].end; ++i) {
      const NetworkStep& s = program.steps[i];
      const auto touch = [&](std::size_t index) {
        const auto at = program.values[index].storage;
        if (program.storages[at].input) return;
        if (segments[at].empty()) lifetimes[at].first = i;
        lifetimes[at].last = i;
        if (segments[at].empty() || segments[at].back() != g) segments[at].push_back(g);
      };
      for (const auto source : s.sources) touch(source);
      if (s.destination) touch(*s.destination);
    }
  }
  for (std::size_t at = 0; at < lifetimes.size(); ++at) {
    if (segments[at].empty()) continue;
    const auto first = segments[at].front();
    const auto last = segments[at].back();
    const bool of_block = last >= program.slice_segments;
    ValueStorage& storage = program.storages[at];
    storage.of_slice = !of_block;
    if (!program.plan.whole_batch.empty()) {
      storage.samples = INT64_MAX;
      lifetimes[at].bytes = storage.bytes;
      continue;
    }
    if (first == last) {
      storage.samples = program.segments[first].rows;
    } else {
      storage.samples = of_block ? program.plan.rows : program.plan.slice;
      lifetimes[at].first = of_block && first < program.slice_segments ? 0 : program.segments[first].begin;
      lifetimes[at].last = program.segments[last].end - 1;
    }
    const auto bytes = checked_multiply(storage.bytes, static_cast<std::uint64_t>(storage.samples));
    if (!bytes) too_large();
    lifetimes[at].bytes = *bytes;
  }
  return lifetimes;
}

// Places tensors and scratch of the slices' part of the arena or of the block's; gives the bytes that it takes.
std::uint64_t place_part(Program& program, const std::vector<Lifetime>& tensors, bool of_slice) {
  const bool sliced = program.slice_segments < program.segments.size();
  const auto slice_steps = sliced ? program.segments[program.slice_segments].begin : program.steps.size();
  std::vector<Lifetime> lifetimes;
  std::vector<std::uint64_t*> offsets;
  for (std::size_t at = 0; at < tensors.size(); ++at) {
    if (program.storages[at].of_slice != of_slice) continue;
    lifetimes.push_back(tensors[at]);
    offsets.push_back(&program.storages[at].offset);
  }
  for (std::size_t i = of_slice ? 0 : slice_steps; i < (of_slice ? slice_steps : program.steps.size()); ++i) {
    NetworkStep& step = program.steps[i];
    offsets.push_back(&step.scratch_offset);
    if (program.plan.whole_batch.empty() || step.choice.whole_batch) {
      lifetimes.push_back({step.choice.scratch_bytes, i, i});
    } else {
      lifetimes.push_back({0, i, i});
      program.shared_bytes = std::max(program.shared_bytes, (step.choice.scratch_bytes + 63) / 64 * 64);
    }
  }
  const auto arena = plan_arena(lifetimes);
  if (!arena) too_large();
  for (std::size_t i = 0; i < offsets.size(); ++i) *offsets[i] = arena->offsets[i];
  return arena->bytes;
}

// A slice that gives each thread a sample or more keeps them all busy; beyond that, threads gain by slices of their own.
int slices_at_once(const Program& program) {
  const bool needs_all = std::ranges::any_of(program.steps, [](const NetworkStep& s) { return !s.rows && s.choice.all_threads; });
  const bool more_than_needed = program.plan.threads > program.plan.slice && program.slice_segments > 0;
  return more_than_needed && !needs_all ? std::min(program.plan.threads, static_cast<int>(program.plan.rows)) : 1;
}

}  // namespace

void place(Program& program, std::uint64_t max_memory) {
  const std::vector<Lifetime> tensors = tensor_lifetimes(program);
  program.block_bytes = place_part(program, tensors, /*of_slice=*/false);
  program.slice_bytes = place_part(program, tensors, /*of_slice=*/true);
  Plan& plan = program.plan;
  const auto arena = [&](std::uint64_t slices) -> std::optional<std::uint64_t> {
    const auto all_slices = checked_multiply(program.slice_bytes, slices);
    const auto parts = all_slices ? checked_add(program.block_bytes, *all_slices) : std::nullopt;
    return parts ? checked_add(*parts, program.shared_bytes) : std::nullopt;
  };
  plan.slices_at_once = slices_at_once(program);
  auto bytes = arena(static_cast<std::uint64_t>(plan.slices_at_once));
  if (!bytes || *bytes > max_memory || max_memory - *bytes < plan.created_bytes) {
    plan.slices_at_once = 1;
    bytes = arena(1);
  }
  if (!bytes) too_large();
  plan.arena_bytes = *bytes;
  for (NetworkStep& step : program.steps) {
    if (step.destination) {
      const auto at = program.values[*step.destination].storage;
      const ValueStorage& storage = program.storages[at];
      step.plan.arena_offset = storage.offset + (storage.of_slice ? program.block_bytes : 0);
      step.plan.arena_bytes = tensors[at].bytes;
    }
    plan.steps.push_back(step.plan);
  }
}

}  // namespace alexnet
