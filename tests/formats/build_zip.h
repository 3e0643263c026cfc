// zip archives for tests, right by default and wrong where a test says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace alexnet::test {

struct ZipPart {
  std::string name;
  std::string data;          // as it lies in the file
  std::uint16_t method = 0;  // 8: deflated, then size and crc are needed
  std::uint16_t flags = 0;
  std::optional<std::uint32_t> crc = {};
  std::optional<std::uint32_t> size = {};         // in the directory, uncompressed
  std::optional<std::uint32_t> packed_size = {};  // in the directory
  std::optional<std::uint32_t> offset = {};       // in the directory
  std::string directory_extra = {};
  std::optional<std::string> local_name = {};
  std::optional<std::uint16_t> local_method = {};
  std::optional<std::uint32_t> local_size = {};
  std::optional<std::uint32_t> local_crc = {};
  std::string local_extra = {};
};

struct ZipEnd {
  std::optional<std::uint16_t> entries = {};
  std::optional<std::uint32_t> size = {};
  std::optional<std::uint32_t> offset = {};
  std::uint16_t disk = 0;
  std::string between = {};  // bytes behind the directory
  std::string comment = {};
  // Writes a zip64 end record with these, each 0 for the truth.
  bool zip64 = false;
  std::uint64_t entries64 = 0;
  std::uint64_t size64 = 0;
  std::uint64_t offset64 = 0;
  std::uint64_t record_offset = 0;
};

std::uint32_t crc_of(const std::string& data);
std::string deflate(const std::string& data);
std::string build_zip(const std::vector<ZipPart>& parts, const ZipEnd& end = {});

}  // namespace alexnet::test
