#include "runtime/place.h"

#include <vector>

#include "alexnet/error.h"
#include "base/checked.h"
#include "runtime/arena.h"

namespace alexnet {
namespace {

[[noreturn]] void too_large() { throw Error(ErrorKind::resources, "", "needs more bytes than can be counted"); }

}  // namespace

void place(Program& program) {
  std::vector<Lifetime> lifetimes(program.storages.size());
  std::vector<bool> seen(lifetimes.size());
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const NetworkStep& s = program.steps[i];
    const auto touch = [&](std::size_t index) {
      const auto at = program.values[index].storage;
      ValueStorage& storage = program.storages[at];
      if (storage.input) return;
      lifetimes[at].last = i;
      if (!seen[at]) lifetimes[at].first = i;
      seen[at] = true;
      if (!s.rows) return;
      storage.many = true;
      if (!program.values[index].rows) lifetimes[at].first = 0;
    };
    for (const auto source : s.sources) touch(source);
    if (s.destination) touch(*s.destination);
  }
  for (std::size_t at = 0; at < lifetimes.size(); ++at) {
    if (!seen[at]) continue;
    const auto bytes = checked_multiply<std::uint64_t>(program.storages[at].bytes, program.storages[at].many ? kRows : 1);
    if (!bytes) too_large();
    lifetimes[at].bytes = *bytes;
  }
  for (std::size_t i = 0; i < program.steps.size(); ++i) lifetimes.push_back({program.steps[i].choice.scratch_bytes, i, i});
  const auto arena = plan_arena(lifetimes);
  if (!arena) too_large();
  program.plan.arena_bytes = arena->bytes;
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
