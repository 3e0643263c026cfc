#include "tests/cli/command.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace alexnet::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  }
};

[[noreturn]] void become_command(const std::vector<std::string>& arguments, const Surroundings& around) {
  for (const char* name :
       {"ALEXNET_MODEL", "ALEXNET_THREADS", "NO_COLOR", "OMP_NUM_THREADS", "ONEDNN_MAX_CPU_ISA", "LANG", "LC_CTYPE"}) {
    ::unsetenv(name);
  }
  ::setenv("ALEXNET_CACHE", "off", 1);
  ::setenv("LC_ALL", "C.UTF-8", 1);
  ::setenv("TERM", "xterm", 1);
  for (const auto& [name, value] : around.environment) ::setenv(name.c_str(), value.c_str(), 1);
  if (!around.folder.empty() && ::chdir(around.folder.c_str()) != 0) ::_exit(126);
  std::vector<char*> argv{const_cast<char*>("alexnet")};
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  if (around.in_child) around.in_child();
  ::execv(ALEXNET_BINARY, argv.data());
  ::_exit(126);
}

}  // namespace

Command::Command(std::vector<std::string> arguments, Surroundings around)
    : left_to_write_(around.input), start_(Clock::now()), deadline_(start_ + around.timeout) {
  Pipe in;
  Pipe out;
  Pipe err;
  if (around.columns > 0) {
    winsize size{};
    size.ws_col = static_cast<unsigned short>(around.columns);
    size.ws_row = 24;
    int terminal = -1;
    process_ = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (process_ < 0) throw std::runtime_error("no pseudo-terminal");
    if (process_ == 0) become_command(arguments, around);
    for (Pipe* pipe : {&in, &out, &err}) {
      ::close(pipe->ends[0]);
      ::close(pipe->ends[1]);
    }
    ::fcntl(terminal, F_SETFD, FD_CLOEXEC);
    out_ = terminal;
    return;
  }
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(in.ends[0], 0);
    ::dup2(out.ends[1], 1);
    ::dup2(err.ends[1], 2);
    become_command(arguments, around);
  }
  ::close(in.ends[0]);
  ::close(out.ends[1]);
  ::close(err.ends[1]);
  in_ = in.ends[1];
  out_ = out.ends[0];
  err_ = err.ends[0];
  ::fcntl(in_, F_SETFL, O_NONBLOCK);
}

Command::~Command() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  for (int* descriptor : {&in_, &out_, &err_}) close(*descriptor);
}

void Command::close(int& descriptor) const {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

void Command::send(int signal) const { ::kill(process_, signal); }

void Command::write(const std::string& text) const {
  if (::write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw std::runtime_error("short write");
}

// One step of feeding and reading. False when there is nothing more to come.
bool Command::pump(int milliseconds) {
  if (out_ < 0 && err_ < 0) return false;
  std::array<pollfd, 3> polls{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0},
                              pollfd{left_to_write_.empty() ? -1 : in_, POLLOUT, 0}};
  ::poll(polls.data(), polls.size(), milliseconds);
  if (polls[2].revents != 0) {
    const auto written = ::write(in_, left_to_write_.data(), left_to_write_.size());
    if (written > 0) left_to_write_.erase(0, static_cast<std::size_t>(written));
    if (written < 0 || left_to_write_.empty()) {
      left_to_write_.clear();
      close(in_);
    }
  }
  const auto read_from = [](int& descriptor, std::string& text, const Command& command) {
    std::array<char, 1 << 16> buffer{};
    const auto got = ::read(descriptor, buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else {
      command.close(descriptor);  // a terminal gives an error at its end
    }
  };
  if (polls[0].revents != 0) read_from(out_, result_.out, *this);
  if (polls[1].revents != 0) read_from(err_, result_.err, *this);
  return true;
}

bool Command::wait_for_lines(int count) {
  while (std::count(result_.out.begin(), result_.out.end(), '\n') < count) {
    if (Clock::now() > deadline_ || !pump(100)) return false;
  }
  return true;
}

bool Command::wait_for(const std::string& text) {
  while (result_.out.find(text) == std::string::npos) {
    if (Clock::now() > deadline_ || !pump(100)) return false;
  }
  return true;
}

void Command::close_output() { close(out_); }

bool Command::is_running() {
  int status = 0;
  if (!status_ && ::waitpid(process_, &status, WNOHANG) == process_) {
    status_ = status;
    process_ = -1;
  }
  return !status_;
}

Result Command::finish() {
  if (left_to_write_.empty()) close(in_);
  while (Clock::now() < deadline_ && pump(100)) {
  }
  while (is_running()) {
    if (Clock::now() > deadline_) {
      ::kill(process_, SIGKILL);
      result_.err += "\n[the test ended it: it took too long]\n";
      deadline_ += std::chrono::hours(1);
    }
    ::usleep(1000);
  }
  const int status = *status_;
  result_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return std::move(result_);
}

Result run(std::vector<std::string> arguments, Surroundings around) {
  return Command(std::move(arguments), std::move(around)).finish();
}

bool has_terminals() {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal >= 0) ::close(terminal);
  return terminal >= 0;
}

std::uintmax_t binary_bytes() { return std::filesystem::file_size(ALEXNET_BINARY); }

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    result.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

std::ostream& operator<<(std::ostream& stream, const Result& result) {
  return stream << "exit code " << result.exit_code << ", signal " << result.signal << ", " << result.seconds << " s\n--- stdout\n"
                << result.out.substr(0, 4000) << "\n--- stderr\n"
                << result.err.substr(0, 4000) << "\n";
}

}  // namespace alexnet::test
