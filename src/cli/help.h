// --help, made from the tables of verbs and options.
#pragma once

#include <string>

#include "cli/verb.h"

namespace alexnet::cli {

std::string overview(int columns);
std::string help(const Verb& verb, int columns);

// "alexnet classify [OPTION]... [IMAGE|DIR|@LIST|-]..."
std::string usage_line(const Verb& verb);
// The option's help with its default, as --help and the man page show it.
std::string explained(const Option& option);

}  // namespace alexnet::cli
