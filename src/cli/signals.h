// How a run ends early: by SIGINT, SIGTERM, or a reader that closed its end of standard output.
#pragma once

#include <atomic>

namespace alexnet::cli {

// Thrown where the process is to end quietly with this exit code.
struct Ended {
  int exit_code;
};

// SIGINT and SIGTERM set interruption() from now on; 1.8 s later, or at a second signal, the process ends in any case.
// SIGPIPE and SIGXFSZ are ignored: writes report a closed pipe, or a file too large, instead.
void catch_signals();

// The number of the signal that asked the run to end; 0 while none did.
const std::atomic<int>& interruption();

// Throws Ended when a signal asked for it.
void end_if_interrupted();

}  // namespace alexnet::cli
