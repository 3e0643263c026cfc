// Protocol buffers' text format (protobuf.dev/reference/protobuf/textformat-spec), as Caffe describes networks in it, read into a
// plain tree. No schema is used: a value stays the word that stands there until somebody asks for a number.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace alexnet {

struct PrototxtField;

struct PrototxtMessage {
  std::vector<PrototxtField> fields;  // in the order of the text; a list [a, b] counts as two fields

  // The fields of this name.
  std::vector<const PrototxtField*> all(std::string_view name) const;
  // The last field of this name, which is the one that counts where a field may appear once; nullptr if there is none.
  const PrototxtField* find(std::string_view name) const;
};

// A word, number or quoted text; quoted text has its escapes resolved.
struct PrototxtScalar {
  std::string text;
  bool quoted = false;
};

struct PrototxtField {
  std::string name;
  std::variant<PrototxtScalar, PrototxtMessage> value;
  std::string place;  // "deploy.prototxt, line 12", for messages

  // The value as what it must be; anything else throws Error of kind model, naming the place and the field.
  const PrototxtMessage& message() const;
  std::int64_t integer() const;  // decimal, 0x hexadecimal, 0 octal
  double number() const;
  bool boolean() const;
  const std::string& text() const;  // quoted
  const std::string& word() const;  // an enumerator's name or number
};

// Whether the text begins as a message does, with the name of a field and what may follow it: a cheap look, to tell formats apart.
bool looks_like_prototxt(std::string_view text);

// Throws Error of kind model, naming `where` and the line, for text that is not in the format, of more than 16 MB, for nesting
// deeper than 100 and for more than 100,000 fields.
PrototxtMessage parse_prototxt(std::string_view text, const std::string& where);
PrototxtMessage read_prototxt(const std::filesystem::path& path);

}  // namespace alexnet
