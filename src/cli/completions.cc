#include <algorithm>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/verb.h"

namespace alexnet::cli {
namespace {

std::string names_of_verbs() {
  std::string names;
  for (const Verb& verb : verbs()) names += fmt::format("{} ", verb.name);
  return names + "help";
}

// Words that a verb takes as operands; empty where it takes files.
std::vector<std::string> operand_words(const Verb& verb) {
  if (verb.operands.find('|') == std::string_view::npos || verb.operands.find('[') != std::string_view::npos) return {};
  return split(verb.operands, '|');
}

std::string replaced(std::string_view text, std::string_view characters, std::string_view before) {
  std::string result;
  for (const char c : text) {
    if (characters.find(c) != std::string_view::npos) result += before;
    result += c;
  }
  return result;
}

// Inside single quotes of a POSIX shell.
std::string in_quotes(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string bash() {
  std::string text = fmt::format(
      "# bash completion for alexnet\n"
      "_alexnet() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W '{} --help --version' -- \"$cur\")\n"
      "    return\n"
      "  fi\n"
      "  local options='' words='' operands=''\n"
      "  case ${{COMP_WORDS[1]}} in\n",
      names_of_verbs());
  for (const Verb& verb : verbs()) {
    std::string options;
    std::string values;
    for (const Option& option : options_of(verb.name)) {
      options += fmt::format("--{} ", option.name);
      if (option.value == Value::none || option.value == Value::file) continue;
      const std::string names =
          option.letter == 0 ? fmt::format("--{}", option.name) : fmt::format("-{}|--{}", option.letter, option.name);
      // A value that can't be completed is a blank: it is not empty, and no word begins with it.
      const auto words = choices(option);
      values += fmt::format("        {}) words={} ;;\n", names, in_quotes(words.empty() ? " " : join(words, " ")));
    }
    const auto operands = operand_words(verb);
    text += fmt::format("    {})\n      options='{}' operands={}\n      case $prev in\n{}      esac\n      ;;\n", verb.name,
                        options, in_quotes(join(operands, " ")), values);
  }
  text += fmt::format(
      "    help) operands='{}' ;;\n"
      "  esac\n"
      "  if [ -n \"$words\" ]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
      "  elif [[ $cur == -* ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
      "  elif [ -n \"$operands\" ]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$operands\" -- \"$cur\")\n"
      "  else\n"
      "    compopt -o default\n"
      "  fi\n"
      "}}\n"
      "complete -F _alexnet alexnet\n",
      names_of_verbs());
  return text;
}

std::string zsh() {
  const auto described = [](std::string_view text) { return replaced(text, ":[]\\", "\\"); };
  std::string text =
      "#compdef alexnet\n"
      "_alexnet() {\n"
      "  local -a verbs=(\n";
  for (const Verb& verb : verbs())
    text += fmt::format("    {}\n", in_quotes(fmt::format("{}:{}", verb.name, described(verb.summary))));
  text +=
      "    'help:explain a verb and its options'\n"
      "  )\n"
      "  if (( CURRENT == 2 )); then\n"
      "    _describe verb verbs\n"
      "    return\n"
      "  fi\n"
      "  local verb=$words[2]\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $verb in\n";
  for (const Verb& verb : verbs()) {
    text += fmt::format("    {})\n      _arguments -s -S", verb.name);
    for (const Option& option : options_of(verb.name)) {
      const std::string long_name = fmt::format("--{}{}", option.name, option.value == Value::none ? "" : "=");
      std::string spec = fmt::format("[{}]", described(option.help));
      if (option.value != Value::none) {
        const auto words = choices(option);
        const std::string action = option.value == Value::file ? "_files"
                                   : words.empty()             ? " "
                                                               : fmt::format("({})", join(words, " "));
        spec += fmt::format(":{}:{}", described(option.argument), action);
      }
      const std::string repeat = option.name == "input" ? "*" : "";
      if (option.letter == 0) {
        text += fmt::format(" \\\n        {}", in_quotes(repeat + long_name + spec));
      } else {
        const std::string letter = fmt::format("-{}{}", option.letter, option.value == Value::none ? "" : "+");
        text += fmt::format(" \\\n        '(-{} --{})'{{{},{}}}{}", option.letter, option.name, letter, long_name, in_quotes(spec));
      }
    }
    const auto operands = operand_words(verb);
    if (!verb.operands.empty()) {
      text += fmt::format(" \\\n        '*:{}:{}'", operands.empty() ? "file" : "word",
                          operands.empty() ? "_files" : fmt::format("({})", join(operands, " ")));
    }
    text += "\n      ;;\n";
  }
  text += fmt::format("    help) _values verb {} ;;\n  esac\n}}\n_alexnet \"$@\"\n", names_of_verbs());
  return text;
}

std::string fish() {
  const auto described = [](std::string_view text) { return fmt::format("'{}'", replaced(text, "'\\", "\\")); };
  std::string text = "# fish completion for alexnet\n";
  for (const Verb& verb : verbs()) {
    text += fmt::format("complete -c alexnet -n __fish_use_subcommand -f -a {} -d {}\n", verb.name, described(verb.summary));
  }
  text += "complete -c alexnet -n __fish_use_subcommand -f -a help -d 'explain a verb and its options'\n";
  text += "complete -c alexnet -n __fish_use_subcommand -f -l version -d 'show what this build is made of'\n";
  for (const Verb& verb : verbs()) {
    const std::string condition = fmt::format("complete -c alexnet -n '__fish_seen_subcommand_from {}'", verb.name);
    for (const Option& option : options_of(verb.name)) {
      text += condition;
      if (option.letter != 0) text += fmt::format(" -s {}", option.letter);
      text += fmt::format(" -l {}", option.name);
      if (const auto words = choices(option); !words.empty()) text += fmt::format(" -x -a '{}'", join(words, " "));
      if (option.value == Value::file) text += " -r";
      if (option.value == Value::integer || option.value == Value::bytes || option.value == Value::text) text += " -x";
      text += fmt::format(" -d {}\n", described(option.help));
    }
    if (const auto operands = operand_words(verb); !operands.empty())
      text += fmt::format("{} -f -a '{}'\n", condition, join(operands, " "));
  }
  text += fmt::format("complete -c alexnet -n '__fish_seen_subcommand_from help' -f -a '{}'\n", names_of_verbs());
  return text;
}

}  // namespace

int completions(const Arguments& arguments) {
  const std::string shell = arguments.operands().empty() ? "" : arguments.operands().front();
  const auto known = operand_words(arguments.verb());
  if (std::find(known.begin(), known.end(), shell) == known.end()) {
    throw Error(ErrorKind::usage, "completions",
                shell.empty() ? "needs the name of a shell" : fmt::format("{} is no shell it knows", shown(shell)),
                "allowed: " + join(known, ", "));
  }
  Output output("-");
  output.write(shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish());
  output.commit();
  return 0;
}

}  // namespace alexnet::cli
