// Pictures whose class is known.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "tasks/class_names.h"
#include "tasks/pictures.h"

namespace alexnet {

// Either a folder that holds a folder of pictures for each class (not all classes need one; pictures may lie deeper in it), or
// a CSV file with a row for each picture: its path, as seen from the current folder, and its class. A first row that has the
// words path and label says which columns they are; without one there are two columns, path and label. Folders and labels
// name classes as ClassNames::find() reads them.
class LabelledSet {
 public:
  // Throws Error of kind model for what is neither, for rows that are not as described, and for unknown labels, all of them
  // together.
  LabelledSet(const std::string& name, ClassNames classes);

  // The pictures in a stable order, folders by path, each with its target. As often as asked for; the set must outlive it.
  NextPicture pictures(const std::atomic<int>* stop) const;
  std::uint64_t count() const;

 private:
  struct ClassFolder {
    std::string path;
    std::int64_t target;
  };
  void read_folders();
  void read_rows();
  NextPicture in_folders(const std::atomic<int>* stop) const;
  NextPicture in_rows(const std::atomic<int>* stop) const;

  std::string name_;
  ClassNames classes_;
  std::vector<ClassFolder> folders_;  // or else:
  std::shared_ptr<const MappedFile> file_;
  bool has_head_ = false;
  std::size_t path_column_ = 0;
  std::size_t label_column_ = 1;
  std::uint64_t rows_ = 0;
};

}  // namespace alexnet
