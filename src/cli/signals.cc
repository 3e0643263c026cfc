#include "cli/signals.h"

#include <sys/time.h>
#include <unistd.h>

#include <csignal>

namespace alexnet::cli {
namespace {

std::atomic<int> caught = 0;
static_assert(std::atomic<int>::is_always_lock_free);

constexpr int exit_code(int signal) { return 128 + signal; }

void on_signal(int signal) {
  int none = 0;
  if (!caught.compare_exchange_strong(none, signal)) ::_exit(exit_code(signal));
  // A run that waits for a stalled reader, or inside one long step, must end within 2 s all the same.
  const itimerval deadline{.it_interval = {}, .it_value = {.tv_sec = 1, .tv_usec = 800'000}};
  ::setitimer(ITIMER_REAL, &deadline, nullptr);
}

void on_deadline(int) { ::_exit(exit_code(caught)); }

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void catch_signals() {
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  handle(SIGALRM, on_deadline);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
}

const std::atomic<int>& interruption() { return caught; }

void end_if_interrupted() {
  if (caught != 0) throw Ended{exit_code(caught)};
}

}  // namespace alexnet::cli
