// What the process ends with, and what it means: the one table that main(), the man page and docs/errors.md follow.
#pragma once

#include <array>
#include <string_view>

#include "alexnet/error.h"

namespace alexnet::cli {

enum ExitCode { kDone = 0, kSomeFailed = 1, kUsage = 2, kModel = 3, kDisagreement = 4, kSurroundings = 5 };

struct ExitMeaning {
  std::string_view code;
  std::string_view meaning;
};

inline constexpr auto kExitMeanings = std::to_array<ExitMeaning>({
    {"0", "all done"},
    {"1", "some inputs failed; every other result was written"},
    {"2", "the command line is wrong"},
    {"3", "the model, reference or checkpoint can't be used"},
    {"4", "a comparison or check ran and did not agree"},
    {"5", "output can't be written, or memory or descriptors ran out"},
    {"128+n", "ended by signal n; 141 when the reader of standard output has gone"},
});

constexpr int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return kUsage;
    case ErrorKind::not_found:
    case ErrorKind::unreadable:
    case ErrorKind::empty:
    case ErrorKind::unknown_format:
    case ErrorKind::unsupported:
    case ErrorKind::truncated:
    case ErrorKind::corrupt:
    case ErrorKind::too_large: return kSomeFailed;
    case ErrorKind::model: return kModel;
    case ErrorKind::disagreement: return kDisagreement;
    case ErrorKind::output:
    case ErrorKind::resources: return kSurroundings;
  }
  return kSurroundings;
}

}  // namespace alexnet::cli
