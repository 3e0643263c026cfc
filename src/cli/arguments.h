// One call of a verb, read and checked against the table of options.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.h"

namespace alexnet::cli {

struct Verb;

class Arguments {
 public:
  // Throws Error of kind usage naming the option, the value and what is allowed.
  Arguments(const Verb& verb, std::span<const std::string> words);

  const Verb& verb() const { return *verb_; }
  const std::vector<std::string>& operands() const { return operands_; }
  // The command as a shell reads it: "alexnet classify 'my cat.jpg'".
  const std::string& command_line() const { return command_line_; }

  // Options by their long names, which must be in the table for this verb.
  bool has(std::string_view option) const;          // given on the command line
  std::string text(std::string_view option) const;  // the last one given, else the fallback
  std::vector<std::string> all(std::string_view option) const;
  long long integer(std::string_view option) const;
  // Whether the verb has this option at all.
  bool knows(std::string_view option) const;
  // Checks a value for the option that comes from elsewhere, as an environment variable. Throws Error of kind usage.
  void check(std::string_view option, std::string_view value, const std::string& where) const;

 private:
  const Option* find(std::string_view option) const;
  const Option& row(std::string_view option) const;

  const Verb* verb_;
  std::vector<Option> options_;
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
  std::vector<std::string> operands_;
  std::string command_line_;
};

// An option of ours by the text of a word of the command line that is none: "--treads" -> "--threads". Empty if none is near.
std::string suggestion(std::string_view word, std::span<const Option> options);

}  // namespace alexnet::cli
