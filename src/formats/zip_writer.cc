#include "formats/zip_writer.h"

#include <algorithm>

#include <fmt/format.h>
#include <zlib.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "formats/bytes.h"

namespace alexnet {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kDirectorySignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::size_t kLocalSize = 30;
constexpr std::uint64_t kEnd64Size = 56;
constexpr std::uint16_t kExtra64 = 0x0001;
constexpr std::uint16_t kExtraPadding = 0x4246;  // the id under which PyTorch pads
constexpr std::uint16_t kVersion64 = 45;
constexpr std::uint16_t kUtf8Name = 1u << 11;
constexpr std::uint16_t kStored = 0;
constexpr std::uint32_t kNoTime = 0x00210000;  // 1980-01-01 00:00, the format's zero
constexpr std::uint16_t kMax16 = 0xffff;
constexpr std::uint32_t kMax32 = 0xffffffff;
constexpr std::size_t kAlignment = 64;

}  // namespace

ZipWriter::ZipWriter(const std::filesystem::path& path) : file_(path), where_(path.string()) {}

// Always with a zip64 record, as the size is not known when the header is first written.
std::string ZipWriter::local_header(const Written& entry) {
  std::string header;
  append(header, kLocalSignature);
  append(header, kVersion64);
  append(header, kUtf8Name);
  append(header, kStored);
  append(header, kNoTime);
  append(header, entry.crc);
  append(header, kMax32);
  append(header, kMax32);
  append(header, static_cast<std::uint16_t>(entry.name.size()));
  std::string extra;
  append(extra, kExtra64);
  append<std::uint16_t>(extra, 16);
  append(extra, entry.size);
  append(extra, entry.size);
  const auto unpadded = entry.offset + kLocalSize + entry.name.size() + extra.size() + 4;
  append(extra, kExtraPadding);
  const auto padding = static_cast<std::uint16_t>((kAlignment - unpadded % kAlignment) % kAlignment);
  append(extra, padding);
  extra.append(padding, 'Z');
  append(header, static_cast<std::uint16_t>(extra.size()));
  return header + entry.name + extra;
}

void ZipWriter::begin(const std::string& name) {
  if (name.empty() || name.size() > kMax16) {
    throw Error(ErrorKind::output, where_, fmt::format("can't hold an entry named {}", shown(name)));
  }
  for (const auto& entry : entries_) {
    if (entry.name == name) throw Error(ErrorKind::output, where_, fmt::format("two entries are named {}", shown(name)));
  }
  entries_.push_back({.name = name, .offset = position_, .size = 0, .crc = 0});
  const auto header = local_header(entries_.back());
  file_.write(header);
  position_ += header.size();
}

void ZipWriter::write(std::span<const std::byte> bytes) {
  auto& entry = entries_.back();
  entry.crc = static_cast<std::uint32_t>(::crc32_z(entry.crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  entry.size += bytes.size();
  file_.write(bytes);
  position_ += bytes.size();
}

void ZipWriter::end() {
  file_.seek(entries_.back().offset);
  file_.write(local_header(entries_.back()));
  file_.seek(position_);
}

void ZipWriter::finish() {
  std::string directory;
  for (const auto& entry : entries_) {
    append(directory, kDirectorySignature);
    append(directory, kVersion64);
    append(directory, kVersion64);
    append(directory, kUtf8Name);
    append(directory, kStored);
    append(directory, kNoTime);
    append(directory, entry.crc);
    std::string wide;
    const auto narrow = [&](std::uint64_t value) {
      if (value < kMax32) return static_cast<std::uint32_t>(value);
      append(wide, value);
      return kMax32;
    };
    const auto size = narrow(entry.size);
    const auto packed_size = narrow(entry.size);
    const auto offset = narrow(entry.offset);
    append(directory, packed_size);
    append(directory, size);
    append(directory, static_cast<std::uint16_t>(entry.name.size()));
    append(directory, static_cast<std::uint16_t>(wide.empty() ? 0 : wide.size() + 4));
    directory.append(10, '\0');  // no comment, first volume, no attributes
    append(directory, offset);
    directory += entry.name;
    if (wide.empty()) continue;
    append(directory, kExtra64);
    append(directory, static_cast<std::uint16_t>(wide.size()));
    directory += wide;
  }
  const std::uint64_t count = entries_.size();
  const std::uint64_t size = directory.size();
  std::string end;
  if (count >= kMax16 || size >= kMax32 || position_ >= kMax32) {
    append(end, kEnd64Signature);
    append<std::uint64_t>(end, kEnd64Size - 12);
    append(end, kVersion64);
    append(end, kVersion64);
    append<std::uint64_t>(end, 0);  // first volume
    append(end, count);
    append(end, count);
    append(end, size);
    append(end, position_);
    append(end, kLocator64Signature);
    append<std::uint32_t>(end, 0);
    append(end, position_ + size);
    append<std::uint32_t>(end, 1);
  }
  append(end, kEndSignature);
  append<std::uint32_t>(end, 0);
  append(end, static_cast<std::uint16_t>(std::min<std::uint64_t>(count, kMax16)));
  append(end, static_cast<std::uint16_t>(std::min<std::uint64_t>(count, kMax16)));
  append(end, static_cast<std::uint32_t>(std::min<std::uint64_t>(size, kMax32)));
  append(end, static_cast<std::uint32_t>(std::min<std::uint64_t>(position_, kMax32)));
  append<std::uint16_t>(end, 0);
  file_.write(directory);
  file_.write(end);
  file_.commit();
}

}  // namespace alexnet
