#include "tests/formats/build_zip.h"

#include <algorithm>

#include <zlib.h>

#include "formats/bytes.h"

namespace alexnet::test {

std::uint32_t crc_of(const std::string& data) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

std::string deflate(const std::string& data) {
  z_stream stream{};
  ::deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
  std::string source = data;
  std::string packed(data.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(source.data());
  stream.avail_in = static_cast<uInt>(source.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  packed.resize(std::min<std::size_t>(stream.total_out, packed.size()));
  ::deflateEnd(&stream);
  return packed;
}

std::string build_zip(const std::vector<ZipPart>& parts, const ZipEnd& end) {
  std::string file;
  std::string directory;
  for (const auto& part : parts) {
    const auto offset = static_cast<std::uint32_t>(file.size());
    const auto size = part.size.value_or(static_cast<std::uint32_t>(part.data.size()));
    const auto packed_size = part.packed_size.value_or(static_cast<std::uint32_t>(part.data.size()));
    const auto crc = part.crc.value_or(crc_of(part.data));
    const auto local_name = part.local_name.value_or(part.name);
    append<std::uint32_t>(file, 0x04034b50);
    append<std::uint16_t>(file, 20);
    append(file, part.flags);
    append(file, part.local_method.value_or(part.method));
    append<std::uint32_t>(file, 0);
    append(file, part.local_crc.value_or(crc));
    append(file, part.local_size.value_or(packed_size));
    append(file, part.local_size.value_or(size));
    append(file, static_cast<std::uint16_t>(local_name.size()));
    append(file, static_cast<std::uint16_t>(part.local_extra.size()));
    file += local_name + part.local_extra + part.data;

    append<std::uint32_t>(directory, 0x02014b50);
    append<std::uint16_t>(directory, 20);
    append<std::uint16_t>(directory, 20);
    append(directory, part.flags);
    append(directory, part.method);
    append<std::uint32_t>(directory, 0);
    append(directory, crc);
    append(directory, packed_size);
    append(directory, size);
    append(directory, static_cast<std::uint16_t>(part.name.size()));
    append(directory, static_cast<std::uint16_t>(part.directory_extra.size()));
    directory.append(10, '\0');
    append(directory, part.offset.value_or(offset));
    directory += part.name + part.directory_extra;
  }
  const auto directory_offset = file.size();
  file += directory + end.between;
  if (end.zip64) {
    const auto record = file.size();
    const std::uint64_t entries = end.entries64 != 0 ? end.entries64 : parts.size();
    append<std::uint32_t>(file, 0x06064b50);
    append<std::uint64_t>(file, 44);
    append<std::uint16_t>(file, 45);
    append<std::uint16_t>(file, 45);
    append<std::uint64_t>(file, 0);
    append(file, entries);
    append(file, entries);
    append<std::uint64_t>(file, end.size64 != 0 ? end.size64 : directory.size());
    append<std::uint64_t>(file, end.offset64 != 0 ? end.offset64 : directory_offset);
    append<std::uint32_t>(file, 0x07064b50);
    append<std::uint32_t>(file, 0);
    append<std::uint64_t>(file, end.record_offset != 0 ? end.record_offset : record);
    append<std::uint32_t>(file, 1);
  }
  const auto entries = end.entries.value_or(static_cast<std::uint16_t>(parts.size()));
  append<std::uint32_t>(file, 0x06054b50);
  append(file, end.disk);
  append(file, end.disk);
  append(file, entries);
  append(file, entries);
  append(file, end.size.value_or(static_cast<std::uint32_t>(directory.size())));
  append(file, end.offset.value_or(static_cast<std::uint32_t>(directory_offset)));
  append(file, static_cast<std::uint16_t>(end.comment.size()));
  return file + end.comment;
}

}  // namespace alexnet::test
