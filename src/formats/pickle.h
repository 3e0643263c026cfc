// Python's pickles as plain values. Goals: read what torch.save writes (protocols 2 to 5) and nothing else, in bounded
// time and memory, whatever the bytes are. Non-goals: objects with behaviour. Nothing is ever imported or called: a
// global is two names, a call is a node that says what would have been called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace alexnet {

// A node, by its place in Pickle::nodes. Nodes may be shared and, through lists and dictionaries, contain themselves:
// whoever walks them must bound the depth and the number of steps.
using PickleRef = std::uint32_t;
inline constexpr PickleRef kNoPickle = UINT32_MAX;

// Text and bytes look into the pickle that was read.
struct PickleNone {};
struct PickleBigInteger {
  std::string_view bytes;  // two's complement, little-endian, more than 64 bits
};
struct PickleText {
  std::string_view value;  // UTF-8, perhaps with surrogates
};
struct PickleBytes {
  std::string_view value;
};
struct PickleList {
  std::vector<PickleRef> items;
};
struct PickleTuple {
  std::vector<PickleRef> items;
};
struct PickleSet {
  std::vector<PickleRef> items;
};
// dict and collections.OrderedDict, whose attributes are dropped. A key may be there twice: the last one counts.
struct PickleDict {
  std::vector<std::pair<PickleRef, PickleRef>> items;
};
struct PickleGlobal {
  std::string_view module;
  std::string_view name;
};
// A function or class of the list in pickle_globals.cc with its arguments, and the state that was to be given to the result.
struct PickleCall {
  PickleRef function;
  PickleRef arguments;
  PickleRef state = kNoPickle;
};
// An instance of any class, with what was to be stored in it.
struct PickleObject {
  PickleRef type;
  PickleRef arguments;
  PickleRef state = kNoPickle;
  std::vector<PickleRef> items = {};                        // of a class made from list or set
  std::vector<std::pair<PickleRef, PickleRef>> pairs = {};  // of a class made from dict
};
// What the file refers to outside the pickle, such as a storage.
struct PicklePersistent {
  PickleRef id;
};

using PickleNode = std::variant<PickleNone, bool, std::int64_t, PickleBigInteger, double, PickleText, PickleBytes, PickleList,
                                PickleTuple, PickleSet, PickleDict, PickleGlobal, PickleCall, PickleObject, PicklePersistent>;

struct Pickle {
  std::vector<PickleNode> nodes;
  PickleRef root = 0;
  std::size_t size = 0;  // bytes up to and with STOP

  // The node's value if it is of this type.
  template <typename T>
  const T* get(PickleRef node) const {
    return node < nodes.size() ? std::get_if<T>(&nodes[node]) : nullptr;
  }
  // The value under a text key; kNoPickle if the node is no dictionary or lacks the key.
  PickleRef find(PickleRef dictionary, std::string_view key) const;
  bool is_global(PickleRef node, std::string_view module, std::string_view name) const;
};

// Reads the pickle at the front of `bytes`, which must outlive the result. At most a million nodes, 16 million
// operations. Throws Error of kind model, naming the byte, for opcodes that torch.save does not write and for calls of
// globals that are not on the list.
Pickle read_pickle(std::span<const std::byte> bytes, const std::string& where);

// "module.name", fit for a message.
std::string shown(const PickleGlobal& global);

}  // namespace alexnet
