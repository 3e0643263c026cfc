// A verb is one job of the command. Adding one takes a file with its function, a row in the table of verbs.cc, and rows in
// the table of options.cc for what it alone knows (and its name in those rows that it shares). Parsing, --help, the man page,
// completions, error lines and exit codes follow from the tables.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/arguments.h"

namespace alexnet::cli {

struct Verb {
  std::string_view name;
  std::string_view operands;     // as the usage line shows them, "[IMAGE|DIR|@LIST|-]..."; empty: there are none
  int max_operands;              // -1: any number
  std::string_view summary;      // one line without a full stop
  std::string_view description;  // paragraphs, separated by empty lines
  // Does the job and returns the exit code. Results go to an Output (output.h), everything else to the log; what can't be
  // done is thrown as alexnet::Error, which main() prints and turns into an exit code.
  int (*run)(const Arguments& arguments);
};

std::span<const Verb> verbs();
const Verb* find_verb(std::string_view name);

}  // namespace alexnet::cli
