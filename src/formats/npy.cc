#include "formats/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "base/text.h"
#include "formats/bytes.h"
#include "formats/code_points.h"

namespace alexnet {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 65536;  // NumPy itself takes more than 10,000 for an attack
constexpr std::size_t kAlignment = 64;

struct TypeName {
  std::string_view code;
  ElementType type;
};
constexpr std::array<TypeName, 12> kTypes{{{"f8", ElementType::f64},
                                           {"f4", ElementType::f32},
                                           {"f2", ElementType::f16},
                                           {"i8", ElementType::i64},
                                           {"i4", ElementType::i32},
                                           {"i2", ElementType::i16},
                                           {"i1", ElementType::i8},
                                           {"u8", ElementType::u64},
                                           {"u4", ElementType::u32},
                                           {"u2", ElementType::u16},
                                           {"u1", ElementType::u8},
                                           {"b1", ElementType::boolean}}};

[[noreturn]] void refuse(const std::string& where, std::string message) {
  throw Error(ErrorKind::model, where, std::move(message));
}

// The header's text, a Python dictionary such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class Literal {
 public:
  Literal(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  // The character, after white space, if it is next.
  bool take(char wanted) {
    skip_space();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  void want(char wanted) {
    if (!take(wanted)) fail();
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  std::string_view text() {
    skip_space();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) fail();
    const auto end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) fail();
    const auto result = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return result;
  }
  std::int64_t integer() {
    skip_space();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc{}) fail();
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    take('L');  // Python 2
    return value;
  }
  bool at_end() {
    skip_space();
    return text_.empty();
  }
  [[noreturn]] void fail() const { refuse(where_, fmt::format("has a damaged npy header, at {}", shown(text_))); }

 private:
  void skip_space() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }
  std::string_view text_;
  const std::string& where_;
};

void read_descr(Literal& literal, NpyHeader& header, const std::string& where) {
  if (literal.take('[')) refuse(where, "is an array of structures, which is not supported");
  const auto descr = literal.text();
  const char order = descr.empty() ? ' ' : descr.front();
  const auto code = descr.substr(std::min<std::size_t>(1, descr.size()));
  if (code.starts_with('O')) refuse(where, "is an array of Python objects, which only running code could read");
  if (order == '>') refuse(where, fmt::format("is big-endian (dtype {}), which is not supported", shown(descr)));
  if (order == '<' && code.starts_with('U')) {
    const auto width = parse_integer(code.substr(1));
    // 2^31 bounds the product with 4 bytes a character and any count of what is in memory.
    if (!width || *width < 0 || *width >= INT32_MAX) refuse(where, fmt::format("has the unknown dtype {}", shown(descr)));
    header.text_width = static_cast<std::size_t>(*width);
    return;
  }
  for (const auto& [known, type] : kTypes) {
    if (code == known && (order == '<' || (order == '|' && size_of(type) == 1))) header.type = type;
  }
  if (!header.type) refuse(where, fmt::format("has the unsupported dtype {}", shown(descr)));
}

Shape read_shape(Literal& literal, const std::string& where) {
  std::vector<std::int64_t> extents;
  literal.want('(');
  while (!literal.take(')')) {
    if (!extents.empty()) {
      literal.want(',');
      if (literal.take(')')) break;
    }
    extents.push_back(literal.integer());
    if (extents.size() > Shape::kMaxRank) refuse(where, fmt::format("has more than {} dimensions", Shape::kMaxRank));
  }
  const auto shape = Shape::make(extents);
  if (!shape) refuse(where, "has a shape with a negative dimension or a product that overflows");
  return *shape;
}

NpyHeader parse_header(std::string_view text, const std::string& where) {
  Literal literal(text, where);
  NpyHeader header;
  bool descr = false;
  bool order = false;
  bool shape = false;
  const auto first_time = [&](bool& seen) {
    if (std::exchange(seen, true)) literal.fail();
  };
  literal.want('{');
  while (!literal.take('}')) {
    const auto key = literal.text();
    literal.want(':');
    if (key == "descr") {
      first_time(descr);
      read_descr(literal, header, where);
    } else if (key == "fortran_order") {
      first_time(order);
      header.fortran_order = literal.take_word("True");
      if (!header.fortran_order && !literal.take_word("False")) literal.fail();
    } else if (key == "shape") {
      first_time(shape);
      header.shape = read_shape(literal, where);
    } else {
      refuse(where, fmt::format("has the unknown npy header field {}", shown(key)));
    }
    if (!literal.take(',')) {
      literal.want('}');
      break;
    }
  }
  if (!literal.at_end()) literal.fail();
  if (!descr || !order || !shape) refuse(where, "has an npy header without descr, fortran_order or shape");
  return header;
}

// The data, exactly as many bytes as the header wants.
std::span<const std::byte> data_of(const NpyHeader& header, std::size_t element_bytes, std::span<const std::byte> file,
                                   const std::string& where) {
  const auto data = file.subspan(header.size);
  const auto wanted = checked_multiply<std::uint64_t>(static_cast<std::uint64_t>(header.shape.elements()), element_bytes);
  if (!wanted || *wanted != data.size()) {
    refuse(where, fmt::format("has {} bytes of data, its shape {} wants {}", data.size(), to_string(header.shape),
                              wanted ? std::to_string(*wanted) : "more than there can be"));
  }
  return data;
}

// Row-major copy of column-major data.
Tensor transposed(const NpyHeader& header, std::span<const std::byte> data) {
  Tensor tensor = Tensor::allocate(*header.type, header.shape);
  const std::size_t size = size_of(*header.type);
  const auto rank = header.shape.rank();
  std::array<std::int64_t, Shape::kMaxRank> index{};
  std::byte* dst = tensor.mutable_bytes().data();
  for (std::int64_t i = 0; i < header.shape.elements(); ++i, dst += size) {
    std::int64_t src = 0;
    for (std::size_t axis = rank; axis-- > 0;) src = src * header.shape[axis] + index[axis];
    std::copy_n(data.begin() + src * static_cast<std::int64_t>(size), size, dst);
    for (std::size_t axis = rank; axis-- > 0 && ++index[axis] == header.shape[axis];) index[axis] = 0;
  }
  return tensor;
}

// The same bytes as NumPy 1.23 and later writes.
std::string padded_header(const std::string& descr, const Shape& shape) {
  constexpr std::size_t kPreamble = 10;
  constexpr std::size_t kLongestCount = 21;  // the header keeps its size while NpyWriter's count of rows grows
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                                 fmt::join(shape.extents(), ", "), shape.rank() == 1 ? "," : "");
  if (shape.rank() > 0) text.append(kLongestCount - std::to_string(shape[0]).size(), ' ');
  text.append(kAlignment - (kPreamble + text.size() + 1) % kAlignment, ' ');
  text += '\n';
  std::string header(kMagic);
  header += {'\1', '\0'};
  append(header, static_cast<std::uint16_t>(text.size()));
  return header + text;
}

std::string code_of(ElementType type) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& known) { return known.type == type; });
  assert(found != kTypes.end());
  return (size_of(type) == 1 ? "|" : "<") + std::string(found->code);
}

}  // namespace

NpyHeader read_npy_header(std::span<const std::byte> file, const std::string& where) {
  if (!as_text(file).starts_with(kMagic)) refuse(where, "is not a npy array");
  if (file.size() < 12) refuse(where, "has a damaged npy header");
  const auto version = std::to_integer<int>(file[6]);
  if (version < 1 || version > 3) refuse(where, fmt::format("is a npy array of the unknown version {}", version));
  const std::size_t begin = version == 1 ? 10 : 12;
  const std::size_t size = version == 1 ? load<std::uint16_t>(file, 8) : load<std::uint32_t>(file, 8);
  if (size > kMaxHeader) refuse(where, fmt::format("has a npy header of {} bytes, more than {}", size, kMaxHeader));
  if (size > file.size() - begin) refuse(where, "ends within its npy header");
  auto header = parse_header(as_text(file.subspan(begin, size)), where);
  header.size = begin + size;
  return header;
}

std::span<const std::byte> npy_data(const NpyHeader& header, std::span<const std::byte> file, const std::string& where) {
  return data_of(header, size_of(*header.type), file, where);
}

Tensor read_npy(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where) {
  const auto header = read_npy_header(file, where);
  if (!header.type) refuse(where, "is an array of text, not of numbers");
  const auto data = npy_data(header, file, where);
  if (header.fortran_order && header.shape.rank() > 1) return transposed(header, data);
  return Tensor::view_or_copy(*header.type, header.shape, data, std::move(owner));
}

Tensor read_npy(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_npy(file->bytes(), file, path.string());
}

std::vector<std::string> read_npy_text(std::span<const std::byte> file, const std::string& where) {
  const auto header = read_npy_header(file, where);
  if (header.type || header.shape.rank() != 1) refuse(where, "is not a list of text");
  const auto data = data_of(header, header.text_width * sizeof(char32_t), file, where);
  // A width of 0 gives no bound on the count.
  if (header.text_width == 0 && header.shape.elements() > 1'000'000) refuse(where, "is a list of too many empty texts");
  std::vector<std::string> values(static_cast<std::size_t>(header.shape.elements()));
  std::size_t at = 0;
  for (auto& value : values) {
    std::size_t length = header.text_width;
    while (length > 0 && load<char32_t>(data, at + (length - 1) * sizeof(char32_t)) == 0) --length;
    for (std::size_t i = 0; i < length; ++i) {
      const auto point = load<char32_t>(data, at + i * sizeof(char32_t));
      if (!append_code_point(value, point)) {
        refuse(where, fmt::format("has text with U+{:04X}, which is no character", static_cast<std::uint32_t>(point)));
      }
    }
    at += header.text_width * sizeof(char32_t);
  }
  return values;
}

std::string npy_header(ElementType type, const Shape& shape) { return padded_header(code_of(type), shape); }

std::string npy_text_header(std::size_t count, std::size_t width) {
  return padded_header(fmt::format("<U{}", width), {static_cast<std::int64_t>(count)});
}

void write_npy(const std::filesystem::path& path, const Tensor& tensor) {
  const Tensor written = tensor.type() == ElementType::bf16 ? widened(tensor) : tensor;
  AtomicFile file(path);
  file.write(npy_header(written.type(), written.shape()));
  file.write(written.bytes());
  file.commit();
}

NpyWriter::NpyWriter(const std::filesystem::path& path, const Shape& row_shape) : file_(path), row_shape_(row_shape) {
  file_.write(header(0));
}

std::string NpyWriter::header(std::int64_t rows) const { return npy_header(ElementType::f32, row_shape_.with_batch(rows)); }

void NpyWriter::append(std::span<const float> rows) {
  values_ += rows.size();
  file_.write(std::as_bytes(rows));
}

void NpyWriter::finish() {
  const auto row = static_cast<std::uint64_t>(row_shape_.elements());
  assert(row > 0 && values_ % row == 0);
  file_.seek(0);
  file_.write(header(static_cast<std::int64_t>(values_ / row)));
  file_.commit();
}

}  // namespace alexnet
