#include "cli/report.h"

#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/terminal.h"

namespace alexnet::cli {
namespace {

bool as_json = false;

LogLevel level_of(const Arguments& arguments) {
  const std::string name = arguments.text("log-level");
  if (name == "trace") return LogLevel::trace;
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "warning") return LogLevel::warning;
  if (name == "error") return LogLevel::error;
  if (name == "off") return LogLevel::off;
  if (arguments.has("quiet")) return LogLevel::error;
  return arguments.has("verbose") ? LogLevel::debug : LogLevel::info;
}

}  // namespace

void configure_log(const Arguments& arguments) {
  as_json = arguments.text("log-format") == "json";
  const Terminal terminal = terminal_of(STDERR_FILENO, arguments.text("color"));
  alexnet::configure_log(level_of(arguments), as_json ? LogFormat::json : LogFormat::text, terminal.color);
}

void report(const Error& error) {
  const std::string text = printable(error.what());
  if (as_json) {
    log(LogLevel::error, text);
    return;
  }
  const std::string line = fmt::format("alexnet: {}\n", text);
  // Nothing to do about an error here: this is where errors go.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

int failures(std::uint64_t failed, std::uint64_t all, bool resources_ran_out) {
  if (failed == 0) return kDone;
  const ErrorKind kind = resources_ran_out ? ErrorKind::resources : ErrorKind::corrupt;
  if (all > 1) report(Error(kind, "", fmt::format("{} of {} pictures could not be used", failed, all)));
  return exit_code(kind);
}

}  // namespace alexnet::cli
