// Runs the real command as a user does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace alexnet::test {

struct Surroundings {
  std::string input = {};  // on standard input
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::filesystem::path folder = {};    // where it runs; empty: here
  std::function<void()> in_child = {};  // called before exec: limits, closed descriptors
  int columns = 0;                      // above 0: on a terminal that wide, and `out` has what it showed
  std::chrono::seconds timeout = std::chrono::seconds(120);
};

struct Result {
  int exit_code = -1;  // -1: ended by `signal`
  int signal = 0;
  std::string out;
  std::string err;
  double seconds = 0;
};
std::ostream& operator<<(std::ostream& stream, const Result& result);

class Command {
 public:
  explicit Command(std::vector<std::string> arguments, Surroundings around = {});
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  void send(int signal) const;
  // More for a standard input that stays open until finish(); only with an empty Surroundings::input.
  void write(const std::string& text) const;
  // Reads until standard output holds so many lines; false if it ended or took too long.
  bool wait_for_lines(int count);
  // The same for a piece of text.
  bool wait_for(const std::string& text);
  // Closes its end of the pipe, as `head -1` does.
  void close_output();
  bool is_running();
  Result finish();

 private:
  bool pump(int milliseconds);
  void close(int& descriptor) const;

  pid_t process_ = -1;
  std::optional<int> status_;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::string left_to_write_;
  Result result_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point deadline_;
};

Result run(std::vector<std::string> arguments, Surroundings around = {});

// Whether the system has pseudo-terminals: a bare chroot has none.
bool has_terminals();

// Of the command's file.
std::uintmax_t binary_bytes();

std::vector<std::string> lines(const std::string& text);

}  // namespace alexnet::test

// Ends a test that runs the command on a terminal (Surroundings::columns) where there is none.
#define ALEXNET_NEEDS_A_TERMINAL() \
  if (!alexnet::test::has_terminals()) GTEST_SKIP() << "no pseudo-terminals here: is /dev/pts mounted?"
