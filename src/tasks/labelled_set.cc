#include "tasks/labelled_set.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "formats/bytes.h"
#include "formats/csv.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;

constexpr PictureSourceOptions kInClassFolders{.recursive = true};

bool is_stopped(const std::atomic<int>* stop) { return stop != nullptr && *stop != 0; }

}  // namespace

LabelledSet::LabelledSet(const std::string& name, ClassNames classes) : name_(name), classes_(std::move(classes)) {
  std::error_code ignored;
  fs::is_directory(name_, ignored) ? read_folders() : read_rows();
}

void LabelledSet::read_folders() {
  std::error_code error;
  std::vector<std::string> unknown;
  for (fs::directory_iterator at(name_, error); !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.') || !fs::is_directory(at->path(), ignored)) continue;
    const auto target = classes_.find(name);
    target ? folders_.push_back({at->path().string(), *target}) : unknown.push_back(name);
  }
  if (error) throw Error(ErrorKind::model, name_, "can't be listed: " + error.message());
  std::ranges::sort(unknown);
  classes_.refuse_if_any(unknown, name_, "folders");
  if (folders_.empty()) {
    throw Error(ErrorKind::model, name_, "has no folders of pictures",
                "each class has one, named by its id, label or index; or give a CSV file of path,label");
  }
  std::ranges::sort(folders_, {}, &ClassFolder::path);
}

void LabelledSet::read_rows() {
  file_ = MappedFile::open(name_);
  CsvReader reader(as_text(file_->bytes()), name_);
  std::set<std::string> unknown;
  std::vector<std::string> fields;
  std::size_t columns = 2;
  for (bool first = true; reader.next(fields); first = false) {
    const auto path = std::ranges::find(fields, "path");
    const auto label = std::ranges::find(fields, "label");
    if (first && path != fields.end() && label != fields.end()) {
      has_head_ = true;
      columns = fields.size();
      path_column_ = static_cast<std::size_t>(path - fields.begin());
      label_column_ = static_cast<std::size_t>(label - fields.begin());
      continue;
    }
    if (fields.size() != columns) {
      throw Error(ErrorKind::model, name_, fmt::format("line {} has {} fields, not {}", reader.line(), fields.size(), columns),
                  has_head_ ? "as many as its first line" : "path,label; a first line with these words may name more");
    }
    if (fields[path_column_].empty() || fields[path_column_].find('\0') != std::string::npos) {
      throw Error(ErrorKind::model, name_, fmt::format("line {} has no path", reader.line()));
    }
    if (!classes_.find(fields[label_column_])) unknown.insert(fields[label_column_]);
    ++rows_;
  }
  classes_.refuse_if_any({unknown.begin(), unknown.end()}, name_, "labels");
  if (rows_ == 0) throw Error(ErrorKind::model, name_, "has no rows of path,label");
}

NextPicture LabelledSet::pictures(const std::atomic<int>* stop) const { return file_ ? in_rows(stop) : in_folders(stop); }

NextPicture LabelledSet::in_folders(const std::atomic<int>* stop) const {
  return [this, stop, next_folder = std::size_t{0}, source = std::shared_ptr<PictureSource>()](PictureInput& input,
                                                                                               bool wait) mutable {
    for (;;) {
      if (source != nullptr && source->next(input, wait) == PictureSource::Next::picture) {
        input.target = folders_[next_folder - 1].target;
        return PictureSource::Next::picture;
      }
      if (next_folder == folders_.size() || is_stopped(stop)) return PictureSource::Next::end;
      PictureSourceOptions options = kInClassFolders;
      options.stop = stop;
      source = std::make_shared<PictureSource>(std::vector{folders_[next_folder++].path}, options);
    }
  };
}

NextPicture LabelledSet::in_rows(const std::atomic<int>* stop) const {
  return [this, stop, reader = CsvReader(as_text(file_->bytes()), name_), fields = std::vector<std::string>(),
          skip_head = has_head_](PictureInput& input, bool) mutable {
    if (std::exchange(skip_head, false)) reader.next(fields);
    if (is_stopped(stop) || !reader.next(fields)) return PictureSource::Next::end;
    input = {.path = fields[path_column_], .problem = {}, .target = classes_.find(fields[label_column_])};
    return PictureSource::Next::picture;
  };
}

std::uint64_t LabelledSet::count() const {
  std::uint64_t pictures = rows_;
  for (const auto& folder : folders_) pictures += count_pictures({folder.path}, kInClassFolders).value_or(0);
  return pictures;
}

}  // namespace alexnet
