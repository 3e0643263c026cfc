// The one table of options. Parsing, --help, the man page and the completions are made from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alexnet::cli {

// What an option takes, and how the text given is checked.
enum class Value {
  none,     // a switch
  integer,  // from minimum to maximum
  choice,   // one of the words of `argument`, separated by |
  bytes,    // an integer, optionally with K, M, G or T (powers of 1024)
  file,
  text,
};

struct Option {
  std::string_view name;
  char letter = 0;
  Value value = Value::none;
  std::string_view argument = {};  // how help calls the value
  std::string_view fallback = {};  // the value without the option; empty: help says what happens
  long long minimum = 0;
  long long maximum = 0;
  std::string_view help;
  std::string_view verbs;  // names separated by blanks; "*": every verb
};

// In the order in which help shows them.
std::vector<Option> options_of(std::string_view verb);
std::span<const Option> all_options();

// "an integer from 1 to 1024", "text, json, jsonl or csv".
std::string allowed(const Option& option);
// "--top N", "-k, --top N".
std::string spelled(const Option& option, bool with_letter);
std::vector<std::string> choices(const Option& option);

// Throws Error of kind usage that names `where` (an option or environment variable), the text and what is allowed.
void check_value(const Option& option, std::string_view text, const std::string& where);

// A checked value of kind bytes or integer.
unsigned long long byte_count(std::string_view text);

}  // namespace alexnet::cli
