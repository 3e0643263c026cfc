#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/signals.h"

namespace alexnet::cli {
namespace {

constexpr int kClosedReader = 141;  // as a shell reports a process that SIGPIPE ended
constexpr std::size_t kBufferBytes = 1 << 16;
constexpr const char* kStandardOutput = "standard output";

[[noreturn]] void fail(const std::string& name, const char* what) {
  const int error = errno;
  throw Error(ErrorKind::output, name, fmt::format("{}: {}", what, std::generic_category().message(error)));
}

}  // namespace

void write_all(int descriptor, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE && descriptor == STDOUT_FILENO) throw Ended{kClosedReader};
    if (written < 0) fail(name, "can't be written");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

Output::Output(const std::string& name) : name_(name) {
  if (name != "-") file_ = std::make_unique<AtomicFile>(name);
}

Output Output::growing(const std::string& name, std::uint64_t kept) {
  Output output;
  output.name_ = name;
  output.descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (output.descriptor_ < 0) fail(name, "can't be opened");
  if (::ftruncate(output.descriptor_, static_cast<off_t>(kept)) != 0) fail(name, "can't be cut to its whole records");
  if (::lseek(output.descriptor_, 0, SEEK_END) < 0) fail(name, "can't be written");
  return output;
}

Output::Output(Output&& other) noexcept
    : name_(std::move(other.name_)),
      buffer_(std::move(other.buffer_)),
      file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

Output::~Output() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

void Output::flush() {
  if (file_) {
    file_->write(std::string_view(buffer_));
  } else {
    const bool standard = is_standard_output();
    write_all(standard ? STDOUT_FILENO : descriptor_, buffer_, standard ? kStandardOutput : name_);
  }
  buffer_.clear();
}

void Output::commit() {
  flush();
  if (!file_) return;
  file_->commit();
  file_.reset();
  // What an earlier run left unfinished is of no more use.
  ::unlink((name_ + ".part").c_str());
}

void Output::keep_partial() {
  flush();
  if (!file_) return;
  const auto partial = file_->keep_partial();
  file_.reset();
  log(LogLevel::warning,
      fmt::format("{}: ended early; the results so far are in {}", printable(name_), printable(partial.string())));
}

TemporaryFile::TemporaryFile() {
  std::string folder = (std::filesystem::temp_directory_path() / "alexnet-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) fail(folder, "can't be created");
  folder_ = folder;
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void TemporaryFile::copy_to_standard_output() const {
  const auto file = MappedFile::open(path());
  write_all(STDOUT_FILENO, {reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()}, kStandardOutput);
}

void open_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    // Open for reading only, so that writing to one that was closed still fails.
    if (::fcntl(descriptor, F_GETFD) < 0 && ::open("/dev/null", O_RDONLY) < 0) ::_exit(5);
  }
}

}  // namespace alexnet::cli
