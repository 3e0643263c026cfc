#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

std::string reason(int error) { return std::generic_category().message(error); }

ErrorKind kind_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR: return ErrorKind::not_found;
    case EMFILE:
    case ENFILE:
    case ENOMEM: return ErrorKind::resources;
    default: return ErrorKind::unreadable;
  }
}

const char* irregular(mode_t mode) {
  if (S_ISDIR(mode)) return "is a folder";
  if (S_ISFIFO(mode)) return "is a named pipe";
  if (S_ISSOCK(mode)) return "is a socket";
  return "is a device";
}

// O_NONBLOCK: opening a pipe without a writer must fail the regular-file check, not wait.
int open_for_reading(const std::filesystem::path& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const Descriptor file(open_for_reading(path));
  if (file.get() < 0) throw Error(kind_of(errno), path.string(), "can't be opened: " + reason(errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw Error(kind_of(errno), path.string(), "can't be read: " + reason(errno));
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::unreadable, path.string(), fmt::format("{}, not a file", irregular(status.st_mode)));
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes) {
    throw Error(ErrorKind::too_large, path.string(), fmt::format("has {} bytes, more than {}", size, max_bytes));
  }
  std::vector<std::byte> bytes(size);
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(kind_of(errno), path.string(), "can't be read: " + reason(errno));
    if (got == 0) break;  // the file shrank since fstat; what is there goes on to the decoder
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file(open_for_reading(path));
  if (file.get() < 0) {
    const auto kind = kind_of(errno) == ErrorKind::resources ? ErrorKind::resources : ErrorKind::model;
    throw Error(kind, path.string(), "can't be opened: " + reason(errno));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw Error(ErrorKind::model, path.string(), "can't be read: " + reason(errno));
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::model, path.string(), fmt::format("{}, not a file", irregular(status.st_mode)));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) throw Error(ErrorKind::model, path.string(), "is empty");
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) {
    throw Error(errno == ENOMEM ? ErrorKind::resources : ErrorKind::model, path.string(), "can't be mapped: " + reason(errno));
  }
  return std::shared_ptr<const MappedFile>(new MappedFile({static_cast<const std::byte*>(address), size}));
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size()); }

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  if (struct stat status{}; ::stat(path_.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) {
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
      if (descriptor_ < 0) fail("can't be opened");
      return;
    }
    std::error_code error;
    if (auto target = std::filesystem::canonical(path_, error); !error) path_ = std::move(target);
  }
  // Not PATH.XXXXXX: a name may be as long as the file system allows.
  std::string name = (path_.parent_path() / ".alexnet-XXXXXX").string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail("can't be created");
  temporary_ = name;
  // mkostemp makes the file private; give it the mode that a plain open() would have.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("can't be written");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::seek(std::uint64_t offset) {
  if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0) fail("can't be written");
}

void AtomicFile::commit() { finish(path_); }

std::filesystem::path AtomicFile::keep_partial() {
  std::filesystem::path partial = path_;
  partial += ".part";
  finish(partial);
  return partial;
}

void AtomicFile::finish(const std::filesystem::path& destination) {
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail("can't be written");
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), destination.c_str()) != 0) fail("can't be replaced");
  temporary_.clear();
}

void AtomicFile::fail(const char* what) const {
  const int error = errno;
  throw Error(ErrorKind::output, path_.string(), fmt::format("{}: {}", what, reason(error)));
}

}  // namespace alexnet
