// The one exception family of the library. Everything that can go wrong at run time is thrown as alexnet::Error;
// programming errors are assertions. Pictures that fail inside a batch are returned as records, not thrown.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "alexnet/export.h"

namespace alexnet {

// What went wrong; the closed list that result records and exit codes are made from (docs/errors.md).
enum class ErrorKind {
  usage,           // an option, or an argument of a function, is out of range
  not_found,       // a picture that is not there
  unreadable,      // a picture that may not be, or can't be, read: no permission, a folder, a device, a pipe
  empty,           // a picture of no bytes
  unknown_format,  // bytes that are no picture format we read
  unsupported,     // a known format in a variant that we do not decode
  truncated,       // a picture that ends too early
  corrupt,         // a picture that contradicts itself
  too_large,       // a picture beyond --max-pixels
  model,           // a model, checkpoint or reference that can't be used
  disagreement,    // a comparison or check that ran and did not agree
  output,          // results that can't be written
  resources,       // memory or descriptors ran out, or would
};

// The kind's stable name, as records print it: "not_found".
ALEXNET_API std::string_view name(ErrorKind kind);

// what() reads "WHERE: MESSAGE (HINT)"; WHERE is a file, layer or option and may be empty, as may HINT.
class ALEXNET_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, std::string where, std::string message, std::string hint = {});

  ErrorKind kind() const { return kind_; }
  const std::string& where() const { return where_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }

 private:
  ErrorKind kind_;
  std::string where_;
  std::string message_;
  std::string hint_;
};

}  // namespace alexnet
