// NumPy's archives of arrays (.npz): zip files of .npy files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/zip_writer.h"
#include "tensor/tensor.h"

namespace alexnet {

// The arrays of numbers, in the archive's order, under their names without ".npy"; arrays of text are passed over.
// Stored arrays are views into the mapped file, compressed ones (savez_compressed) are inflated, at most 2 GiB in all.
// Throws Error of kind model.
std::vector<NamedTensor> read_npz(const std::filesystem::path& path);
// The same for a file in memory, kept alive by `owner`; `where` stands for it in messages.
std::vector<NamedTensor> read_npz(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where);
// The one-dimensional array of text of this name.
std::vector<std::string> read_npz_text(const std::filesystem::path& path, const std::string& name);

// An archive read array by array and row by row. Stored arrays stay in the mapped file, so that memory does not grow with them;
// compressed ones and those in Fortran order are held whole, at most 2 GiB inflated in all.
class NpzReader {
 public:
  // What is known of an array of numbers without reading it.
  struct Array {
    std::string name;
    ElementType type;
    Shape shape;
  };

  // Checks the archive whole. Throws Error of kind model.
  explicit NpzReader(const std::filesystem::path& path);
  ~NpzReader();
  NpzReader(NpzReader&&) noexcept;

  const std::vector<Array>& arrays() const;
  // The elements [begin, begin + count) along the first axis of arrays()[array], whose rank must be 1 or more.
  Tensor rows(std::size_t array, std::int64_t begin, std::int64_t count) const;
  // The one-dimensional array of text of this name; nothing if there is none. Throws Error of kind model.
  std::optional<std::vector<std::string>> text(const std::string& name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes arrays one after the other, uncompressed; the same arrays always give the same bytes. Without finish() no
// file appears. All members throw Error of kind output.
class NpzWriter {
 public:
  explicit NpzWriter(const std::filesystem::path& path) : zip_(path) {}
  // bf16 is written as f32.
  void add(const std::string& name, const Tensor& tensor);
  // As a one-dimensional array of dtype <U. Bytes that are not UTF-8 become lone surrogates, as Python keeps them.
  void add_text(const std::string& name, std::span<const std::string> values);
  // An array file that NpyWriter or write_npy made, as it is.
  void add_file(const std::string& name, const std::filesystem::path& npy);
  void finish() { zip_.finish(); }

 private:
  ZipWriter zip_;
};

void write_npz(const std::filesystem::path& path, std::span<const NamedTensor> tensors);

}  // namespace alexnet
