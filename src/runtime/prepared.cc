#include "runtime/prepared.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "runtime/instruction_set.h"

// Of everything that decides how weights are prepared; made when the library is built.
extern const char* const alexnet_runtime_sources;

namespace alexnet {
namespace {

constexpr const char* kSuffix = ".prepared";

// Fills the first 64 bytes of a file; the tensor's bytes follow.
struct Header {
  std::array<char, 16> magic;
  Fingerprint::Value key;
  Fingerprint::Value content;
  std::uint64_t bytes;
  std::uint64_t zero;
};
static_assert(sizeof(Header) == 64);

Header header(const Fingerprint::Value& key, std::span<const std::byte> bytes) {
  return {.magic = {'a', 'l', 'e', 'x', 'n', 'e', 't', ' ', 'p', 'r', 'e', 'p', 'a', 'r', 'e', 'd'},
          .key = key,
          .content = Fingerprint().add(bytes).value(),
          .bytes = bytes.size(),
          .zero = 0};
}

bool is_whole(std::span<const std::byte> file, const Fingerprint::Value& key, std::uint64_t bytes) {
  if (file.size() != sizeof(Header) + bytes) return false;
  const Header wanted = header(key, file.subspan(sizeof(Header)));
  return std::memcmp(file.data(), &wanted, sizeof wanted) == 0;
}

// Whether nobody but this user can have written there.
bool is_ours(const struct stat& status) { return status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0; }

}  // namespace

Fingerprint& add(Fingerprint& key, const Weight& weight) {
  key.add(name(weight.storage)).add(std::as_bytes(std::span(weight.shape.extents())));
  return key.add(weight.data.bytes()).add(weight.scale.bytes()).add(weight.mask.bytes());
}

WeightStore::WeightStore(std::filesystem::path folder, std::uint64_t limit) : folder_(std::move(folder)), limit_(limit) {}

Tensor WeightStore::get(const Fingerprint& key, ElementType type, const Shape& shape, const std::function<Tensor()>& make) {
  if (!usable()) return make();
  Fingerprint whole = key;
  whole.add(alexnet_runtime_sources).add(onednn_version()).add(instruction_set().name);
  whole.add(name(type)).add(std::as_bytes(std::span(shape.extents())));
  const auto path = folder_ / (whole.text() + kSuffix);
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && is_ours(status)) {
    try {
      const auto file = MappedFile::open(path);
      const auto bytes = static_cast<std::uint64_t>(shape.elements()) * size_of(type);
      if (is_whole(file->bytes(), whole.value(), bytes)) {
        const std::lock_guard lock(mutex_);
        ++counts_.mapped;
        return Tensor::view(type, shape, file->bytes().subspan(sizeof(Header)), file);
      }
      note(fmt::format("{} is damaged, and is made again", path.string()));
    } catch (const Error& error) {
      note(error.what());
    }
  }
  Tensor made = make();
  if (made.byte_count() + sizeof(Header) > limit_) return made;
  try {
    keep(path, whole.value(), made);
    const std::lock_guard lock(mutex_);
    ++counts_.kept;
  } catch (const Error& error) {
    note(error.what());
  }
  return made;
}

void WeightStore::note(std::string problem) {
  const std::lock_guard lock(mutex_);
  counts_.problems.push_back(std::move(problem));
}

bool WeightStore::usable() {
  const std::lock_guard lock(mutex_);
  if (tried_) return usable_;
  tried_ = true;
  if (folder_.empty()) return false;
  std::error_code error;
  if (std::filesystem::create_directories(folder_, error)) ::chmod(folder_.c_str(), S_IRWXU);
  struct stat status {};
  if (::stat(folder_.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && is_ours(status)) return usable_ = true;
  const auto reason = error ? error.message() : "is no folder that only this user can write to";
  counts_.problems.push_back(fmt::format("{}: {}", folder_.string(), reason));
  return false;
}

void WeightStore::keep(const std::filesystem::path& path, const Fingerprint::Value& key, const Tensor& tensor) {
  // What stands there and can't be taken as it is, a link for instance, goes.
  ::unlink(path.c_str());
  AtomicFile file(path);
  const Header first = header(key, tensor.bytes());
  file.write(std::as_bytes(std::span(&first, 1)));
  file.write(tensor.bytes());
  file.commit();
  ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
  make_room(path);
}

void WeightStore::make_room(const std::filesystem::path& newest) {
  struct File {
    std::filesystem::file_time_type time;
    std::filesystem::path path;
    std::uint64_t bytes;
  };
  std::vector<File> files;
  std::uint64_t all = 0;
  std::error_code error;
  for (auto at = std::filesystem::directory_iterator(folder_, error); !error && at != std::filesystem::directory_iterator();
       at.increment(error)) {
    const auto& path = at->path();
    if (path.extension() != kSuffix && !path.filename().string().starts_with(".alexnet-")) continue;
    std::error_code gone;  // another process may be making room, too
    const auto bytes = at->file_size(gone);
    const auto time = at->last_write_time(gone);
    if (gone) continue;
    all += bytes;
    if (path != newest) files.push_back({time, path, bytes});
  }
  std::ranges::sort(files, {}, &File::time);
  for (const File& file : files) {
    if (all <= limit_) return;
    std::filesystem::remove(file.path, error);
    all -= file.bytes;
  }
}

}  // namespace alexnet
