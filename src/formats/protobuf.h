// Protocol buffers' wire format (protobuf.dev/programming-guides/encoding), read in place field by field. Every length is
// checked against its message and every field against the wire type that its reader expects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <protozero/pbf_reader.hpp>

namespace alexnet {

// One message. Call next() to come to a field, then exactly one of the readers of its value, or skip(). All of them throw Error of
// kind model, naming `where` and the message's type.
class ProtobufMessage {
 public:
  // `type` names the message in errors ("TensorProto") and must outlive it, as must `bytes` and `where`, the file's name.
  ProtobufMessage(std::span<const std::byte> bytes, std::string_view type, const std::string& where);

  bool next();
  std::uint32_t field() const { return reader_.tag(); }
  // Whether the field is bytes: text, a message, or packed numbers.
  bool packed() const { return reader_.has_wire_type(protozero::pbf_wire_type::length_delimited); }
  void skip();

  std::int64_t integer();  // int32, int64, uint64 (its bits), bool, enum
  bool boolean() { return integer() != 0; }
  float f32();
  std::span<const std::byte> bytes();
  std::string text();  // must be UTF-8
  ProtobufMessage message(std::string_view type);

  // Repeated numbers, which come one a field or packed, many in a field. More than `most` values in all are an error, before memory
  // is taken for them.
  void append_to(std::vector<std::int64_t>& values, std::size_t most);
  void append_to(std::vector<float>& values, std::size_t most);
  void append_to(std::vector<double>& values, std::size_t most);

  // Throws Error of kind model about this message.
  [[noreturn]] void fail(std::string_view what) const;

 private:
  void require(protozero::pbf_wire_type wanted) const;
  template <typename T>
  void append(std::vector<T>& values, std::size_t most, protozero::pbf_wire_type single_type, auto read_packed, auto read_single);

  protozero::pbf_reader reader_;
  std::string_view type_;
  const std::string* where_;
};

}  // namespace alexnet
