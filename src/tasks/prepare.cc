#include "tasks/prepare.h"

#include <chrono>
#include <new>

#include "base/file.h"

namespace alexnet {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool is_about_the_picture(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::not_found:
    case ErrorKind::unreadable:
    case ErrorKind::empty:
    case ErrorKind::unknown_format:
    case ErrorKind::unsupported:
    case ErrorKind::truncated:
    case ErrorKind::corrupt:
    case ErrorKind::too_large:
    case ErrorKind::resources: return true;  // the next picture may be smaller
    case ErrorKind::usage:
    case ErrorKind::model:
    case ErrorKind::disagreement:
    case ErrorKind::output: return false;
  }
  return false;
}

}  // namespace

Decoded load_picture(const std::string& path, const DecodeOptions& options, const std::atomic<int>* stop) {
  const auto bytes = path == "-" ? read_standard_input(kMaxPictureBytes, stop) : read_file(path, kMaxPictureBytes);
  return decode(bytes, options, path);
}

Prepared prepare(const PictureInput& input, const Preprocessing& preprocessing, Crops crops, const DecodeOptions& options,
                 const std::atomic<int>* stop, std::span<float> dst) {
  Prepared result;
  try {
    if (input.problem) throw Error(*input.problem);
    const auto start = Clock::now();
    Decoded decoded = load_picture(input.path, options, stop);
    result.decode_seconds = seconds_since(start);
    result.width = decoded.width;
    result.height = decoded.height;
    result.notes = std::move(decoded.notes);
    const auto resize_start = Clock::now();
    preprocess_into(preprocessing, decoded.image, dst, crops);
    result.resize_seconds = seconds_since(resize_start);
  } catch (const Error& error) {
    if (!is_about_the_picture(error.kind())) throw;
    result.error = error;
  } catch (const std::bad_alloc&) {
    result.error = Error(ErrorKind::resources, input.path, "memory ran out");
  }
  return result;
}

}  // namespace alexnet
