#include <unistd.h>

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "cli/version.h"

namespace alexnet::cli {
namespace {

int print(const std::string& text) {
  write_all(STDOUT_FILENO, text, "standard output");
  return kDone;
}

int columns() { return std::min(terminal_of(STDOUT_FILENO, "never").columns, 120); }

const Verb& verb_named(const std::string& name) {
  if (const Verb* verb = find_verb(name)) return *verb;
  std::vector<std::string> names{"help"};
  for (const Verb& verb : verbs()) names.emplace_back(verb.name);
  const auto near = nearest(name, names);
  throw Error(
      ErrorKind::usage, printable(name), "is no verb",
      near ? fmt::format("did you mean {}?", *near) : "alexnet help lists them; a picture comes after one: alexnet classify FILE");
}

int run(std::vector<std::string> words) {
  if (words.empty()) {
    write_all(STDERR_FILENO, overview(std::min(terminal_of(STDERR_FILENO, "never").columns, 120)), "standard error");
    return kUsage;
  }
  const std::string first = words.front();
  words.erase(words.begin());
  if (first == "--version") return print(version_text());
  if (first == "help" || first == "--help" || first == "-h") {
    return print(words.empty() ? overview(columns()) : help(verb_named(words.front()), columns()));
  }
  const Verb& verb = verb_named(first);
  const Arguments arguments(verb, words);
  if (arguments.has("help")) return print(help(verb, columns()));
  if (arguments.has("version")) return print(version_text());
  configure_log(arguments);
  return verb.run(arguments);
}

// The one place where what went wrong becomes an exit code.
int guarded_run(std::vector<std::string> words) {
  const auto fail = [](const Error& error) {
    report(error);
    return exit_code(error.kind());
  };
  try {
    return run(std::move(words));
  } catch (const Ended& ended) {
    return ended.exit_code;
  } catch (const Error& error) {
    return fail(error);
  } catch (const std::bad_alloc&) {
    return fail(Error(ErrorKind::resources, "", "memory ran out"));
  } catch (const std::system_error& error) {
    return fail(Error(ErrorKind::resources, "", error.what()));
  } catch (const std::exception& error) {
    return fail(Error(ErrorKind::resources, "", fmt::format("unexpected: {}", error.what()),
                      "this is a defect of alexnet; please report it"));
  }
}

}  // namespace
}  // namespace alexnet::cli

int main(int argc, char** argv) {
  alexnet::cli::open_standard_descriptors();
  alexnet::cli::catch_signals();
  return alexnet::cli::guarded_run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}
