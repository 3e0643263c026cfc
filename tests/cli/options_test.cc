// What the command says about options: errors, help, completions, the manual page.
#include "cli/options.h"

#include <cstdlib>
#include <fstream>
#include <set>

#include "base/text.h"
#include "cli/verb.h"
#include "tests/cli/command.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using test::run;

// Instead of HasSubstr, which prints the whole text.
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Options, TableIsConsistent) {
  for (const auto& verb : cli::verbs()) {
    std::set<std::string> names;
    std::set<char> letters;
    for (const auto& option : cli::options_of(verb.name)) {
      EXPECT_TRUE(names.emplace(option.name).second) << verb.name << " has two options --" << option.name;
      EXPECT_TRUE(option.letter == 0 || letters.insert(option.letter).second) << verb.name << " has two options -" << option.letter;
      if (!option.fallback.empty()) {
        EXPECT_NO_THROW(cli::check_value(option, option.fallback, "default")) << option.name;
      }
      EXPECT_FALSE(option.help.empty());
    }
  }
  for (const auto& option : cli::all_options()) {
    if (option.verbs == "*") continue;
    for (const auto& verb : split(option.verbs, ' '))
      EXPECT_NE(cli::find_verb(verb), nullptr) << "--" << option.name << " of " << verb;
  }
}

TEST(Options, UsageErrorsNameTheOptionTheValueAndWhatIsAllowed) {
  struct Case {
    std::vector<std::string> arguments;
    std::string error;
  };
  for (const auto& [arguments, error] : {
           Case{{"clasify", "x.jpg"}, "alexnet: clasify: is no verb (did you mean classify?)"},
           Case{{"x.jpg"},
                "alexnet: x.jpg: is no verb (alexnet help lists them; a picture comes after one: alexnet classify FILE)"},
           Case{{"man", "--colour", "never"}, "alexnet: --colour: is no option of man (did you mean --color?)"},
           Case{{"man", "--colour=never"}, "alexnet: --colour: is no option of man (did you mean --color?)"},
           Case{{"man", "-z"}, "alexnet: -z: is no option of man (alexnet man --help lists them)"},
           Case{{"man", "-qz"}, "alexnet: -z: is no option of man (alexnet man --help lists them)"},
           Case{{"man", "---"}, "alexnet: ---: is no option of man (alexnet man --help lists them)"},
           Case{{"man", "--x"}, "alexnet: --x: is no option of man (alexnet man --help lists them)"},
           Case{{"man", "--color", "pink"}, "alexnet: --color: 'pink' is not allowed (allowed: auto, always or never)"},
           Case{{"man", "--color="}, "alexnet: --color: '' is not allowed (allowed: auto, always or never)"},
           Case{{"man", "--color", "a\nb"}, "alexnet: --color: 'a\\x0ab' is not allowed (allowed: auto, always or never)"},
           Case{{"man", "--color"}, "alexnet: --color: needs a value (allowed: auto, always or never)"},
           Case{{"man", "--quiet=yes"}, "alexnet: --quiet: 'yes' is not allowed (allowed: no value)"},
           Case{{"man", "word"}, "alexnet: man: unexpected 'word' (it takes options alone)"},
           Case{{"man", "--", "-q"}, "alexnet: man: unexpected '-q' (it takes options alone)"},
           Case{{"completions"}, "alexnet: completions: needs the name of a shell (allowed: bash, zsh, fish)"},
           Case{{"completions", "bash", "zsh"}, "alexnet: completions: unexpected 'zsh' (it takes bash|zsh|fish)"},
           Case{{"completions", "tcsh"}, "alexnet: completions: 'tcsh' is no shell it knows (allowed: bash, zsh, fish)"},
           Case{{"help", "clasify"}, "alexnet: clasify: is no verb (did you mean classify?)"},
       }) {
    const auto result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << join(arguments, " ") << "\n" << result;
    EXPECT_EQ(result.out, "") << join(arguments, " ");
    EXPECT_EQ(result.err, error + "\n") << join(arguments, " ");
  }
}

TEST(Options, AWordOfAHundredThousandCharactersIsJustAWrongOne) {
  const auto result = run({"man", "--" + std::string(100'000, 'a') + "=" + std::string(20'000, 'b')});
  EXPECT_EQ(result.exit_code, 2) << result;
  EXPECT_EQ(test::lines(result.err).size(), 1u);
}

TEST(Options, HelpIsASuccessOnStandardOutput) {
  const auto overview = run({"help"});
  EXPECT_EQ(overview.exit_code, 0) << overview;
  EXPECT_EQ(overview.err, "");
  EXPECT_EQ(run({"--help"}).out, overview.out);
  EXPECT_EQ(run({"-h"}).out, overview.out);
  const auto alone = run({});
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_EQ(alone.out, "");
  EXPECT_EQ(alone.err, overview.out) << "the same, but it was no call for help";
  for (const auto& verb : cli::verbs()) {
    const std::string name(verb.name);
    EXPECT_TRUE(contains(overview.out, "  " + name + " ")) << name;
    const auto help = run({name, "--help"});
    EXPECT_EQ(help.exit_code, 0) << help;
    EXPECT_EQ(help.out, run({"help", name}).out);
    EXPECT_EQ(help.out, run({name, "-h"}).out);
    for (const auto& option : cli::options_of(name))
      EXPECT_TRUE(contains(help.out, fmt::format("--{}", option.name))) << option.name;
    for (const auto& line : test::lines(help.out)) EXPECT_LE(line.size(), 80u) << name << ": " << line;
  }
}

TEST(Options, HelpFitsANarrowTerminal) {
  ALEXNET_NEEDS_A_TERMINAL();
  const auto help = run({"man", "--help"}, {.columns = 40});
  ASSERT_EQ(help.exit_code, 0) << help;
  for (const auto& line : test::lines(help.out)) {
    const bool can_be_broken = line.find("  --") == std::string::npos;  // an option with its choices can't
    if (can_be_broken) {
      EXPECT_LE(line.size(), 41u) << line;  // with the terminal's carriage return
    }
  }
}

TEST(Options, VersionComesFromAnywhere) {
  const auto version = run({"--version"});
  EXPECT_EQ(version.exit_code, 0) << version;
  EXPECT_THAT(version.out, testing::MatchesRegex("alexnet [0-9.]+ \\([A-Za-z]+\\)\n"
                                                 "oneDNN 3\\.[0-9.]+, instruction set (SSE|AVX).*\n"
                                                 "JPEG decoder (libjpeg-turbo [0-9.]+|stb_image)\n"
                                                 "embedded model: .*\n"));
  const auto plain = run({"--version"}, {.environment = {{"ONEDNN_MAX_CPU_ISA", "SSE41"}}});
  EXPECT_THAT(plain.out, testing::HasSubstr("instruction set SSE")) << "the one in use, not the one there is";
  EXPECT_EQ(run({"man", "--version"}).out, version.out);
}

TEST(Completions, KnowEveryVerbAndOption) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const auto script = run({"completions", shell});
    EXPECT_EQ(script.exit_code, 0) << script;
    for (const auto& verb : cli::verbs()) {
      EXPECT_TRUE(contains(script.out, std::string(verb.name))) << shell << " " << verb.name;
      for (const auto& option : cli::options_of(verb.name)) {
        EXPECT_TRUE(contains(script.out, (shell == "fish" ? "-l " : "--") + std::string(option.name)))
            << shell << " " << option.name;
      }
    }
  }
}

// What bash would offer for these words.
std::string completed(const std::string& words) {
  test::TemporaryFolder folder;
  const auto script = folder.write("alexnet.bash", run({"completions", "bash"}).out);
  const std::string command = fmt::format(
      "bash --norc -c 'source {}; COMP_WORDS=({}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _alexnet 2>/dev/null; echo "
      "\"${{COMPREPLY[*]}}\"' > {}",
      script.string(), words, (folder.path() / "out").string());
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::ifstream file(folder.path() / "out");
  std::string line;
  std::getline(file, line);
  return line;
}

TEST(Completions, BashOffersVerbsOptionsAndValues) {
  EXPECT_EQ(completed("alexnet compl"), "completions");
  EXPECT_EQ(completed("alexnet man --col"), "--color");
  EXPECT_EQ(completed("alexnet man --color a"), "auto always");
  EXPECT_EQ(completed("alexnet completions \"\""), "bash zsh fish");
  EXPECT_EQ(completed("alexnet help ma"), "man");
}

TEST(Man, IsWellFormedAndComplete) {
  const auto page = run({"man"});
  EXPECT_EQ(page.exit_code, 0) << page;
  EXPECT_THAT(page.out, testing::StartsWith(".TH ALEXNET 1"));
  for (const auto& line : test::lines(page.out)) {
    if (line.starts_with('.')) {
      EXPECT_THAT(line, testing::MatchesRegex("\\.(TH|SH|PP|TP|B|br|RS|RE|EX|EE)( .*)?"))
          << "a sentence that troff takes for a request";
    }
  }
  for (const auto& option : cli::all_options()) {
    const std::string name = join(split(option.name, '-'), "\\-");
    EXPECT_TRUE(contains(page.out, "\\-\\-" + name)) << option.name;
  }
}

}  // namespace
}  // namespace alexnet
