#include "formats/npz.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/bytes.h"
#include "formats/code_points.h"
#include "formats/npy.h"
#include "formats/zip.h"

namespace alexnet {
namespace {

constexpr std::string_view kSuffix = ".npy";
constexpr std::uint64_t kMaxInflated = 2ull << 30;

// An entry's bytes, in the mapped file or inflated, and what keeps them alive.
struct Contents {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

class Archive {
 public:
  Archive(std::span<const std::byte> file, std::shared_ptr<const void> owner, std::string where)
      : where_(std::move(where)), owner_(std::move(owner)), entries_(read_zip(file, where_)) {
    for (const auto& entry : entries_) {
      if (!entry.name.ends_with(kSuffix)) refuse(fmt::format("zip entry {} is not a npy array", shown(entry.name)));
      if (!is_utf8(entry.name)) refuse(fmt::format("zip entry {} has a name that is not UTF-8", shown(entry.name)));
    }
  }

  const std::vector<ZipEntry>& entries() const { return entries_; }
  std::string where(const ZipEntry& entry) const { return fmt::format("{}: {}", where_, shown(entry.name)); }
  [[noreturn]] void refuse(const std::string& message) const { throw Error(ErrorKind::model, where_, message); }

  Contents contents(const ZipEntry& entry) {
    if (!entry.deflated) {
      check_crc(entry, where_);
      return {entry.data, owner_};
    }
    auto bytes = std::make_shared<std::vector<std::byte>>(inflated(entry, inflatable_, where_));
    inflatable_ -= bytes->size();
    return {*bytes, bytes};
  }

 private:
  std::string where_;
  std::shared_ptr<const void> owner_;
  std::vector<ZipEntry> entries_;
  std::uint64_t inflatable_ = kMaxInflated;
};

}  // namespace

std::vector<NamedTensor> read_npz(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_npz(file->bytes(), file, path.string());
}

std::vector<NamedTensor> read_npz(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where) {
  Archive archive(file, std::move(owner), where);
  std::vector<NamedTensor> tensors;
  for (const auto& entry : archive.entries()) {
    const auto contents = archive.contents(entry);
    const auto place = archive.where(entry);
    if (!read_npy_header(contents.bytes, place).type) continue;
    tensors.push_back({entry.name.substr(0, entry.name.size() - kSuffix.size()), read_npy(contents.bytes, contents.owner, place)});
  }
  return tensors;
}

std::vector<std::string> read_npz_text(const std::filesystem::path& path, const std::string& name) {
  const auto file = MappedFile::open(path);
  Archive archive(file->bytes(), file, path.string());
  for (const auto& entry : archive.entries()) {
    if (entry.name == name + std::string(kSuffix)) return read_npy_text(archive.contents(entry).bytes, archive.where(entry));
  }
  archive.refuse(fmt::format("has no array {}", shown(name)));
}

struct NpzReader::Impl {
  std::vector<Array> arrays;
  std::vector<Contents> rows;  // of each array: its elements, row-major
  struct Text {
    std::string name;
    std::string where;
    Contents contents;
  };
  std::vector<Text> texts;
};

NpzReader::NpzReader(const std::filesystem::path& path) : impl_(std::make_unique<Impl>()) {
  const auto file = MappedFile::open(path);
  Archive archive(file->bytes(), file, path.string());
  for (const auto& entry : archive.entries()) {
    const auto contents = archive.contents(entry);
    const auto place = archive.where(entry);
    const auto header = read_npy_header(contents.bytes, place);
    const std::string name = entry.name.substr(0, entry.name.size() - kSuffix.size());
    if (!header.type) {
      impl_->texts.push_back({name, place, contents});
      continue;
    }
    impl_->arrays.push_back({name, *header.type, header.shape});
    if (header.fortran_order && header.shape.rank() > 1) {
      auto tensor = std::make_shared<const Tensor>(read_npy(contents.bytes, contents.owner, place));
      impl_->rows.push_back({tensor->bytes(), tensor});
    } else {
      impl_->rows.push_back({npy_data(header, contents.bytes, place), contents.owner});
    }
  }
}

NpzReader::~NpzReader() = default;
NpzReader::NpzReader(NpzReader&&) noexcept = default;

const std::vector<NpzReader::Array>& NpzReader::arrays() const { return impl_->arrays; }

Tensor NpzReader::rows(std::size_t array, std::int64_t begin, std::int64_t count) const {
  const auto& [name, type, shape] = impl_->arrays[array];
  const auto& [bytes, owner] = impl_->rows[array];
  assert(shape.rank() > 0 && begin >= 0 && count >= 0 && begin + count <= shape[0]);
  const Shape wanted = shape.without_batch().with_batch(count);
  const std::size_t row = static_cast<std::size_t>(shape.without_batch().elements()) * size_of(type);
  return Tensor::view_or_copy(type, wanted,
                              bytes.subspan(static_cast<std::size_t>(begin) * row, static_cast<std::size_t>(count) * row), owner);
}

std::optional<std::vector<std::string>> NpzReader::text(const std::string& name) const {
  const auto found = std::ranges::find(impl_->texts, name, &Impl::Text::name);
  if (found == impl_->texts.end()) return std::nullopt;
  return read_npy_text(found->contents.bytes, found->where);
}

void NpzWriter::add(const std::string& name, const Tensor& tensor) {
  const Tensor written = tensor.type() == ElementType::bf16 ? widened(tensor) : tensor;
  zip_.begin(name + std::string(kSuffix));
  zip_.write(npy_header(written.type(), written.shape()));
  zip_.write(written.bytes());
  zip_.end();
}

void NpzWriter::add_text(const std::string& name, std::span<const std::string> values) {
  std::size_t width = 1;
  for (std::string_view text : values) {
    std::size_t length = 0;
    for (; !text.empty(); ++length) take_code_point(text);
    width = std::max(width, length);
  }
  zip_.begin(name + std::string(kSuffix));
  zip_.write(npy_text_header(values.size(), width));
  std::string bytes;
  for (std::string_view text : values) {
    bytes.clear();
    while (!text.empty()) append(bytes, take_code_point(text));
    bytes.resize(width * sizeof(char32_t), '\0');
    zip_.write(bytes);
  }
  zip_.end();
}

void NpzWriter::add_file(const std::string& name, const std::filesystem::path& npy) {
  const auto file = MappedFile::open(npy);
  zip_.begin(name + std::string(kSuffix));
  zip_.write(file->bytes());
  zip_.end();
}

void write_npz(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  NpzWriter writer(path);
  for (const auto& named : tensors) writer.add(named.name, named.tensor);
  writer.finish();
}

}  // namespace alexnet
