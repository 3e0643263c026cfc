#include "runtime/place.h"

#include <algorithm>
#include <cstdint>
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
    if (!program.plan.whole_batch.empty()) {
      storage.samples = INT64_MAX;
      lifetimes[at].bytes = storage.bytes;
      continue;
    }
    if (first == last) {
      storage.samples = program.segments[first].rows;
    } else {
      storage.samples = of_block ? kRows : program.plan.slice;
      lifetimes[at].first = of_block && first < program.slice_segments ? 0 : program.segments[first].begin;
      lifetimes[at].last = program.segments[last].end - 1;
    }
    const auto bytes = checked_multiply(storage.bytes, static_cast<std::uint64_t>(storage.samples));
    if (!bytes) too_large();
    lifetimes[at].bytes = *bytes;
  }
  return lifetimes;
}

}  // namespace

void place(Program& program) {
  std::vector<Lifetime> lifetimes = tensor_lifetimes(program);
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Choice& choice = program.steps[i].choice;
    const bool shared = !program.plan.whole_batch.empty() && !choice.whole_batch;
    if (shared) program.shared_bytes = std::max(program.shared_bytes, (choice.scratch_bytes + 63) / 64 * 64);
    lifetimes.push_back({shared ? 0 : choice.scratch_bytes, i, i});
  }
  const auto arena = plan_arena(lifetimes);
  const auto bytes = arena ? checked_add(arena->bytes, program.shared_bytes) : std::nullopt;
  if (!bytes) too_large();
  program.plan.arena_bytes = *bytes;
  for (std::size_t at = 0; at < program.storages.size(); ++at) program.storages[at].offset = arena->offsets[at];
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    NetworkStep& s = program.steps[i];
    s.scratch_offset = arena->offsets[program.storages.size() + i];
    if (s.destination) {
      const auto at = program.values[*s.destination].storage;
      s.plan.arena_offset = arena->offsets[at];
      s.plan.arena_bytes = lifetimes[at].bytes;
    }
    program.plan.steps.push_back(s.plan);
  }
}

}  // namespace alexnet
