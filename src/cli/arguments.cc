#include "cli/arguments.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

// cxxopts would split values at commas and match words with std::regex, which recurses once a character.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#define CXXOPTS_NO_REGEX true
#include <cxxopts.hpp>

#include "alexnet/error.h"
#include "base/text.h"
#include "cli/verb.h"

namespace alexnet::cli {
namespace {

const Option* with_letter(std::span<const Option> options, char letter) {
  const auto found = std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.letter == letter; });
  return found == options.end() ? nullptr : &*found;
}

// "-oout.json" as "-o" "out.json": cxxopts takes a value glued to a letter only when all of it is alphanumeric.
void append_unglued(std::vector<std::string>& words, const std::string& word, std::span<const Option> options) {
  if (word.size() > 2 && word[0] == '-' && word[1] != '-') {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const Option* option = with_letter(options, word[i]);
      if (option == nullptr) break;
      if (option->value == Value::none || i + 1 == word.size()) continue;
      words.push_back(word.substr(0, i + 1));
      words.push_back(word.substr(i + 1));
      return;
    }
  }
  words.push_back(word);
}

cxxopts::Options parser(std::span<const Option> options) {
  cxxopts::Options parser("alexnet");
  parser.allow_unrecognised_options();
  for (const Option& option : options) {
    const std::string names = option.letter != 0 ? fmt::format("{},{}", option.letter, option.name) : std::string(option.name);
    auto value = cxxopts::value<std::vector<std::string>>();
    if (option.value == Value::none) value->implicit_value("");
    parser.add_options()(names, "", value);
  }
  return parser;
}

bool looks_like_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

[[noreturn]] void refuse_unknown(const std::string& word, const Verb& verb, std::span<const Option> options) {
  const std::string near = suggestion(word, options);
  throw Error(ErrorKind::usage, word.substr(0, word.find('=')), fmt::format("is no option of {}", verb.name),
              near.empty() ? fmt::format("alexnet {} --help lists them", verb.name) : fmt::format("did you mean {}?", near));
}

std::string quoted_for_shell(const std::string& word) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

cxxopts::ParseResult parse(const Verb& verb, const std::vector<std::string>& words, std::span<const Option> options) {
  std::vector<const char*> argv{"alexnet"};
  for (const auto& word : words) argv.push_back(word.c_str());
  try {
    return parser(options).parse(static_cast<int>(argv.size()), argv.data());
  } catch (const cxxopts::exceptions::missing_argument&) {
    // Only the last word can miss its value.
    for (const Option& option : options) {
      const std::string& last = words.back();
      if (last == fmt::format("--{}", option.name) || (last[1] != '-' && last.back() == option.letter)) {
        throw Error(ErrorKind::usage, last, "needs a value", "allowed: " + allowed(option));
      }
    }
    throw;
  } catch (const cxxopts::exceptions::exception& error) {
    throw Error(ErrorKind::usage, std::string(verb.name), error.what());
  }
}

}  // namespace

Arguments::Arguments(const Verb& verb, std::span<const std::string> words) : verb_(&verb), options_(options_of(verb.name)) {
  command_line_ = fmt::format("alexnet {}", verb.name);
  for (const auto& word : words) command_line_ += " " + quoted_for_shell(word);
  const auto end_of_options = std::find(words.begin(), words.end(), "--");
  std::vector<std::string> before;
  std::for_each(words.begin(), end_of_options, [&](const std::string& word) { append_unglued(before, word, options_); });

  const auto parsed = parse(verb, before, options_);
  for (const auto& word : parsed.unmatched()) {
    if (looks_like_option(word)) refuse_unknown(word, verb, options_);
    operands_.push_back(word);
  }
  if (end_of_options != words.end()) operands_.insert(operands_.end(), end_of_options + 1, words.end());

  for (const Option& option : options_) {
    const std::string name(option.name);
    if (parsed.count(name) == 0) continue;
    given_[name] = parsed[name].as<std::vector<std::string>>();
    for (const auto& value : given_[name]) check_value(option, value, "--" + name);
  }
  if (has("help") || has("version")) return;
  if (verb.max_operands >= 0 && operands_.size() > static_cast<std::size_t>(verb.max_operands)) {
    throw Error(ErrorKind::usage, std::string(verb.name), fmt::format("unexpected {}", shown(operands_[verb.max_operands])),
                verb.operands.empty() ? "it takes options alone" : fmt::format("it takes {}", verb.operands));
  }
}

bool Arguments::has(std::string_view option) const {
  row(option);
  return given_.find(option) != given_.end();
}

std::string Arguments::text(std::string_view option) const {
  const Option& known = row(option);
  const auto found = given_.find(option);
  return found != given_.end() ? found->second.back() : std::string(known.fallback);
}

std::vector<std::string> Arguments::all(std::string_view option) const {
  row(option);
  const auto found = given_.find(option);
  return found != given_.end() ? found->second : std::vector<std::string>{};
}

long long Arguments::integer(std::string_view option) const {
  assert(row(option).value == Value::integer || row(option).value == Value::choice);
  return parse_integer(text(option)).value_or(0);
}

bool Arguments::knows(std::string_view option) const { return find(option) != nullptr; }

void Arguments::check(std::string_view option, std::string_view value, const std::string& where) const {
  check_value(row(option), value, where);
}

const Option* Arguments::find(std::string_view option) const {
  const auto found = std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name == option; });
  return found == options_.end() ? nullptr : &*found;
}

const Option& Arguments::row(std::string_view option) const {
  const Option* found = find(option);
  assert(found != nullptr);
  return *found;
}

std::string suggestion(std::string_view word, std::span<const Option> options) {
  std::vector<std::string> names;
  for (const Option& option : options) names.push_back(fmt::format("--{}", option.name));
  return nearest(word.substr(0, word.find('=')), names).value_or("");
}

}  // namespace alexnet::cli
