#include <fmt/format.h>

#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/verb.h"

namespace alexnet::cli {
namespace {

// Text for troff: a minus that can be copied, no line taken for a request.
std::string troff(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
  }
  if (!result.empty() && (result[0] == '.' || result[0] == '\'')) result.insert(0, "\\&");
  return result;
}

std::string paragraphs(std::string_view text) {
  std::string result;
  for (const auto& line : split(text, '\n')) {
    if (line.empty()) {
      result += ".PP\n";
    } else if (line[0] == ' ') {
      result += fmt::format(".RS 4\n.EX\n{}\n.EE\n.RE\n", troff(trim(line)));
    } else {
      result += troff(line) + "\n";
    }
  }
  return result;
}

std::string entry(const Option& option) {
  std::string term = option.letter == 0 ? "" : fmt::format("\\fB\\-{}\\fR, ", option.letter);
  term += fmt::format("\\fB{}\\fR", troff(fmt::format("--{}", option.name)));
  if (option.value != Value::none) term += fmt::format(" \\fI{}\\fR", troff(option.argument));
  return fmt::format(".TP\n{}\n{}\n", term, troff(explained(option)));
}

}  // namespace

int man(const Arguments&) {
  std::string text = fmt::format(".TH ALEXNET 1 \"\" \"alexnet {}\" \"User Commands\"\n", ALEXNET_VERSION);
  text += ".SH NAME\nalexnet \\- run AlexNet on photographs\n.SH SYNOPSIS\n";
  for (const Verb& verb : verbs())
    text += fmt::format(".B alexnet {}\n[\\fIOPTION\\fR]... {}\n.br\n", verb.name, troff(verb.operands));
  text += ".SH DESCRIPTION\n";
  text += paragraphs(
      "One command, one verb for each job. Results go to standard output or to a file; remarks, errors and progress go to standard "
      "error. An error is one line: what it is about, what is wrong, and in brackets what to do.");
  for (const Verb& verb : verbs()) {
    text += fmt::format(".SH \"ALEXNET {}\"\n", verb.name);
    text += paragraphs(verb.description);
    for (const Option& option : options_of(verb.name)) {
      if (option.verbs != "*") text += entry(option);
    }
  }
  text += ".SH OPTIONS OF EVERY VERB\n";
  for (const Option& option : all_options()) {
    if (option.verbs == "*") text += entry(option);
  }
  text += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExitMeanings) text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", code, troff(meaning));
  text += ".SH ENVIRONMENT\n";
  text += ".TP\n\\fBALEXNET_MODEL\\fR\n" + troff("the model to run where --model is not given") + "\n";
  text += ".TP\n\\fBALEXNET_THREADS\\fR\n" + troff("how many threads to run on where --threads is not given") + "\n";
  text += ".TP\n\\fBALEXNET_CACHE\\fR\n" +
          troff(
              "the folder that keeps weights in the form in which this processor reads them, at most 1 GB (default: "
              "$XDG_CACHE_HOME/alexnet, else ~/.cache/alexnet); off: none") +
          "\n";
  text += ".TP\n\\fBOMP_NUM_THREADS\\fR\n" + troff("lowers the number of threads where neither of the two above says it") + "\n";
  text += ".TP\n\\fBNO_COLOR\\fR\n" + troff("no colours, unless --color always asks for them") + "\n";
  Output output("-");
  output.write(text);
  output.commit();
  return 0;
}

}  // namespace alexnet::cli
