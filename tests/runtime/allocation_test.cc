// A session's run() takes no memory. A program of its own, since it replaces what allocates.
#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "model/architecture.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

extern "C" void* __libc_malloc(std::size_t);
extern "C" void* __libc_memalign(std::size_t, std::size_t);

namespace {

std::atomic<bool> counting = false;
std::atomic<int> allocations = 0;

// oneDNN makes small hash maps when it executes, and GNU OpenMP a team now and then; neither is ours to change.
void count(const void* caller) {
  if (!counting.load()) return;
  Dl_info info{};
  if (::dladdr(caller, &info) != 0 && info.dli_fname != nullptr &&
      (std::strstr(info.dli_fname, "libdnnl") != nullptr || std::strstr(info.dli_fname, "libgomp") != nullptr))
    return;
  // A string of the C++ library's old binary interface, which oneDNN's package is built with and nothing of ours.
  if (info.dli_sname != nullptr && std::strcmp(info.dli_sname, "_ZNSs4_Rep9_S_createEmmRKSaIcE") == 0) return;
  ++allocations;
}

}  // namespace

extern "C" void* malloc(std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_malloc(bytes);
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}

// Not inlined: the compiler would see free() where it wants delete.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_malloc(bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace alexnet {
namespace {

struct Counted {
  Counted() { allocations = 0, counting = true; }
  ~Counted() { counting = false; }
};

TEST(Allocation, IsCounted) {
  {
    const Counted scope;
    const std::vector<int> one(100);
    const Tensor two = Tensor::zeros({100});
  }
  EXPECT_GE(allocations.load(), 2) << "the vector and the tensor";
}

class AllocationTest : public testing::TestWithParam<std::string> {};

TEST_P(AllocationTest, RunsTakeNoMemory) {
  const auto network = compile(test::generated_model(architecture(GetParam()).graph), {.threads = 2, .keep = {"conv1", "pool1"}});
  Session session(network);
  std::vector<float> source(static_cast<std::size_t>(network->inputs()[0].shape.elements()) * 3, 0.5f);
  std::vector<std::vector<float>> results;
  std::vector<std::span<float>> destinations;
  for (const auto& output : network->outputs()) results.emplace_back(static_cast<std::size_t>(output.shape.elements()) * 3);
  for (auto& result : results) destinations.emplace_back(result);
  const std::span<const float> from(source);
  {
    const Counted scope;
    session.run(3, std::span(&from, 1), destinations);
  }
  EXPECT_EQ(allocations.load(), 0);
}

INSTANTIATE_TEST_SUITE_P(Architectures, AllocationTest, testing::ValuesIn(architecture_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace alexnet
