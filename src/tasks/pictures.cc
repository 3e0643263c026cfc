#include "tasks/pictures.h"

#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "tasks/list_reader.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;

constexpr auto kSuffixes = std::to_array<std::string_view>({"jpg", "jpeg", "png", "bmp", "gif", "ppm", "pgm"});

bool has_picture_suffix(const std::string& name) {
  std::string suffix = name.substr(std::min(name.rfind('.'), name.size() - 1) + 1);
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end();
}

// A folder's pictures and, if asked for, its folders (with a slash behind, so that sorting the names of each folder sorts
// whole paths).
std::deque<std::string> entries_of(const std::string& folder, bool with_folders) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  std::deque<std::string> names;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    std::error_code ignored;
    const bool is_folder = entries->symlink_status(ignored).type() == fs::file_type::directory;
    if (is_folder && with_folders) names.push_back(name + "/");
    if (!is_folder && has_picture_suffix(name)) names.push_back(name);
  }
  if (error) {
    const bool descriptors = error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system;
    throw Error(descriptors ? ErrorKind::resources : ErrorKind::unreadable, folder, "can't be listed: " + error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

}  // namespace

struct PictureSource::Impl {
  struct Folder {
    std::string prefix;  // of the paths in it, ends in a slash
    std::deque<std::string> names;
  };

  std::vector<std::string> operands;
  PictureSourceOptions options;
  std::size_t position = 0;
  std::vector<Folder> folders;  // from the operand down to where we are
  std::unique_ptr<ListReader> list;

  void enter(const std::string& folder) {
    Folder entered{folder.ends_with('/') ? folder : folder + "/", entries_of(folder, options.recursive)};
    if (entered.names.empty() && folders.empty()) {
      throw Error(ErrorKind::not_found, folder, "has no pictures",
                  fmt::format("looked for {}{}", fmt::join(kSuffixes, ", "),
                              options.recursive ? "" : "; -r looks into folders below, too"));
    }
    folders.push_back(std::move(entered));
  }

  Next from_list(PictureInput& input, bool wait) {
    switch (list->next(input.path, wait)) {
      case ListReader::Got::bytes: return Next::picture;
      case ListReader::Got::later: return Next::later;
      case ListReader::Got::end: break;
    }
    list.reset();
    return Next::end;
  }

  bool from_folders(PictureInput& input) {
    while (!folders.empty()) {
      Folder& folder = folders.back();
      if (folder.names.empty()) {
        folders.pop_back();
        continue;
      }
      input.path = folder.prefix + folder.names.front();
      folder.names.pop_front();
      if (!input.path.ends_with('/')) return true;
      enter(input.path);
    }
    return false;
  }

  Next next(PictureInput& input, bool wait) {
    for (;;) {
      if (options.stop != nullptr && *options.stop != 0) return Next::end;
      if (list) {
        const Next got = from_list(input, wait);
        if (got != Next::end) return got;
      }
      if (from_folders(input)) return Next::picture;
      if (position == operands.size()) return Next::end;
      input.path = operands[position++];
      if (input.path.size() > 1 && input.path[0] == '@') {
        list = std::make_unique<ListReader>(input.path.substr(1), options.null_separated ? '\0' : '\n', options.stop);
      } else if (is_folder(input.path)) {
        enter(input.path);
      } else {
        return Next::picture;
      }
    }
  }
};

PictureSource::PictureSource(std::vector<std::string> operands, const PictureSourceOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->operands = std::move(operands);
  impl_->options = options;
}

PictureSource::~PictureSource() = default;

PictureSource::Next PictureSource::next(PictureInput& input, bool wait) {
  input = {};
  try {
    return impl_->next(input, wait);
  } catch (const Error& error) {
    impl_->list.reset();
    input.path = error.where();
    input.problem = error;
    return Next::picture;
  }
}

std::optional<std::uint64_t> count_pictures(const std::vector<std::string>& operands, const PictureSourceOptions& options) {
  std::error_code ignored;
  for (const auto& operand : operands) {
    if (operand == "-" || (operand.starts_with('@') && !fs::is_regular_file(operand.substr(1), ignored))) return std::nullopt;
  }
  PictureSource source(operands, options);
  PictureInput input;
  std::uint64_t count = 0;
  while (source.next(input, /*wait=*/true) != PictureSource::Next::end) ++count;
  return count;
}

std::vector<std::byte> read_standard_input(std::uint64_t max_bytes, const std::atomic<int>* stop) {
  PatientReader reader(0, stop);
  std::string text;
  while (reader.read(text, /*wait=*/true) == PatientReader::Got::bytes) {
    if (text.size() > max_bytes) throw Error(ErrorKind::too_large, "-", fmt::format("has more than {} bytes", max_bytes));
  }
  if (stop != nullptr && *stop != 0) throw Error(ErrorKind::unreadable, "-", "was not read to its end");
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace alexnet
