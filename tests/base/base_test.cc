// The small pieces of base/: errors, checked arithmetic, hashes, the log, the thread budget, free memory.
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "alexnet/error.h"
#include "base/checked.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/threads.h"

namespace alexnet {
namespace {

TEST(Error, ReadsAsOneLine) {
  EXPECT_STREQ(Error(ErrorKind::model, "net.st", "has no graph", "run convert").what(), "net.st: has no graph (run convert)");
  EXPECT_STREQ(Error(ErrorKind::model, "", "has no graph").what(), "has no graph");
  EXPECT_EQ(name(Error(ErrorKind::too_large, "", "").kind()), "too_large");
}

TEST(Checked, GivesNothingInsteadOfAWrappedResult) {
  EXPECT_EQ(checked_add<std::int64_t>(INT64_MAX - 1, 1), INT64_MAX);
  EXPECT_EQ(checked_add<std::int64_t>(INT64_MAX, 1), std::nullopt);
  EXPECT_EQ(checked_multiply<std::uint64_t>(UINT32_MAX, UINT32_MAX), std::uint64_t{UINT32_MAX} * UINT32_MAX);
  EXPECT_EQ(checked_multiply<std::uint64_t>(UINT64_MAX, 2), std::nullopt);
}

TEST(Sha256, MatchesFips180) {
  const auto digest = [](std::string_view text) { return sha256(std::as_bytes(std::span(text))); };
  EXPECT_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Log, IsQuietUntilConfigured) {
  testing::internal::CaptureStderr();
  log(LogLevel::error, "nobody asked");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_FALSE(log_enabled(LogLevel::error));

  configure_log(LogLevel::warning, LogFormat::json, false);
  testing::internal::CaptureStderr();
  log(LogLevel::info, "too quiet");
  log(LogLevel::warning, "a \"quoted\" {word}");
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_THAT(line, testing::HasSubstr(R"("level":"warning","message":"a \"quoted\" {word}"})"));
  EXPECT_THAT(line, testing::Not(testing::HasSubstr("too quiet")));
  configure_log(LogLevel::off, LogFormat::text, false);
}

TEST(ThreadBudget, OmpNumThreadsLowersButNeverRaisesIt) {
  ::unsetenv("OMP_NUM_THREADS");
  const int allowed = thread_budget().threads;
  ASSERT_GE(allowed, 1);
  struct Case {
    const char* value;
    int threads;
  };
  for (const auto& c : {Case{"1", 1}, Case{"1,4", 1}, Case{"100000", allowed}, Case{"0", allowed}, Case{"-3", allowed},
                        Case{"abc", allowed}, Case{"", allowed}}) {
    ::setenv("OMP_NUM_THREADS", c.value, 1);
    EXPECT_EQ(thread_budget().threads, c.threads) << c.value;
  }
  ::unsetenv("OMP_NUM_THREADS");
}

TEST(FreeMemory, FollowsTheAddressSpaceLimit) {
  const std::uint64_t before = free_memory();
  EXPECT_GT(before, 0u);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &old), 0);
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  constexpr std::uint64_t kLeft = 1u << 30;
  const rlimit lower{pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + kLeft, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &lower), 0);
  const std::uint64_t after = free_memory();
  ::setrlimit(RLIMIT_AS, &old);
  EXPECT_LE(after, kLeft);
  EXPECT_GT(after, kLeft / 2) << "up to what the test itself took meanwhile";
}

TEST(ThreadBudget, FollowsAffinity) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  const ThreadBudget budget = thread_budget();
  ::sched_setaffinity(0, sizeof before, &before);
  EXPECT_EQ(budget.threads, 1);
  EXPECT_EQ(budget.reason, "1 processor allowed by affinity");
}

}  // namespace
}  // namespace alexnet
