#include "formats/pytorch.h"

#include <algorithm>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/pytorch_tensor.h"

namespace alexnet {
namespace {

constexpr int kMaxNesting = 4;       // of wrappers around a state dict
constexpr int kMaxModuleDepth = 64;  // of modules in modules
constexpr std::size_t kMaxModules = 10'000;
constexpr std::size_t kMaxTensors = 100'000;
constexpr std::size_t kMaxMembers = 10'000;  // of one module; looked up one by one

std::string joined(const std::string& prefix, std::string_view name) {
  return prefix.empty() ? std::string(name) : fmt::format("{}.{}", prefix, name);
}

// The state of a pickled nn.Module; kNoPickle for all else.
PickleRef module_state(const Pickle& pickle, PickleRef node) {
  const auto* object = pickle.get<PickleObject>(node);
  const auto* state = object == nullptr ? nullptr : pickle.get<PickleDict>(object->state);
  if (state == nullptr || state->items.size() > kMaxMembers) return kNoPickle;
  if (pickle.find(object->state, "_modules") == kNoPickle || pickle.find(object->state, "_parameters") == kNoPickle)
    return kNoPickle;
  return object->state;
}

// Walks a module and its children, parents first, as nn.Module.state_dict() does.
class ModuleWalk {
 public:
  using Visit = std::function<void(const std::string& name, const PickleObject& module)>;
  ModuleWalk(const PytorchFile& file, Visit visit) : file_(file), visit_(std::move(visit)) {}

  void walk(PickleRef node, const std::string& name = "", int depth = 0) {
    const auto& pickle = file_.pickle;
    const auto state = module_state(pickle, node);
    if (state == kNoPickle) return;
    if (depth > kMaxModuleDepth || ++count_ > kMaxModules) {
      throw Error(ErrorKind::model, file_.where,
                  fmt::format("has modules nested deeper than {} or more than {} of them", kMaxModuleDepth, kMaxModules));
    }
    visit_(name, *pickle.get<PickleObject>(node));
    const auto* children = pickle.get<PickleDict>(pickle.find(state, "_modules"));
    if (children == nullptr || children->items.size() > kMaxMembers) return;
    for (const auto& [key, child] : children->items) {
      if (const auto* text = pickle.get<PickleText>(key)) walk(child, joined(name, text->value), depth + 1);
    }
  }

 private:
  const PytorchFile& file_;
  Visit visit_;
  std::size_t count_ = 0;
};

class EntryFinder {
 public:
  explicit EntryFinder(const PytorchFile& file) : file_(file), pickle_(file.pickle) {}

  std::vector<PytorchEntry> find() {
    visit(pickle_.root, "", 0);
    return std::move(entries_);
  }

 private:
  // Nodes may be shared and cyclic: each is looked at once, in the outermost place.
  void visit(PickleRef node, const std::string& key, int depth) {
    if (depth > kMaxNesting || !seen_.insert(node).second) return;
    if (is_pytorch_tensor(pickle_, node) && depth == 0) return add({.key = key, .node = node, .tensors = {{"", node}}});
    if (module_state(pickle_, node) != kNoPickle) return visit_module(node, key);
    if (const auto* dict = pickle_.get<PickleDict>(node)) return visit_dict(*dict, node, key, depth);
    if (depth > 0) return;
    if (const auto* list = pickle_.get<PickleList>(node)) return visit_list(list->items, node);
    if (const auto* tuple = pickle_.get<PickleTuple>(node)) return visit_list(tuple->items, node);
  }

  void visit_dict(const PickleDict& dict, PickleRef node, const std::string& key, int depth) {
    PytorchEntry entry{.key = key, .node = node, .tensors = {}};
    std::map<std::string_view, std::size_t> place;
    std::vector<std::pair<std::string, PickleRef>> children;
    for (const auto& [name_node, value] : dict.items) {
      const auto* name = pickle_.get<PickleText>(name_node);
      if (name == nullptr) continue;
      if (!is_pytorch_tensor(pickle_, value)) {
        if (!name->value.starts_with("optim")) children.emplace_back(joined(key, checked(name->value)), value);
        continue;
      }
      const auto [known, inserted] = place.emplace(name->value, entry.tensors.size());
      if (inserted) {
        entry.tensors.emplace_back(checked(name->value), value);
      } else {
        entry.tensors[known->second].second = value;
      }
    }
    add(std::move(entry));
    for (const auto& [name, child] : children) visit(child, name, depth + 1);
  }

  void visit_list(const std::vector<PickleRef>& items, PickleRef node) {
    PytorchEntry entry{.key = "", .node = node, .tensors = {}};
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (is_pytorch_tensor(pickle_, items[i])) entry.tensors.emplace_back(std::to_string(i), items[i]);
    }
    add(std::move(entry));
    for (std::size_t i = 0; i < items.size(); ++i) visit(items[i], std::to_string(i), 1);
  }

  void visit_module(PickleRef node, const std::string& key) {
    PytorchEntry entry{.key = key, .is_module = true, .node = node, .tensors = {}};
    ModuleWalk walk(file_, [&](const std::string& name, const PickleObject& module) {
      collect(pickle_.find(module.state, "_parameters"), name, kNoPickle, entry);
      collect(pickle_.find(module.state, "_buffers"), name, pickle_.find(module.state, "_non_persistent_buffers_set"), entry);
    });
    walk.walk(node);
    std::set<std::string_view> names;
    for (const auto& tensor : entry.tensors) {
      if (names.insert(tensor.first).second) continue;
      throw Error(ErrorKind::model, file_.where, fmt::format("has a module with two tensors named {}", shown(tensor.first)));
    }
    add(std::move(entry));
  }

  // The tensors of a module's dictionary but those whose names are in `left_out`.
  void collect(PickleRef node, const std::string& module, PickleRef left_out, PytorchEntry& entry) const {
    const auto* dict = pickle_.get<PickleDict>(node);
    if (dict == nullptr) return;
    const auto names = names_in(left_out);
    for (const auto& [key, value] : dict->items) {
      const auto* name = pickle_.get<PickleText>(key);
      if (name == nullptr || !is_pytorch_tensor(pickle_, value) || names.contains(name->value)) continue;
      entry.tensors.emplace_back(joined(module, checked(name->value)), value);
      if (entry.tensors.size() > kMaxTensors) throw Error(ErrorKind::model, file_.where, "has too many tensors in a module");
    }
  }

  // The texts of a set: one of protocol 4, or set([...]).
  std::set<std::string_view> names_in(PickleRef node) const {
    const std::vector<PickleRef>* items = nullptr;
    if (const auto* set = pickle_.get<PickleSet>(node)) items = &set->items;
    if (const auto* call = pickle_.get<PickleCall>(node)) {
      const auto* arguments = pickle_.get<PickleTuple>(call->arguments);
      const auto* list = arguments == nullptr || arguments->items.empty() ? nullptr : pickle_.get<PickleList>(arguments->items[0]);
      if (list != nullptr) items = &list->items;
    }
    std::set<std::string_view> names;
    if (items == nullptr || items->size() > kMaxMembers) return names;
    for (const auto item : *items) {
      if (const auto* name = pickle_.get<PickleText>(item)) names.insert(name->value);
    }
    return names;
  }

  std::string checked(std::string_view name) const {
    if (!is_utf8(name)) throw Error(ErrorKind::model, file_.where, fmt::format("has the name {}, which is not UTF-8", shown(name)));
    return std::string(name);
  }
  void add(PytorchEntry entry) {
    if (!entry.tensors.empty()) entries_.push_back(std::move(entry));
  }

  const PytorchFile& file_;
  const Pickle& pickle_;
  std::set<PickleRef> seen_;
  std::vector<PytorchEntry> entries_;
};

std::string type_of(const Pickle& pickle, const PickleObject& module) {
  PickleRef type = module.type;
  // In the legacy container ('module', class, file, source) stands for the class.
  if (const auto* persistent = pickle.get<PicklePersistent>(type)) {
    const auto* tuple = pickle.get<PickleTuple>(persistent->id);
    if (tuple != nullptr && tuple->items.size() > 1) type = tuple->items[1];
  }
  const auto* global = pickle.get<PickleGlobal>(type);
  return global == nullptr ? std::string() : to_utf8_lossy(fmt::format("{}.{}", global->module, global->name));
}

// Nothing for what is neither a plain value nor a tuple of whole numbers.
std::optional<PytorchAttribute> attribute_of(const Pickle& pickle, PickleRef node) {
  if (pickle.get<PickleNone>(node) != nullptr) return std::monostate{};
  if (const auto* value = pickle.get<bool>(node)) return *value;
  if (const auto* value = pickle.get<std::int64_t>(node)) return *value;
  if (const auto* value = pickle.get<double>(node)) return *value;
  if (const auto* value = pickle.get<PickleText>(node)) return to_utf8_lossy(value->value);
  const auto* tuple = pickle.get<PickleTuple>(node);
  if (tuple == nullptr || tuple->items.size() > Shape::kMaxRank) return std::nullopt;
  std::vector<std::int64_t> values;
  for (const auto item : tuple->items) {
    const auto* value = pickle.get<std::int64_t>(item);
    if (value == nullptr) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace

PytorchCheckpoint read_pytorch(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_pytorch(file->bytes(), file, path.string());
}

PytorchCheckpoint read_pytorch(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where) {
  PytorchCheckpoint checkpoint{.file = read_pytorch_file(file, std::move(owner), where), .entries = {}};
  checkpoint.entries = EntryFinder(checkpoint.file).find();
  return checkpoint;
}

std::vector<NamedTensor> tensors_of(const PytorchCheckpoint& checkpoint, const PytorchEntry& entry) {
  PytorchTensorReader reader(checkpoint.file);
  std::vector<NamedTensor> tensors;
  for (const auto& [name, node] : entry.tensors) tensors.push_back({name, reader.read(node, name)});
  return tensors;
}

std::vector<PytorchModule> modules_of(const PytorchCheckpoint& checkpoint, const PytorchEntry& entry) {
  const auto& pickle = checkpoint.file.pickle;
  std::vector<PytorchModule> modules;
  if (!entry.is_module) return modules;
  ModuleWalk walk(checkpoint.file, [&](const std::string& name, const PickleObject& object) {
    PytorchModule module{.name = to_utf8_lossy(name), .type = type_of(pickle, object), .attributes = {}};
    for (const auto& [key, value] : pickle.get<PickleDict>(object.state)->items) {
      const auto* text = pickle.get<PickleText>(key);
      if (text == nullptr || text->value.starts_with('_') || !is_utf8(text->value)) continue;
      if (auto attribute = attribute_of(pickle, value)) module.attributes.insert_or_assign(std::string(text->value), *attribute);
    }
    modules.push_back(std::move(module));
  });
  walk.walk(entry.node);
  return modules;
}

}  // namespace alexnet
