// What another framework computed, as docs/reference-dump.md specifies it, seen from the model that it is to be compared with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/npz.h"
#include "image/image.h"
#include "model/model.h"

namespace alexnet {

// An array that belongs to no layer of the model.
struct UnknownArray {
  std::string name;
  std::optional<std::string> nearest;  // a layer of the model that may be meant
};

class ReferenceDump {
 public:
  // Throws Error of kind model, naming file and array, for a file that can't be used: no input, no layer of the model, arrays that
  // are no numbers of the right kind or not of the same number of pictures.
  ReferenceDump(const std::filesystem::path& path, const Graph& graph);

  const std::string& where() const { return where_; }
  std::int64_t pictures() const { return pictures_; }
  // Layers of the model that are there, in the graph's order; its inputs are always there.
  const std::vector<std::string>& layers() const { return layers_; }
  const std::vector<UnknownArray>& unknown() const { return unknown_; }

  bool has(const std::string& name) const { return arrays_.contains(name); }
  Shape shape(const std::string& name) const;  // of one picture
  ElementType type(const std::string& name) const;
  // A layer or input, for the pictures [begin, begin + count).
  Tensor rows(const std::string& name, std::int64_t begin, std::int64_t count) const;

  bool has_images() const { return !images_.empty(); }
  // Pixels as stored, or decoded from the bytes of a picture's file. Throws Error of kind model.
  Image image(std::int64_t picture) const;
  // Its path, or its number.
  std::string name(std::int64_t picture) const;

 private:
  void add_images(const std::map<std::string, std::size_t>& found);
  [[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) const;

  std::string where_;
  NpzReader reader_;
  std::int64_t pictures_ = 0;
  std::map<std::string, std::size_t> arrays_;  // of the model's layers and inputs
  std::vector<std::string> layers_;
  std::vector<std::size_t> images_;
  std::vector<UnknownArray> unknown_;
  std::vector<std::string> paths_;
};

}  // namespace alexnet
