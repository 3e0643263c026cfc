// NumPy's array files (.npy, versions 1 to 3; numpy/lib/format.py has the specification). Read are little-endian arrays
// of numbers and, on request, of text; object arrays, which are pickles, never are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "tensor/tensor.h"

namespace alexnet {

// What the header says. Text (dtype <U) has its width in characters and no element type.
struct NpyHeader {
  std::optional<ElementType> type;
  std::size_t text_width = 0;
  bool fortran_order = false;
  Shape shape;
  std::size_t size = 0;  // bytes before the data
};

// Throws Error of kind model; `where` stands for the file in messages.
NpyHeader read_npy_header(std::span<const std::byte> file, const std::string& where);

// The bytes of the data, checked to be exactly as many as a header of numbers wants. Throws Error of kind model.
std::span<const std::byte> npy_data(const NpyHeader& header, std::span<const std::byte> file, const std::string& where);

// The array as a row-major tensor: a view into the bytes kept alive by `owner`, or a copy if they are in Fortran order
// or not aligned to the element. Throws Error of kind model, also for arrays of text.
Tensor read_npy(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where);
Tensor read_npy(const std::filesystem::path& path);

// A one-dimensional array of text, as UTF-8. Lone surrogates, which is how Python keeps file names that are not UTF-8,
// become the bytes that they stand for.
std::vector<std::string> read_npy_text(std::span<const std::byte> file, const std::string& where);

// The file's bytes before the data; the data begins at a multiple of 64. NumPy has no bf16, so asserts another type.
std::string npy_header(ElementType type, const Shape& shape);
std::string npy_text_header(std::size_t count, std::size_t width);

// Throws Error of kind output. bf16 is written as f32.
void write_npy(const std::filesystem::path& path, const Tensor& tensor);

// Writes an f32 array of as yet unknown length row by row, in constant memory. Without finish() no file appears.
// All members throw Error of kind output.
class NpyWriter {
 public:
  NpyWriter(const std::filesystem::path& path, const Shape& row_shape);
  // A whole number of rows.
  void append(std::span<const float> rows);
  void finish();

 private:
  std::string header(std::int64_t rows) const;
  AtomicFile file_;
  Shape row_shape_;
  std::uint64_t values_ = 0;
};

}  // namespace alexnet
