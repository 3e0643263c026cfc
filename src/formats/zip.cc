#include "formats/zip.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "formats/bytes.h"

namespace alexnet {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kDirectorySignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kDirectorySize = 46;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kLocator64Size = 20;
constexpr std::uint16_t kExtra64 = 0x0001;
constexpr std::uint16_t kMax16 = 0xffff;
constexpr std::uint32_t kMax32 = 0xffffffff;
constexpr std::uint64_t kMaxEntries = 100'000;
constexpr std::uint64_t kMaxGain = 1032;  // deflate: one bit for a distance, one for a length of 258
constexpr std::uint16_t kEncrypted = 1u << 0 | 1u << 6 | 1u << 13;
constexpr std::uint16_t kDescriptorFollows = 1u << 3;

[[noreturn]] void refuse(const std::string& where, std::string message) {
  throw Error(ErrorKind::model, where, std::move(message));
}

[[noreturn]] void refuse(const std::string& where, const std::string& name, std::string_view message) {
  refuse(where, fmt::format("zip entry {} {}", shown(name), message));
}

// Where the directory lies.
struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

std::size_t find_end(Bytes file, const std::string& where) {
  if (file.size() >= kEndSize) {
    const std::size_t last = file.size() - kEndSize;
    const std::size_t first = last > kMax16 ? last - kMax16 : 0;
    for (std::size_t at = last + 1; at-- > first;) {
      if (load<std::uint32_t>(file, at) == kEndSignature && load<std::uint16_t>(file, at + 20) == last - at) return at;
    }
  }
  refuse(where, "is not a whole zip archive: it has no end record (cut short?)");
}

// A classic field is superseded by zip64's where it is at its largest value, and must be the same otherwise.
template <typename T>
void supersede(std::uint64_t& value, std::uint64_t wide, const std::string& where) {
  if (value == static_cast<T>(-1)) {
    value = wide;
  } else if (value != wide) {
    refuse(where, fmt::format("its zip end records disagree: {} and {}", value, wide));
  }
}

Directory find_directory(Bytes file, const std::string& where) {
  const std::size_t end = find_end(file, where);
  if (load<std::uint16_t>(file, end + 4) != 0 || load<std::uint16_t>(file, end + 6) != 0) {
    refuse(where, "is one volume of a zip archive of several");
  }
  Directory directory{.entries = load<std::uint16_t>(file, end + 10),
                      .offset = load<std::uint32_t>(file, end + 16),
                      .size = load<std::uint32_t>(file, end + 12)};
  std::uint64_t directory_end = end;
  if (end >= kLocator64Size && load<std::uint32_t>(file, end - kLocator64Size) == kLocator64Signature) {
    const std::size_t locator = end - kLocator64Size;
    const auto record = load<std::uint64_t>(file, locator + 8);
    if (record > locator || locator - record < kEnd64Size || load<std::uint32_t>(file, record) != kEnd64Signature ||
        load<std::uint64_t>(file, record + 4) != locator - record - 12) {
      refuse(where, "its zip64 end record is not where its locator says");
    }
    supersede<std::uint16_t>(directory.entries, load<std::uint64_t>(file, record + 32), where);
    supersede<std::uint32_t>(directory.size, load<std::uint64_t>(file, record + 40), where);
    supersede<std::uint32_t>(directory.offset, load<std::uint64_t>(file, record + 48), where);
    directory_end = record;
  }
  if (directory.offset > directory_end || directory.size != directory_end - directory.offset) {
    refuse(where, fmt::format("its zip directory should have {} bytes from {} on, its end record is at {}", directory.size,
                              directory.offset, directory_end));
  }
  if (directory.entries > kMaxEntries) {
    refuse(where, fmt::format("has {} zip entries, more than {}", directory.entries, kMaxEntries));
  }
  if (directory.entries * kDirectorySize > directory.size) {
    refuse(where, fmt::format("its zip directory of {} bytes is too short for {} entries", directory.size, directory.entries));
  }
  return directory;
}

// The extra record of this id; empty if there is none.
Bytes find_extra(Bytes extra, std::uint16_t id, const std::string& name, const std::string& where) {
  while (extra.size() >= 4) {
    const auto size = load<std::uint16_t>(extra, 2);
    if (size > extra.size() - 4) refuse(where, name, "has a damaged extra field");
    if (load<std::uint16_t>(extra, 0) == id) return extra.subspan(4, size);
    extra = extra.subspan(4 + size);
  }
  return {};
}

// Replaces a 32-bit value at its largest by the next 64-bit one of the zip64 record.
void widen(std::uint64_t& value, Bytes& record, const std::string& name, const std::string& where) {
  if (value != kMax32) return;
  if (record.size() < 8) refuse(where, name, "lacks the zip64 field that it announces");
  value = load<std::uint64_t>(record);
  record = record.subspan(8);
}

void check_name(const std::string& name, const std::string& where) {
  bool leads_out = name.empty() || name.front() == '/' || name.find_first_of(std::string_view("\\\0", 2)) != std::string::npos;
  for (const auto& part : split(name, '/')) leads_out = leads_out || part == "..";
  if (leads_out || (name.size() > 1 && name[1] == ':')) refuse(where, name, "has a name that leads out of the archive");
}

// What the directory says of an entry.
struct Record {
  ZipEntry entry;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t offset = 0;  // of the local header
  std::uint64_t end = 0;     // of the data
};

Record read_record(Bytes& directory, const std::string& where) {
  if (directory.size() < kDirectorySize || load<std::uint32_t>(directory, 0) != kDirectorySignature) {
    refuse(where, "its zip directory is damaged");
  }
  const std::size_t name_size = load<std::uint16_t>(directory, 28);
  const std::size_t extra_size = load<std::uint16_t>(directory, 30);
  const std::size_t whole = kDirectorySize + name_size + extra_size + load<std::uint16_t>(directory, 32);
  if (whole > directory.size()) refuse(where, "its zip directory is damaged");
  Record record{.entry = {},
                .flags = load<std::uint16_t>(directory, 8),
                .method = load<std::uint16_t>(directory, 10),
                .packed_size = load<std::uint32_t>(directory, 20),
                .offset = load<std::uint32_t>(directory, 42),
                .end = 0};
  auto& entry = record.entry;
  entry.name = as_text(directory.subspan(kDirectorySize, name_size));
  entry.crc = load<std::uint32_t>(directory, 16);
  entry.size = load<std::uint32_t>(directory, 24);
  entry.deflated = record.method == 8;
  Bytes wide = find_extra(directory.subspan(kDirectorySize + name_size, extra_size), kExtra64, entry.name, where);
  widen(entry.size, wide, entry.name, where);
  widen(record.packed_size, wide, entry.name, where);
  widen(record.offset, wide, entry.name, where);
  check_name(entry.name, where);
  if ((record.flags & kEncrypted) != 0) refuse(where, entry.name, "is encrypted");
  if (record.method != 0 && record.method != 8) {
    refuse(where, entry.name, fmt::format("has the unsupported compression method {}", record.method));
  }
  if (!entry.deflated && entry.size != record.packed_size) {
    refuse(where, entry.name, fmt::format("is stored, but its sizes disagree: {} and {}", record.packed_size, entry.size));
  }
  directory = directory.subspan(whole);
  return record;
}

// A local header may leave what the descriptor behind the data repeats at 0; what it does say must agree.
void check_local(const Record& record, Bytes local, Bytes extra, const std::string& where) {
  const auto& name = record.entry.name;
  const bool deferred = (load<std::uint16_t>(local, 6) & kDescriptorFollows) != 0;
  if (load<std::uint16_t>(local, 8) != record.method) refuse(where, name, "has another compression in its local header");
  std::uint64_t packed_size = load<std::uint32_t>(local, 18);
  std::uint64_t size = load<std::uint32_t>(local, 22);
  if (size == kMax32 || packed_size == kMax32) {
    Bytes wide = find_extra(extra, kExtra64, name, where);
    widen(size, wide, name, where);
    widen(packed_size, wide, name, where);
  }
  const auto crc = load<std::uint32_t>(local, 14);
  const auto agree = [&](std::uint64_t here, std::uint64_t wanted) { return here == wanted || (deferred && here == 0); };
  if (!agree(packed_size, record.packed_size) || !agree(size, record.entry.size) || !agree(crc, record.entry.crc)) {
    refuse(where, name,
           fmt::format("has {} bytes (checksum {:08x}) by its local header, {} ({:08x}) by the directory", size, crc,
                       record.entry.size, record.entry.crc));
  }
}

void locate(Record& record, Bytes file, std::uint64_t directory_offset, const std::string& where) {
  const auto& name = record.entry.name;
  if (record.offset > directory_offset || directory_offset - record.offset < kLocalSize) {
    refuse(where, name, fmt::format("begins at {}, outside the archive", record.offset));
  }
  const Bytes local = file.subspan(record.offset, directory_offset - record.offset);
  if (load<std::uint32_t>(local, 0) != kLocalSignature) refuse(where, name, "has no local header where the directory says");
  const std::size_t name_size = load<std::uint16_t>(local, 26);
  const std::size_t header_size = kLocalSize + name_size + load<std::uint16_t>(local, 28);
  if (header_size > local.size()) refuse(where, name, "has a local header that leads outside the archive");
  if (as_text(local.subspan(kLocalSize, name_size)) != name) refuse(where, name, "has another name in its local header");
  check_local(record, local, local.subspan(kLocalSize + name_size, header_size - kLocalSize - name_size), where);
  if (record.packed_size > local.size() - header_size) {
    refuse(
        where, name,
        fmt::format("has {} bytes from {} on, which leads outside the archive", record.packed_size, record.offset + header_size));
  }
  record.entry.data = local.subspan(header_size, record.packed_size);
  record.end = record.offset + header_size + record.packed_size;
}

void check_overlap(std::vector<const Record*> records, const std::string& where) {
  std::sort(records.begin(), records.end(), [](const Record* a, const Record* b) { return a->offset < b->offset; });
  for (std::size_t i = 1; i < records.size(); ++i) {
    if (records[i]->offset < records[i - 1]->end) {
      refuse(where, records[i]->entry.name, fmt::format("overlaps zip entry {}", shown(records[i - 1]->entry.name)));
    }
  }
}

std::uint32_t crc_of(std::uint32_t crc, Bytes bytes) {
  return static_cast<std::uint32_t>(::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void compare_crc(const ZipEntry& entry, Bytes bytes, const std::string& where) {
  const auto crc = crc_of(0, bytes);
  if (crc != entry.crc) refuse(where, entry.name, fmt::format("is damaged: its checksum is {:08x}, not {:08x}", crc, entry.crc));
}

}  // namespace

std::vector<ZipEntry> read_zip(Bytes file, const std::string& where) {
  const Directory place = find_directory(file, where);
  Bytes directory = file.subspan(place.offset, place.size);
  std::vector<Record> records;
  std::set<std::string_view> names;
  records.reserve(place.entries);
  for (std::uint64_t i = 0; i < place.entries; ++i) {
    records.push_back(read_record(directory, where));
    auto& record = records.back();
    if (!names.insert(record.entry.name).second) refuse(where, record.entry.name, "is there twice");
    locate(record, file, place.offset, where);
  }
  if (!directory.empty()) refuse(where, fmt::format("its zip directory has {} bytes behind its last entry", directory.size()));
  std::vector<const Record*> pointers;
  for (const auto& record : records) pointers.push_back(&record);
  check_overlap(std::move(pointers), where);
  std::vector<ZipEntry> entries;
  for (auto& record : records) entries.push_back(std::move(record.entry));
  return entries;
}

std::vector<std::byte> inflated(const ZipEntry& entry, std::uint64_t max_bytes, const std::string& where) {
  if (entry.size > max_bytes) refuse(where, entry.name, fmt::format("has {} bytes, more than {}", entry.size, max_bytes));
  if (!entry.deflated) {
    check_crc(entry, where);
    return {entry.data.begin(), entry.data.end()};
  }
  if (entry.size / kMaxGain > entry.data.size()) {
    refuse(where, entry.name, fmt::format("can't hold {} bytes in {} compressed ones", entry.size, entry.data.size()));
  }
  std::vector<std::byte> bytes(entry.size + 1);  // zlib wants somewhere to write even if there is nothing to
  bytes.pop_back();
  z_stream stream{};
  constexpr int kRawDeflate = -15;
  if (::inflateInit2(&stream, kRawDeflate) != Z_OK) throw Error(ErrorKind::resources, where, "no memory to inflate");
  Bytes left = entry.data;
  std::span<std::byte> room = bytes;
  int status = Z_OK;
  // zlib counts in 32 bits.
  while (status == Z_OK) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(left.data()));
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(left.size(), kMax32));
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(room.size(), kMax32));
    const auto in = stream.avail_in;
    const auto out = stream.avail_out;
    status = ::inflate(&stream, Z_NO_FLUSH);
    left = left.subspan(in - stream.avail_in);
    room = room.subspan(out - stream.avail_out);
  }
  ::inflateEnd(&stream);
  if (status != Z_STREAM_END || !left.empty() || !room.empty())
    refuse(where, entry.name, "is damaged: it does not inflate to its size");
  compare_crc(entry, bytes, where);
  return bytes;
}

void check_crc(const ZipEntry& entry, const std::string& where) { compare_crc(entry, entry.data, where); }

}  // namespace alexnet
