#include "tasks/list_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "alexnet/error.h"

namespace alexnet {
namespace {

constexpr int kMoment = 100;  // milliseconds
constexpr std::size_t kMaxLine = 1 << 16;

std::string reason(int error) { return std::generic_category().message(error); }

int open_list(const std::string& name) {
  if (name == "-") return STDIN_FILENO;
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) return descriptor;
  const ErrorKind kind = errno == ENOENT || errno == ENOTDIR  ? ErrorKind::not_found
                         : errno == EMFILE || errno == ENFILE ? ErrorKind::resources
                                                              : ErrorKind::unreadable;
  throw Error(kind, name, "can't be opened: " + reason(errno));
}

}  // namespace

PatientReader::Got PatientReader::read(std::string& text, bool wait) {
  for (;;) {
    if (stop_ != nullptr && *stop_ != 0) return Got::end;
    pollfd ready{descriptor_, POLLIN, 0};
    const int count = ::poll(&ready, 1, wait ? kMoment : 0);
    if (count == 0 && !wait) return Got::later;
    if (count <= 0) continue;  // time for another look at stop_, or a signal
    std::array<char, 1 << 16> piece{};
    const auto got = ::read(descriptor_, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(ErrorKind::unreadable, "", "can't be read: " + reason(errno));
    text.append(piece.data(), static_cast<std::size_t>(got));
    return got == 0 ? Got::end : Got::bytes;
  }
}

ListReader::ListReader(const std::string& name, char separator, const std::atomic<int>* stop)
    : name_(name), separator_(separator), descriptor_(open_list(name)), reader_(descriptor_, stop) {}

ListReader::~ListReader() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

ListReader::Got ListReader::next(std::string& line, bool wait) {
  for (;;) {
    const auto end = buffer_.find(separator_, position_);
    const bool last = end == std::string::npos && ended_;
    if (last && position_ == buffer_.size()) return Got::end;
    if (end != std::string::npos || last) {
      line = buffer_.substr(position_, last ? std::string::npos : end - position_);
      position_ = last ? buffer_.size() : end + 1;
      if (separator_ == '\n' && line.ends_with('\r')) line.pop_back();
      if (line.empty()) continue;
      return Got::bytes;
    }
    buffer_.erase(0, position_);
    position_ = 0;
    if (buffer_.size() > kMaxLine)
      throw Error(ErrorKind::corrupt, name_, "is no list of paths: it has a line of more than 65536 bytes");
    try {
      const Got got = reader_.read(buffer_, wait);
      if (got == Got::later) return got;
      if (got == Got::end) ended_ = true;
    } catch (const Error& error) {
      throw Error(error.kind(), name_, error.message());
    }
  }
}

}  // namespace alexnet
