#include "alexnet/error.h"

#include <utility>

namespace alexnet {
namespace {

std::string one_line(const std::string& where, const std::string& message, const std::string& hint) {
  std::string line;
  if (!where.empty()) line += where + ": ";
  line += message;
  if (!hint.empty()) line += " (" + hint + ")";
  return line;
}

}  // namespace

std::string_view name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::unreadable: return "unreadable";
    case ErrorKind::empty: return "empty";
    case ErrorKind::unknown_format: return "unknown_format";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::truncated: return "truncated";
    case ErrorKind::corrupt: return "corrupt";
    case ErrorKind::too_large: return "too_large";
    case ErrorKind::model: return "model";
    case ErrorKind::disagreement: return "disagreement";
    case ErrorKind::output: return "output";
    case ErrorKind::resources: return "resources";
  }
  return "unknown";
}

Error::Error(ErrorKind kind, std::string where, std::string message, std::string hint)
    : std::runtime_error(one_line(where, message, hint)),
      kind_(kind),
      where_(std::move(where)),
      message_(std::move(message)),
      hint_(std::move(hint)) {}

}  // namespace alexnet
