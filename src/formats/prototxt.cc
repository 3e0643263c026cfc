#include "formats/prototxt.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/bytes.h"

namespace alexnet {
namespace {

constexpr int kMaxDepth = 100;  // protobuf's own limit
constexpr std::size_t kMaxFields = 100'000;
constexpr std::uint64_t kMaxBytes = std::uint64_t{16} << 20;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'; }

std::optional<unsigned> digit(char c, unsigned base) {
  const unsigned value = is_digit(c)              ? static_cast<unsigned>(c - '0')
                         : (c >= 'a' && c <= 'f') ? static_cast<unsigned>(c - 'a') + 10
                         : (c >= 'A' && c <= 'F') ? static_cast<unsigned>(c - 'A') + 10
                                                  : base;
  return value < base ? std::optional(value) : std::nullopt;
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  PrototxtMessage whole() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    return fields(std::nullopt, 1, 0);
  }

 private:
  std::string place() const { return fmt::format("{}, line {}", where_, line_); }

  [[noreturn]] void fail(const std::string& message) const { throw Error(ErrorKind::model, place(), message); }

  bool at_end() const { return at_ == text_.size(); }
  char here() const { return at_end() ? '\0' : text_[at_]; }
  void step() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }

  void skip_space() {
    while (!at_end()) {
      if (here() == '#') {
        while (!at_end() && here() != '\n') step();
      } else if (is_space(here())) {
        step();
      } else {
        return;
      }
    }
  }

  // What stands here, for a message.
  std::string found() const { return at_end() ? "the end of the file" : shown(text_.substr(at_, 1)); }

  bool take(char c) {
    if (at_end() || here() != c) return false;
    step();
    skip_space();
    return true;
  }

  // Fields up to the closing bracket of what line `opened` began, or to the end of the text.
  PrototxtMessage fields(std::optional<char> closing, std::size_t opened, int depth) {
    if (depth > kMaxDepth) fail(fmt::format("is nested deeper than {}", kMaxDepth));
    PrototxtMessage result;
    skip_space();
    for (;;) {
      if (at_end()) {
        if (closing) fail(fmt::format("ends where a '{}' is wanted, for what line {} opens", *closing, opened));
        return result;
      }
      if (closing && take(*closing)) return result;
      field(result, depth);
      if (!take(',')) take(';');
    }
  }

  std::string field_name() {
    const auto begin = at_;
    if (here() == '[') {  // an extension: [package.name]
      while (!at_end() && here() != ']' && here() != '\n') step();
      if (here() != ']') fail("has an extension's name without an end");
      step();
    } else {
      if (!is_letter(here())) fail(fmt::format("has {} where a field's name is wanted", found()));
      while (is_letter(here()) || is_digit(here())) step();
    }
    auto result = std::string(text_.substr(begin, at_ - begin));
    skip_space();
    return result;
  }

  void field(PrototxtMessage& into, int depth) {
    const auto where = place();
    const auto name = field_name();
    const bool colon = take(':');
    if (!colon && here() != '{' && here() != '<' && here() != '[') {
      fail(fmt::format("has {} after {}, where ':' or '{{' is wanted", found(), shown(name)));
    }
    const auto add = [&](std::variant<PrototxtScalar, PrototxtMessage> value) {
      if (++count_ > kMaxFields) fail(fmt::format("has more than {} fields", kMaxFields));
      into.fields.push_back({name, std::move(value), where});
    };
    if (!take('[')) {
      add(value(depth));
      return;
    }
    if (take(']')) return;
    do {
      add(value(depth));
    } while (take(','));
    if (!take(']')) fail(fmt::format("has {} in the list of {}, where ',' or ']' is wanted", found(), shown(name)));
  }

  std::variant<PrototxtScalar, PrototxtMessage> value(int depth) {
    const auto opened = line_;
    if (take('{')) return fields('}', opened, depth + 1);
    if (take('<')) return fields('>', opened, depth + 1);
    if (here() == '"' || here() == '\'') {
      PrototxtScalar result{.text = {}, .quoted = true};
      while (here() == '"' || here() == '\'') quoted(result.text);
      return result;
    }
    PrototxtScalar result;
    if (take('-')) result.text = "-";
    const auto begin = at_;
    // A sign belongs to a number only behind its exponent's e.
    const auto exponent_sign = [&] {
      return (here() == '+' || here() == '-') && at_ > begin && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') &&
             (is_digit(text_[begin]) || text_[begin] == '.');
    };
    while (is_letter(here()) || is_digit(here()) || here() == '.' || exponent_sign()) step();
    if (at_ == begin) fail(fmt::format("has {} where a value is wanted", found()));
    result.text += text_.substr(begin, at_ - begin);
    skip_space();
    return result;
  }

  void quoted(std::string& into) {
    const char quote = here();
    step();
    while (!at_end() && here() != quote && here() != '\n') {
      if (here() == '\\') {
        step();
        escape(into);
      } else {
        into += here();
        step();
      }
    }
    if (here() != quote) fail("has quoted text without an end");
    step();
    skip_space();
  }

  void escape(std::string& into) {
    static constexpr std::string_view kNames = "abfnrtv\\'\"?";
    static constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"?";
    const auto number = [&](unsigned base, int most) {
      unsigned code = 0;
      int digits = 0;
      for (; digits < most && digit(here(), base); ++digits) {
        code = code * base + *digit(here(), base);
        step();
      }
      if (digits == 0 || code > 255) fail("has an escape sequence that is no byte");
      into += static_cast<char>(code);
    };
    if (const auto known = kNames.find(here()); !at_end() && known != kNames.npos) {
      into += kMeanings[known];
      step();
    } else if (digit(here(), 8)) {
      number(8, 3);
    } else if (here() == 'x' || here() == 'X') {
      step();
      number(16, 2);
    } else {
      fail("has an unknown escape sequence");
    }
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t count_ = 0;
};

std::optional<std::int64_t> integer_of(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return negative ? -value : value;
}

std::optional<double> number_of(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const bool negative = lower.starts_with('-');
  const auto word = std::string_view(lower).substr(negative ? 1 : 0);
  const double sign = negative ? -1 : 1;
  if (word == "inf" || word == "infinity" || word == "inff") return sign * std::numeric_limits<double>::infinity();
  if (word == "nan" || word == "nanf") return std::numeric_limits<double>::quiet_NaN();
  if (const auto whole = integer_of(lower)) return static_cast<double>(*whole);
  if (lower.ends_with('f')) lower.pop_back();
  return parse_number(lower);
}

}  // namespace

std::vector<const PrototxtField*> PrototxtMessage::all(std::string_view name) const {
  std::vector<const PrototxtField*> result;
  for (const auto& field : fields) {
    if (field.name == name) result.push_back(&field);
  }
  return result;
}

const PrototxtField* PrototxtMessage::find(std::string_view name) const {
  const auto found = all(name);
  return found.empty() ? nullptr : found.back();
}

namespace {

[[noreturn]] void wrong(const PrototxtField& field, std::string_view wanted) {
  const auto* scalar = std::get_if<PrototxtScalar>(&field.value);
  throw Error(
      ErrorKind::model, field.place,
      fmt::format("{} is {}, must be {}", shown(field.name), scalar != nullptr ? shown(scalar->text) : "a message", wanted));
}

const std::string& scalar(const PrototxtField& field, bool quoted, std::string_view wanted) {
  const auto* value = std::get_if<PrototxtScalar>(&field.value);
  if (value == nullptr || value->quoted != quoted) wrong(field, wanted);
  return value->text;
}

}  // namespace

const PrototxtMessage& PrototxtField::message() const {
  const auto* result = std::get_if<PrototxtMessage>(&value);
  if (result == nullptr) wrong(*this, "a message in braces");
  return *result;
}

std::int64_t PrototxtField::integer() const {
  const auto result = integer_of(scalar(*this, false, "a whole number"));
  if (!result) wrong(*this, "a whole number");
  return *result;
}

double PrototxtField::number() const {
  const auto result = number_of(scalar(*this, false, "a number"));
  if (!result) wrong(*this, "a number");
  return *result;
}

bool PrototxtField::boolean() const {
  const auto& word = scalar(*this, false, "true or false");
  if (word == "true" || word == "True" || word == "t" || word == "1") return true;
  if (word == "false" || word == "False" || word == "f" || word == "0") return false;
  wrong(*this, "true or false");
}

const std::string& PrototxtField::text() const { return scalar(*this, true, "text in quotes"); }

const std::string& PrototxtField::word() const { return scalar(*this, false, "a word without quotes"); }

bool looks_like_prototxt(std::string_view text) {
  while (!text.empty() && (is_space(text.front()) || text.front() == '#')) {
    text.remove_prefix(text.front() == '#' ? std::min(text.find('\n'), text.size()) : 1);
  }
  const auto name =
      static_cast<std::size_t>(std::ranges::find_if_not(text, [](char c) { return is_letter(c) || is_digit(c); }) - text.begin());
  if (name == 0 || !is_letter(text.front())) return false;
  text.remove_prefix(name);
  const auto next = std::ranges::find_if_not(text, is_space);
  return next != text.end() && (*next == ':' || *next == '{' || *next == '<');
}

PrototxtMessage parse_prototxt(std::string_view text, const std::string& where) {
  if (text.size() > kMaxBytes) {
    throw Error(ErrorKind::model, where, fmt::format("has {} bytes, more than {}", text.size(), kMaxBytes));
  }
  if (!is_utf8(text)) throw Error(ErrorKind::model, where, "is not text in UTF-8");
  return Parser(text, where).whole();
}

PrototxtMessage read_prototxt(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return parse_prototxt(as_text(file->bytes()), path.string());
}

}  // namespace alexnet
