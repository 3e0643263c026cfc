// What the user is told on standard error besides the log.
#pragma once

#include <cstdint>

#include "alexnet/error.h"
#include "cli/arguments.h"

namespace alexnet::cli {

// Sets up the log as the options of every verb ask for.
void configure_log(const Arguments& arguments);

// "alexnet: WHERE: WHAT (HINT)", one line whatever the texts hold; a record of the log with --log-format json.
void report(const Error& error);

// Says how many of several pictures failed, if any, and returns the exit code for that.
int failures(std::uint64_t failed, std::uint64_t all, bool resources_ran_out);

}  // namespace alexnet::cli
