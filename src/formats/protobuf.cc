#include "formats/protobuf.h"

#include <algorithm>

#include <fmt/format.h>
#include <protozero/exception.hpp>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

using protozero::pbf_wire_type;

const char* reason(const protozero::exception& error) {
  if (dynamic_cast<const protozero::end_of_buffer_exception*>(&error) != nullptr) return "ends in the middle of a field";
  if (dynamic_cast<const protozero::varint_too_long_exception*>(&error) != nullptr) return "has a number of more than 64 bits";
  if (dynamic_cast<const protozero::unknown_pbf_wire_type_exception*>(&error) != nullptr)
    return "has a field of an unknown wire type";
  if (dynamic_cast<const protozero::invalid_tag_exception*>(&error) != nullptr) return "has a field with an impossible number";
  return "has packed numbers that end in the middle of one";
}

// Runs a step of protozero; its exceptions end here.
template <typename Step>
auto guarded(const ProtobufMessage& message, Step step) {
  try {
    return step();
  } catch (const protozero::exception& error) {
    message.fail(reason(error));
  }
}

}  // namespace

ProtobufMessage::ProtobufMessage(std::span<const std::byte> bytes, std::string_view type, const std::string& where)
    : reader_(reinterpret_cast<const char*>(bytes.data()), bytes.size()), type_(type), where_(&where) {}

void ProtobufMessage::fail(std::string_view what) const {
  throw Error(ErrorKind::model, *where_, fmt::format("damaged: its {} {}", type_, what));
}

void ProtobufMessage::require(pbf_wire_type wanted) const {
  if (reader_.has_wire_type(wanted)) return;
  fail(fmt::format("has field {} with wire type {}, where {} is wanted", field(), static_cast<unsigned>(reader_.wire_type()),
                   static_cast<unsigned>(wanted)));
}

bool ProtobufMessage::next() {
  return guarded(*this, [&] { return reader_.next(); });
}

void ProtobufMessage::skip() {
  guarded(*this, [&] { reader_.skip(); });
}

std::int64_t ProtobufMessage::integer() {
  require(pbf_wire_type::varint);
  return guarded(*this, [&] { return reader_.get_int64(); });
}

float ProtobufMessage::f32() {
  require(pbf_wire_type::fixed32);
  return guarded(*this, [&] { return reader_.get_float(); });
}

std::span<const std::byte> ProtobufMessage::bytes() {
  require(pbf_wire_type::length_delimited);
  const auto view = guarded(*this, [&] { return reader_.get_view(); });
  return std::as_bytes(std::span(view.data(), view.size()));
}

std::string ProtobufMessage::text() {
  const auto number = field();
  const auto raw = bytes();
  std::string result(reinterpret_cast<const char*>(raw.data()), raw.size());
  if (!is_utf8(result)) fail(fmt::format("has text in field {} that is not UTF-8", number));
  return result;
}

ProtobufMessage ProtobufMessage::message(std::string_view type) { return {bytes(), type, *where_}; }

template <typename T>
void ProtobufMessage::append(std::vector<T>& values, std::size_t most, pbf_wire_type single_type, auto read_packed,
                             auto read_single) {
  const auto number = field();
  const auto require_room = [&](std::size_t more) {
    if (more > most - values.size()) fail(fmt::format("has more than the {} numbers that field {} may have", most, number));
  };
  if (!packed()) {
    require(single_type);
    require_room(1);
    values.push_back(guarded(*this, read_single));
    return;
  }
  const auto range = guarded(*this, read_packed);
  require_room(range.size());
  values.reserve(values.size() + range.size());
  guarded(*this, [&] {
    for (const auto value : range) values.push_back(value);
  });
}

void ProtobufMessage::append_to(std::vector<std::int64_t>& values, std::size_t most) {
  append(
      values, most, pbf_wire_type::varint, [&] { return reader_.get_packed_int64(); }, [&] { return reader_.get_int64(); });
}

void ProtobufMessage::append_to(std::vector<float>& values, std::size_t most) {
  append(
      values, most, pbf_wire_type::fixed32, [&] { return reader_.get_packed_float(); }, [&] { return reader_.get_float(); });
}

void ProtobufMessage::append_to(std::vector<double>& values, std::size_t most) {
  append(
      values, most, pbf_wire_type::fixed64, [&] { return reader_.get_packed_double(); }, [&] { return reader_.get_double(); });
}

}  // namespace alexnet
