#include "formats/pytorch_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "base/text.h"
#include "formats/bytes.h"
#include "formats/zip.h"

namespace alexnet {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kZipStart = "PK\x03\x04";
constexpr std::string_view kTarMark = "ustar";
constexpr std::size_t kTarMarkOffset = 257;
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // 0x1950a86a20f9469cfc6c
constexpr std::string_view kTextMagic = "L119547037146038801333356L\n";          // the same in protocols 0 and 1
constexpr std::int64_t kLegacyVersion = 1001;

[[noreturn]] void refuse(const std::string& where, std::string message, std::string hint = {}) {
  throw Error(ErrorKind::model, where, std::move(message), std::move(hint));
}

// "archive/data.pkl" gives "archive"; nothing for other names and other depths.
std::optional<std::string> folder_of_pickle(std::string_view name) {
  constexpr std::string_view kPickle = "/data.pkl";
  if (!name.ends_with(kPickle)) return std::nullopt;
  name.remove_suffix(kPickle.size());
  if (name.empty() || name.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(name);
}

std::string find_folder(const std::vector<ZipEntry>& entries, const std::string& where) {
  std::optional<std::string> folder;
  for (const auto& entry : entries) {
    const auto candidate = folder_of_pickle(entry.name);
    if (!candidate) continue;
    if (folder) refuse(where, fmt::format("has two pickles, in {} and {}", shown(*folder), shown(*candidate)));
    folder = candidate;
  }
  if (!folder) refuse(where, "is a zip archive, but no PyTorch checkpoint: it has no data.pkl");
  return *folder;
}

PytorchFile read_zip_container(Bytes bytes, std::shared_ptr<const void> owner, const std::string& where) {
  const auto entries = read_zip(bytes, where);
  const std::string folder = find_folder(entries, where) + '/';
  // Files without checksums have 0 in every entry.
  const bool checked = std::any_of(entries.begin(), entries.end(), [](const ZipEntry& entry) { return entry.crc != 0; });
  const ZipEntry* pickle = nullptr;
  PytorchFile result{.where = where, .container = "zip", .bytes = bytes, .owner = std::move(owner), .pickle = {}, .storages = {}};
  for (const auto& entry : entries) {
    std::string_view name = entry.name;
    if (!name.starts_with(folder)) continue;
    name.remove_prefix(folder.size());
    if (name == "constants.pkl") {
      refuse(where, "is a TorchScript archive, not a checkpoint", "save torch.jit.load(FILE).state_dict() with torch.save");
    }
    if (entry.deflated && (name == "data.pkl" || name == "byteorder" || name.starts_with("data/"))) {
      refuse(where, fmt::format("has the compressed entry {}, which torch.save never writes", shown(entry.name)),
             "was it packed again? torch.save the checkpoint anew");
    }
    if (name == "data.pkl") pickle = &entry;
    if (name == "byteorder" && as_text(entry.data) != "little") {
      refuse(where, fmt::format("was saved with the byte order {}, only little is supported", shown(as_text(entry.data))));
    }
    if (name.starts_with("data/")) {
      name.remove_prefix(5);
      result.storages.emplace(name, PytorchStorage{entry.data, checked ? std::optional(entry.crc) : std::nullopt});
    }
  }
  if (checked) check_crc(*pickle, where);
  result.pickle = read_pickle(pickle->data, where);
  return result;
}

// The pickles of the legacy container, one behind the other, then the storages' data.
class LegacyReader {
 public:
  LegacyReader(Bytes bytes, std::shared_ptr<const void> owner, const std::string& where)
      : rest_(bytes),
        result_{.where = where, .container = "legacy", .bytes = bytes, .owner = std::move(owner), .pickle = {}, .storages = {}} {}

  // Nothing if the file does not begin with the magic number.
  std::optional<PytorchFile> read() {
    const auto magic = next_pickle();
    const auto* number = magic.get<PickleBigInteger>(magic.root);
    if (number == nullptr || number->bytes != kMagic) return std::nullopt;
    check_version();
    check_system();
    result_.pickle = next_pickle();
    const auto ids = storage_ids();
    const auto keys = next_pickle();
    const auto* list = keys.get<PickleList>(keys.root);
    if (list == nullptr) refuse(result_.where, "has no list of storages");
    for (const auto item : list->items) {
      const auto* key = keys.get<PickleText>(item);
      const auto id = key == nullptr ? ids.end() : ids.find(key->value);
      if (id == ids.end()) refuse(result_.where, "lists a storage that no tensor uses");
      read_storage(id->second);
    }
    if (!rest_.empty()) refuse(result_.where, fmt::format("has {} bytes behind its last storage", rest_.size()));
    return std::move(result_);
  }

 private:
  Pickle next_pickle() {
    auto pickle = read_pickle(rest_, result_.where);
    rest_ = rest_.subspan(pickle.size);
    return pickle;
  }
  void check_version() {
    const auto version = next_pickle();
    const auto* number = version.get<std::int64_t>(version.root);
    if (number == nullptr || *number != kLegacyVersion) {
      refuse(result_.where, fmt::format("is of an unknown version of PyTorch's old format, supported is {}", kLegacyVersion));
    }
  }
  void check_system() {
    const auto system = next_pickle();
    const auto* little = system.get<bool>(system.find(system.root, "little_endian"));
    if (little == nullptr || !*little) refuse(result_.where, "was saved with the byte order 'big', only little is supported");
  }
  std::map<std::string_view, PytorchStorageId> storage_ids() const {
    std::map<std::string_view, PytorchStorageId> ids;
    const auto& pickle = result_.pickle;
    for (const auto& node : pickle.nodes) {
      const auto* persistent = std::get_if<PicklePersistent>(&node);
      const auto* tuple = persistent == nullptr ? nullptr : pickle.get<PickleTuple>(persistent->id);
      // ('module', class, file, source) stands for a class.
      const auto* kind = tuple == nullptr || tuple->items.empty() ? nullptr : pickle.get<PickleText>(tuple->items[0]);
      if (persistent == nullptr || (kind != nullptr && kind->value == "module")) continue;
      const auto id = read_storage_id(pickle, *persistent, result_.where);
      ids.emplace(id.key, id);
    }
    return ids;
  }
  void read_storage(const PytorchStorageId& id) {
    const auto name = shown(id.key);
    if (rest_.size() < sizeof(std::int64_t)) refuse(result_.where, fmt::format("ends before storage {}", name));
    const auto count = load<std::uint64_t>(rest_);
    rest_ = rest_.subspan(sizeof count);
    if (count != id.elements) {
      refuse(result_.where, fmt::format("has {} elements in storage {}, its pickle says {}", count, name, id.elements));
    }
    const auto size = checked_multiply<std::uint64_t>(count, id.type->element_bytes);
    if (!size || *size > rest_.size()) {
      refuse(result_.where, fmt::format("ends within storage {} of {} elements", name, count), "was it cut short?");
    }
    if (!result_.storages.emplace(id.key, PytorchStorage{rest_.first(*size), std::nullopt}).second) {
      refuse(result_.where, fmt::format("lists storage {} twice", name));
    }
    rest_ = rest_.subspan(*size);
  }

  Bytes rest_;
  PytorchFile result_;
};

}  // namespace

PytorchStorageId read_storage_id(const Pickle& pickle, const PicklePersistent& persistent, const std::string& where) {
  const auto bad = [&](std::string_view what) { refuse(where, fmt::format("its pickle refers to a storage by {}", what)); };
  const auto* tuple = pickle.get<PickleTuple>(persistent.id);
  if (tuple == nullptr || tuple->items.size() < 5 || tuple->items.size() > 6) bad("something other than 5 or 6 values");
  const auto& items = tuple->items;
  const auto* kind = pickle.get<PickleText>(items[0]);
  const auto* type = pickle.get<PickleGlobal>(items[1]);
  const auto* key = pickle.get<PickleText>(items[2]);
  const auto* elements = pickle.get<std::int64_t>(items[4]);
  if (kind == nullptr || kind->value != "storage") bad("something other than 'storage'");
  if (type == nullptr || key == nullptr || elements == nullptr || *elements < 0) bad("values of unknown types");
  PytorchStorageId id{.type = type->module.starts_with("torch") ? storage_type_named(type->name) : nullptr,
                      .key = key->value,
                      .elements = static_cast<std::uint64_t>(*elements),
                      .view_offset = 0,
                      .view_elements = static_cast<std::uint64_t>(*elements)};
  if (id.type == nullptr) bad(fmt::format("the unknown class {}", shown(*type)));
  if (items.size() == 6 && pickle.get<PickleNone>(items[5]) == nullptr) {
    const auto* view = pickle.get<PickleTuple>(items[5]);
    const auto* offset = view == nullptr || view->items.size() != 3 ? nullptr : pickle.get<std::int64_t>(view->items[1]);
    const auto* size = offset == nullptr ? nullptr : pickle.get<std::int64_t>(view->items[2]);
    if (size == nullptr || *offset < 0 || *size < 0 || *offset > *elements || *size > *elements - *offset) {
      bad("a view that leads outside");
    }
    id.view_offset = static_cast<std::uint64_t>(*offset);
    id.view_elements = static_cast<std::uint64_t>(*size);
  }
  return id;
}

bool looks_like_pytorch(Bytes file) {
  const auto text = as_text(file);
  return text.starts_with(kZipStart) || text.starts_with('\x80') || text.starts_with(kTextMagic) ||
         (text.size() > kTarMarkOffset && text.substr(kTarMarkOffset).starts_with(kTarMark));
}

PytorchFile read_pytorch_file(Bytes bytes, std::shared_ptr<const void> owner, const std::string& where) {
  const auto text = as_text(bytes);
  if (text.starts_with(kZipStart)) return read_zip_container(bytes, std::move(owner), where);
  if (text.size() > kTarMarkOffset && text.substr(kTarMarkOffset).starts_with(kTarMark)) {
    refuse(where, "is a tar archive, as PyTorch wrote before 0.1.10, which is not supported",
           "load it with PyTorch and torch.save it anew");
  }
  if (text.starts_with(kTextMagic)) {
    refuse(where, "was saved with pickle protocol 0 or 1, which is not supported", "save it without pickle_protocol");
  }
  if (!text.starts_with('\x80')) refuse(where, "is no PyTorch checkpoint: it is neither a zip archive nor a pickle");
  auto legacy = LegacyReader(bytes, std::move(owner), where).read();
  if (!legacy) refuse(where, "is a pickle, but no PyTorch checkpoint", "was it written by pickle.dump instead of torch.save?");
  return std::move(*legacy);
}

}  // namespace alexnet
