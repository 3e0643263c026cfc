#include "formats/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/checked.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace alexnet {
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference implementation's limit
constexpr std::size_t kLengthBytes = 8;
constexpr std::array<std::string_view, 9> kUnsupportedTypes{"F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
                                                            "C64",     "F4",      "F6_E2M3", "F6_E3M2"};

struct Entry {
  std::string name;
  ElementType type;
  Shape shape;
  std::uint64_t begin;
  std::uint64_t end;
};

[[noreturn]] void refuse(const std::string& where, std::string message) {
  throw Error(ErrorKind::model, where, std::move(message));
}

std::string in_tensor(const std::string& name, std::string_view message) {
  return fmt::format("tensor {} {}", shown(name), message);
}

const Json& field(const Json& entry, const char* key, const std::string& name, const std::string& where) {
  const auto found = entry.find(key);
  if (found == entry.end()) refuse(where, in_tensor(name, fmt::format("has no {}", key)));
  return *found;
}

ElementType read_type(const Json& dtype, const std::string& name, const std::string& where) {
  if (!dtype.is_string()) refuse(where, in_tensor(name, "has a dtype that is not text"));
  const auto text = dtype.get<std::string>();
  if (const auto type = element_type_named(text)) return *type;
  const bool known = std::find(kUnsupportedTypes.begin(), kUnsupportedTypes.end(), text) != kUnsupportedTypes.end();
  refuse(where, in_tensor(name, fmt::format("has the {} dtype {}", known ? "unsupported" : "unknown", shown(text))));
}

Shape read_shape(const Json& extents, const std::string& name, const std::string& where) {
  if (!extents.is_array()) refuse(where, in_tensor(name, "has a shape that is not a list"));
  if (extents.size() > Shape::kMaxRank) {
    refuse(where, in_tensor(name, fmt::format("has {} dimensions, more than {}", extents.size(), Shape::kMaxRank)));
  }
  std::vector<std::int64_t> values;
  for (const auto& extent : extents) {
    if (!extent.is_number_unsigned()) refuse(where, in_tensor(name, "has a dimension that is not a whole number from 0"));
    const auto value = extent.get<std::uint64_t>();
    if (value > INT64_MAX) refuse(where, in_tensor(name, "has a shape whose product overflows"));
    values.push_back(static_cast<std::int64_t>(value));
  }
  const auto shape = Shape::make(values);
  if (!shape) refuse(where, in_tensor(name, "has a shape whose product overflows"));
  return *shape;
}

Entry read_entry(const std::string& name, const Json& entry, const std::string& where) {
  if (!entry.is_object()) refuse(where, in_tensor(name, "is not described by an object"));
  Entry result{.name = name,
               .type = read_type(field(entry, "dtype", name, where), name, where),
               .shape = read_shape(field(entry, "shape", name, where), name, where),
               .begin = 0,
               .end = 0};
  const auto& offsets = field(entry, "data_offsets", name, where);
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) {
    refuse(where, in_tensor(name, "has data_offsets that are not two whole numbers from 0"));
  }
  result.begin = offsets[0].get<std::uint64_t>();
  result.end = offsets[1].get<std::uint64_t>();
  if (result.begin > result.end) {
    refuse(where, in_tensor(name, fmt::format("has data from {} to {}: an end before its begin", result.begin, result.end)));
  }
  const auto wanted =
      checked_multiply(static_cast<std::uint64_t>(result.shape.elements()), static_cast<std::uint64_t>(size_of(result.type)));
  if (!wanted) refuse(where, in_tensor(name, "has a shape whose product overflows"));
  if (result.end - result.begin != *wanted) {
    refuse(where, in_tensor(name, fmt::format("has {} bytes, {} of shape {} wants {}", result.end - result.begin,
                                              alexnet::name(result.type), to_string(result.shape), *wanted)));
  }
  return result;
}

void read_metadata(const Json& metadata, const std::string& where, std::map<std::string, std::string>& into) {
  if (metadata.is_null()) return;
  if (!metadata.is_object()) refuse(where, "__metadata__ is not an object");
  for (const auto& [key, value] : metadata.items()) {
    if (!value.is_string()) refuse(where, fmt::format("__metadata__ has a value that is not text, at {}", shown(key)));
    into.emplace(key, value.get<std::string>());
  }
}

// The data must be covered from its first byte to its last, without holes and overlaps.
void check_cover(const std::vector<Entry>& entries, std::uint64_t data_bytes, const std::string& where) {
  std::uint64_t at = 0;
  for (const auto& entry : entries) {
    if (entry.begin != at) {
      refuse(where, in_tensor(entry.name, fmt::format("has data from {} on, where {} is wanted: tensors leave a hole or overlap",
                                                      entry.begin, at)));
    }
    at = entry.end;
  }
  if (at != data_bytes) refuse(where, fmt::format("has {} bytes of tensor data, its header wants {}", data_bytes, at));
}

// The largest n <= 6 for which 2^n divides the byte count.
int alignment_bits(const Tensor& tensor) { return std::min(std::countr_zero(tensor.byte_count()), 6); }

// JSON text of a string.
std::string text_of(const std::string& value, const std::filesystem::path& path) {
  if (!is_utf8(value)) throw Error(ErrorKind::output, path.string(), fmt::format("the name {} is not UTF-8", shown(value)));
  return Json(value).dump();
}

std::string header_of(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                      const std::vector<const NamedTensor*>& tensors) {
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      if (header.back() != '{') header += ',';
      header += text_of(key, path) + ':' + text_of(value, path);
    }
    header += '}';
  }
  std::set<std::string_view> names{"__metadata__"};
  std::uint64_t at = 0;
  for (const auto* named : tensors) {
    if (!names.insert(named->name).second) {
      throw Error(ErrorKind::output, path.string(), fmt::format("two tensors are named {}", shown(named->name)));
    }
    if (header.back() != '{') header += ',';
    const auto end = at + named->tensor.byte_count();
    header += fmt::format(R"({}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", text_of(named->name, path),
                          name(named->tensor.type()), fmt::join(named->tensor.shape().extents(), ","), at, end);
    at = end;
  }
  header += '}';
  header.append((Tensor::kAlignment - (kLengthBytes + header.size()) % Tensor::kAlignment) % Tensor::kAlignment, ' ');
  if (header.size() > kMaxHeader) {
    throw Error(ErrorKind::output, path.string(),
                fmt::format("its header would have {} bytes, more than {}", header.size(), kMaxHeader));
  }
  return header;
}

}  // namespace

bool looks_like_safetensors(std::span<const std::byte> file) {
  if (file.size() <= kLengthBytes || file[kLengthBytes] != std::byte{'{'}) return false;
  // Text may have a brace in this place; the length of a header has bytes that no text has.
  const auto length = file.first(kLengthBytes);
  return std::ranges::any_of(length,
                             [](std::byte byte) {
                               return byte < std::byte{' '} && byte != std::byte{'\n'} && byte != std::byte{'\t'} &&
                                      byte != std::byte{'\r'};
                             }) ||
         std::ranges::any_of(length, [](std::byte byte) { return byte >= std::byte{0x7f}; });
}

Safetensors read_safetensors(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_safetensors(file->bytes(), file, path.string());
}

Safetensors read_safetensors(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where) {
  if (file.size() < kLengthBytes) refuse(where, "is too short for a safetensors file");
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file.data(), kLengthBytes);
  if (header_bytes > kMaxHeader) {
    refuse(where, fmt::format("its safetensors header would have {} bytes, more than {}", header_bytes, kMaxHeader));
  }
  if (header_bytes > file.size() - kLengthBytes) {
    refuse(where, fmt::format("its safetensors header would have {} bytes, the file has {}", header_bytes, file.size()));
  }
  const auto header = file.subspan(kLengthBytes, header_bytes);
  const auto data = file.subspan(kLengthBytes + header_bytes);

  const Json json = parse_json({reinterpret_cast<const char*>(header.data()), header.size()}, where);
  if (!json.is_object()) refuse(where, "its safetensors header is not an object");
  Safetensors result;
  std::vector<Entry> entries;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      read_metadata(value, where, result.metadata);
    } else {
      entries.push_back(read_entry(name, value, where));
    }
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  check_cover(entries, data.size(), where);
  for (const auto& entry : entries) {
    const auto bytes = data.subspan(entry.begin, entry.end - entry.begin);
    result.tensors.push_back({entry.name, Tensor::view_or_copy(entry.type, entry.shape, bytes, owner)});
  }
  return result;
}

Safetensors read_safetensors_index(const std::filesystem::path& path) {
  const std::string where = path.string();
  const auto file = MappedFile::open(path);
  if (file->bytes().size() > kMaxHeader) refuse(where, fmt::format("has more than {} bytes", kMaxHeader));
  const Json json = parse_json({reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()}, where);
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (map == json.end() || !map->is_object()) refuse(where, "has no weight_map");
  std::map<std::string, std::set<std::string>> names_of_file;
  for (const auto& [name, shard] : map->items()) {
    if (!shard.is_string()) refuse(where, fmt::format("its weight_map has no file name at {}", shown(name)));
    const auto file_name = shard.get<std::string>();
    if (file_name.empty() || file_name == "." || file_name == ".." ||
        file_name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) {
      refuse(where, fmt::format("its weight_map names {}, which is not a plain file name", shown(file_name)));
    }
    names_of_file[file_name].insert(name);
  }
  Safetensors result;
  for (auto& [file_name, names] : names_of_file) {
    result.shards.push_back(path.parent_path() / file_name);
    auto shard = read_safetensors(result.shards.back());
    for (auto& named : shard.tensors) {
      if (names.erase(named.name) == 0) {
        refuse(where, fmt::format("does not say that tensor {} is in {}", shown(named.name), shown(file_name)));
      }
      result.tensors.push_back(std::move(named));
    }
    if (!names.empty())
      refuse(where, fmt::format("says that tensor {} is in {}, which lacks it", shown(*names.begin()), shown(file_name)));
    result.metadata.merge(shard.metadata);
  }
  return result;
}

void write_safetensors(AtomicFile& file, const std::map<std::string, std::string>& metadata, std::span<const NamedTensor> tensors) {
  std::vector<const NamedTensor*> ordered;
  for (const auto& named : tensors) ordered.push_back(&named);
  std::stable_sort(ordered.begin(), ordered.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return alignment_bits(a->tensor) > alignment_bits(b->tensor);
  });
  const std::string header = header_of(file.path(), metadata, ordered);
  const std::uint64_t header_bytes = header.size();
  file.write(std::as_bytes(std::span(&header_bytes, 1)));
  file.write(header);
  for (const auto* named : ordered) file.write(named->tensor.bytes());
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                       std::span<const NamedTensor> tensors) {
  AtomicFile file(path);
  write_safetensors(file, metadata, tensors);
  file.commit();
}

}  // namespace alexnet
