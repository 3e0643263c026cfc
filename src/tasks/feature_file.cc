#include "tasks/feature_file.h"

#include <stdlib.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "formats/code_points.h"
#include "formats/npy.h"
#include "formats/npz.h"
#include "formats/safetensors.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;

// A folder beside the result for what must be whole before it can be put into it.
class Workshop {
 public:
  explicit Workshop(const fs::path& result) {
    std::string name = (result.parent_path() / ".alexnet-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw Error(ErrorKind::output, result.string(), "can't be created: " + std::generic_category().message(errno));
    }
    folder_ = name;
  }
  ~Workshop() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  fs::path file(const std::string& name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

void append_utf32(std::string& bytes, char32_t point) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(point >> shift & 0xff);
}

std::size_t length_in_code_points(std::string_view text) {
  std::size_t length = 0;
  for (; !text.empty(); ++length) take_code_point(text);
  return length;
}

}  // namespace

struct FeatureFile::Impl {
  fs::path path;
  FeatureFormat format;
  std::vector<TensorInfo> layers;
  char separator;
  std::optional<Workshop> workshop;  // npz and safetensors
  std::vector<std::unique_ptr<NpyWriter>> arrays;
  std::unique_ptr<AtomicFile> paths;
  std::size_t rows = 0;
  std::size_t widest = 1;  // path, in code points

  fs::path array(std::size_t layer) const { return workshop->file(fmt::format("{}.npy", layer)); }
  fs::path list() const { return format == FeatureFormat::npz ? workshop->file("paths") : fs::path(path.string() + ".paths"); }

  // The list of paths as an array of text, which must know the longest one before the first is written.
  fs::path text_array() const {
    const fs::path result = workshop->file("paths.npy");
    AtomicFile file(result);
    file.write(npy_text_header(rows, widest));
    std::ifstream input(list(), std::ios::binary);
    std::string bytes;
    for (std::string line; std::getline(input, line, separator);) {
      bytes.clear();
      for (std::string_view text = line; !text.empty();) append_utf32(bytes, take_code_point(text));
      bytes.resize(widest * sizeof(char32_t), '\0');
      file.write(bytes);
    }
    file.commit();
    return result;
  }

  void finish_npz() {
    NpzWriter archive(path);
    for (std::size_t i = 0; i < layers.size(); ++i) archive.add_file(layers[i].name, array(i));
    archive.add_file("paths", text_array());
    archive.finish();
  }

  void finish_safetensors() {
    std::vector<NamedTensor> tensors;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto file = MappedFile::open(array(i));
      tensors.push_back({layers[i].name, read_npy(file->bytes(), file, array(i).string())});
    }
    write_safetensors(path, {}, tensors);
  }
};

FeatureFile::FeatureFile(const fs::path& path, FeatureFormat format, const std::vector<TensorInfo>& layers, char separator)
    : impl_(std::make_unique<Impl>()) {
  assert(format != FeatureFormat::npy || layers.size() == 1);
  impl_->path = path;
  impl_->format = format;
  impl_->layers = layers;
  impl_->separator = format == FeatureFormat::npz ? '\0' : separator;
  if (format != FeatureFormat::npy) impl_->workshop.emplace(path);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    impl_->arrays.push_back(std::make_unique<NpyWriter>(format == FeatureFormat::npy ? path : impl_->array(i), layers[i].shape));
  }
  impl_->paths = std::make_unique<AtomicFile>(impl_->list());
}

FeatureFile::~FeatureFile() = default;

void FeatureFile::append(const std::string& picture, std::span<const std::span<const float>> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) impl_->arrays[i]->append(rows[i]);
  impl_->paths->write(picture + impl_->separator);
  impl_->widest = std::max(impl_->widest, length_in_code_points(picture));
  ++impl_->rows;
}

void FeatureFile::finish() {
  impl_->paths->commit();
  for (auto& array : impl_->arrays) array->finish();
  if (impl_->format == FeatureFormat::npz) impl_->finish_npz();
  if (impl_->format == FeatureFormat::safetensors) impl_->finish_safetensors();
  impl_->workshop.reset();
}

}  // namespace alexnet
