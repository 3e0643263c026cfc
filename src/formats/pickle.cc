#include "formats/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "formats/bytes.h"
#include "formats/pickle_globals.h"
#include "formats/pickle_opcodes.h"

namespace alexnet {
namespace {

constexpr std::size_t kMaxNodes = 1'000'000;
constexpr std::size_t kMaxSteps = 16'000'000;
constexpr std::size_t kMaxName = 1'000;

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  Pickle run() {
    if (bytes_.size() < 2 || take<std::uint8_t>() != static_cast<std::uint8_t>(PickleOpcode::proto)) {
      refuse("is no pickle of protocol 2 to 5; protocols 0 and 1 are not supported");
    }
    check_protocol(take<std::uint8_t>());
    for (std::size_t steps = 0; !stopped_; ++steps) {
      if (steps == kMaxSteps) refuse(fmt::format("has more than {} operations", kMaxSteps));
      at_ = position_;
      code_ = take<std::uint8_t>();
      step();
    }
    pickle_.size = position_;
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) const {
    throw Error(ErrorKind::model, where_, fmt::format("the pickle {} (at byte {})", message, at_), hint);
  }

  template <typename T>
  T take() {
    return load<T>(take_bytes(sizeof(T)));
  }
  std::span<const std::byte> take_bytes(std::uint64_t count) {
    if (count > bytes_.size() - position_) {
      refuse(fmt::format("ends within {}, which wants {} more bytes", opcode_name(code_), count));
    }
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  template <typename Length>
  std::string_view take_counted() {
    return as_text(take_bytes(take<Length>()));
  }
  std::string_view take_line() {
    const auto rest = as_text(bytes_.subspan(position_));
    const auto end = rest.substr(0, kMaxName + 1).find('\n');
    if (end == std::string_view::npos) refuse(fmt::format("has a name without an end in {}", opcode_name(code_)));
    position_ += end + 1;
    return rest.substr(0, end);
  }

  // Values on the stack above the last mark; an opcode can't reach below it.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  void push(PickleRef node) {
    if (stack_.size() == kMaxNodes) refuse(fmt::format("has more than {} values on its stack", kMaxNodes));
    stack_.push_back(node);
  }
  void push_new(PickleNode node) {
    if (pickle_.nodes.size() == kMaxNodes) refuse(fmt::format("has more than {} values", kMaxNodes));
    pickle_.nodes.push_back(std::move(node));
    push(static_cast<PickleRef>(pickle_.nodes.size() - 1));
  }
  void want(std::size_t count) const {
    if (stack_.size() - floor() < count) {
      refuse(fmt::format("has {} values on its stack where {} wants {}", stack_.size() - floor(), opcode_name(code_), count));
    }
  }
  PickleRef pop() {
    want(1);
    const auto node = stack_.back();
    stack_.pop_back();
    return node;
  }
  PickleRef top() const {
    want(1);
    return stack_.back();
  }
  std::vector<PickleRef> pop_last(std::size_t count) {
    want(count);
    std::vector<PickleRef> values(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }
  std::vector<PickleRef> pop_to_mark() {
    if (marks_.empty()) refuse(fmt::format("has no mark for {}", opcode_name(code_)));
    auto values = pop_last(stack_.size() - floor());
    marks_.pop_back();
    return values;
  }
  template <typename T>
  T* mutable_top() {
    return std::get_if<T>(&pickle_.nodes[top()]);
  }
  [[noreturn]] void refuse_target() const {
    refuse(fmt::format("has no value on its stack that {} could change", opcode_name(code_)));
  }

  void check_protocol(int protocol) const {
    if (protocol < 2 || protocol > 5) refuse(fmt::format("is of protocol {}, supported are 2 to 5", protocol));
  }

  void memoize(std::uint32_t number) {
    if (memo_.size() == kMaxNodes) refuse(fmt::format("remembers more than {} values", kMaxNodes));
    memo_[number] = top();
  }
  void recall(std::uint32_t number) {
    const auto found = memo_.find(number);
    if (found == memo_.end()) refuse(fmt::format("asks for the value number {}, which it has not remembered", number));
    push(found->second);
  }

  void push_long() {
    const auto digits = take_counted<std::uint8_t>();
    if (digits.size() > sizeof(std::int64_t)) return push_new(PickleBigInteger{digits});
    std::uint64_t value = !digits.empty() && (digits.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(digits[i]);
    push_new(static_cast<std::int64_t>(value));
  }
  void push_float() {
    auto bits = take<std::array<std::uint8_t, 8>>();
    std::reverse(bits.begin(), bits.end());
    push_new(std::bit_cast<double>(bits));
  }
  void push_stack_global() {
    const auto names = pop_last(2);
    const auto* module = pickle_.get<PickleText>(names[0]);
    const auto* name = pickle_.get<PickleText>(names[1]);
    if (module == nullptr || name == nullptr) refuse("names a global by something other than text");
    if (module->value.size() > kMaxName || name->value.size() > kMaxName) refuse("has a name that is too long");
    push_new(PickleGlobal{module->value, name->value});
  }

  void extend(std::vector<PickleRef> values) {
    std::vector<PickleRef>* items = nullptr;
    if (auto* list = mutable_top<PickleList>()) items = &list->items;
    if (auto* set = mutable_top<PickleSet>()) items = &set->items;
    if (auto* object = mutable_top<PickleObject>()) items = &object->items;
    // A deque or an inert call: what it would hold is of no use.
    if (items == nullptr && mutable_top<PickleCall>() == nullptr) refuse_target();
    if (items != nullptr) items->insert(items->end(), values.begin(), values.end());
  }
  void set_items(const std::vector<PickleRef>& values) {
    if (values.size() % 2 != 0) refuse(fmt::format("has a key without a value for {}", opcode_name(code_)));
    std::vector<std::pair<PickleRef, PickleRef>>* pairs = nullptr;
    if (auto* dict = mutable_top<PickleDict>()) pairs = &dict->items;
    if (auto* object = mutable_top<PickleObject>()) pairs = &object->pairs;
    if (pairs == nullptr && mutable_top<PickleCall>() == nullptr) refuse_target();
    for (std::size_t i = 0; pairs != nullptr && i < values.size(); i += 2) pairs->emplace_back(values[i], values[i + 1]);
  }

  // Python 2 gives OrderedDict its items as one list of [key, value].
  PickleDict ordered_dict(PickleRef arguments) const {
    PickleDict dict;
    const auto& values = std::get<PickleTuple>(pickle_.nodes[arguments]).items;
    if (values.empty()) return dict;
    const auto* list = pickle_.get<PickleList>(values[0]);
    if (list == nullptr || values.size() != 1) refuse("makes an OrderedDict of something other than a list");
    for (const auto item : list->items) {
      const auto* pair = pickle_.get<PickleList>(item);
      const auto* tuple = pickle_.get<PickleTuple>(item);
      const auto* both = pair != nullptr ? &pair->items : tuple != nullptr ? &tuple->items : nullptr;
      if (both == nullptr || both->size() != 2) refuse("makes an OrderedDict of something other than pairs");
      dict.items.emplace_back((*both)[0], (*both)[1]);
    }
    return dict;
  }
  void reduce() {
    const auto values = pop_last(2);
    const auto* global = pickle_.get<PickleGlobal>(values[0]);
    if (global == nullptr) refuse("would call something other than a global");
    if (pickle_.get<PickleTuple>(values[1]) == nullptr) refuse(fmt::format("would call {} without a tuple", shown(*global)));
    if (!may_call(global->module, global->name)) {
      refuse(fmt::format("would call {}, which no checkpoint of weights needs", shown(*global)),
             "nothing was run; save the model's state_dict() alone");
    }
    if (global->module == "collections" && global->name == "OrderedDict") return push_new(ordered_dict(values[1]));
    push_new(PickleCall{.function = values[0], .arguments = values[1]});
  }
  void new_object(bool keywords) {
    const auto values = pop_last(keywords ? 3 : 2);
    if (pickle_.get<PickleGlobal>(values[0]) == nullptr && pickle_.get<PicklePersistent>(values[0]) == nullptr) {
      refuse("makes an object of something other than a class");
    }
    push_new(PickleObject{.type = values[0], .arguments = values[1]});
  }
  void build() {
    const auto state = pop();
    if (mutable_top<PickleDict>() != nullptr) return;
    if (auto* call = mutable_top<PickleCall>()) {
      call->state = state;
    } else if (auto* object = mutable_top<PickleObject>()) {
      object->state = state;
    } else {
      refuse_target();
    }
  }
  void stop() {
    if (stack_.size() != 1 || !marks_.empty()) refuse(fmt::format("ends with {} values on its stack", stack_.size()));
    pickle_.root = stack_[0];
    stopped_ = true;
  }

  void step() {
    switch (static_cast<PickleOpcode>(code_)) {
      case PickleOpcode::proto: return check_protocol(take<std::uint8_t>());
      case PickleOpcode::frame:
        if (take<std::uint64_t>() > bytes_.size() - position_) refuse("has a frame that is longer than the rest");
        return;
      case PickleOpcode::stop: return stop();
      case PickleOpcode::mark:
        if (marks_.size() == kMaxNodes) refuse(fmt::format("has more than {} marks", kMaxNodes));
        return marks_.push_back(stack_.size());
      case PickleOpcode::none: return push_new(PickleNone{});
      case PickleOpcode::newtrue: return push_new(true);
      case PickleOpcode::newfalse: return push_new(false);
      case PickleOpcode::binint: return push_new(std::int64_t{take<std::int32_t>()});
      case PickleOpcode::binint1: return push_new(std::int64_t{take<std::uint8_t>()});
      case PickleOpcode::binint2: return push_new(std::int64_t{take<std::uint16_t>()});
      case PickleOpcode::long1: return push_long();
      case PickleOpcode::binfloat: return push_float();
      case PickleOpcode::short_binstring:
      case PickleOpcode::short_binunicode: return push_new(PickleText{take_counted<std::uint8_t>()});
      case PickleOpcode::binstring:
      case PickleOpcode::binunicode: return push_new(PickleText{take_counted<std::uint32_t>()});
      case PickleOpcode::binunicode8: return push_new(PickleText{take_counted<std::uint64_t>()});
      case PickleOpcode::short_binbytes: return push_new(PickleBytes{take_counted<std::uint8_t>()});
      case PickleOpcode::binbytes: return push_new(PickleBytes{take_counted<std::uint32_t>()});
      case PickleOpcode::binbytes8:
      case PickleOpcode::bytearray8: return push_new(PickleBytes{take_counted<std::uint64_t>()});
      case PickleOpcode::empty_list: return push_new(PickleList{});
      case PickleOpcode::empty_tuple: return push_new(PickleTuple{});
      case PickleOpcode::empty_dict: return push_new(PickleDict{});
      case PickleOpcode::empty_set: return push_new(PickleSet{});
      case PickleOpcode::tuple1: return push_new(PickleTuple{pop_last(1)});
      case PickleOpcode::tuple2: return push_new(PickleTuple{pop_last(2)});
      case PickleOpcode::tuple3: return push_new(PickleTuple{pop_last(3)});
      case PickleOpcode::tuple: return push_new(PickleTuple{pop_to_mark()});
      case PickleOpcode::frozenset: return push_new(PickleSet{pop_to_mark()});
      case PickleOpcode::append: return extend(pop_last(1));
      case PickleOpcode::appends:
      case PickleOpcode::additems: return extend(pop_to_mark());
      case PickleOpcode::setitem: return set_items(pop_last(2));
      case PickleOpcode::setitems: return set_items(pop_to_mark());
      case PickleOpcode::binput: return memoize(take<std::uint8_t>());
      case PickleOpcode::long_binput: return memoize(take<std::uint32_t>());
      case PickleOpcode::memoize: return memoize(static_cast<std::uint32_t>(memo_.size()));
      case PickleOpcode::binget: return recall(take<std::uint8_t>());
      case PickleOpcode::long_binget: return recall(take<std::uint32_t>());
      case PickleOpcode::global: {
        const auto module = take_line();
        return push_new(PickleGlobal{module, take_line()});
      }
      case PickleOpcode::stack_global: return push_stack_global();
      case PickleOpcode::binpersid: return push_new(PicklePersistent{pop()});
      case PickleOpcode::reduce: return reduce();
      case PickleOpcode::newobj: return new_object(/*keywords=*/false);
      case PickleOpcode::newobj_ex: return new_object(/*keywords=*/true);
      case PickleOpcode::build: return build();
    }
    refuse(fmt::format("has the opcode {}, which torch.save does not write", opcode_name(code_)));
  }

  std::span<const std::byte> bytes_;
  const std::string& where_;
  std::size_t position_ = 0;
  std::size_t at_ = 0;  // where the opcode is
  std::uint8_t code_ = 0x80;
  bool stopped_ = false;
  Pickle pickle_;
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, PickleRef> memo_;
};

}  // namespace

PickleRef Pickle::find(PickleRef dictionary, std::string_view key) const {
  const auto* dict = get<PickleDict>(dictionary);
  PickleRef found = kNoPickle;
  if (dict == nullptr) return found;
  for (const auto& [name, value] : dict->items) {
    const auto* text = get<PickleText>(name);
    if (text != nullptr && text->value == key) found = value;
  }
  return found;
}

bool Pickle::is_global(PickleRef node, std::string_view module, std::string_view name) const {
  const auto* global = get<PickleGlobal>(node);
  return global != nullptr && global->module == module && global->name == name;
}

Pickle read_pickle(std::span<const std::byte> bytes, const std::string& where) { return Machine(bytes, where).run(); }

std::string shown(const PickleGlobal& global) { return shown(std::string(global.module) + '.' + std::string(global.name)); }

}  // namespace alexnet
