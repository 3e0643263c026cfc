#include "cli/resume.h"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/log.h"
#include "base/text.h"
#include "tasks/record_line.h"

namespace alexnet::cli {
namespace {

void write(Output& output, std::string_view line) {
  output.write(line);
  output.write("\n");
}

// Nothing for a torn line.
std::optional<ReadRecord> parsed(std::string_view line) {
  try {
    return read_record(line);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

Resume::Resume(const std::string& file, std::size_t top, bool logits, NextPicture source, OnKept on_kept)
    : file_(file), source_(std::move(source)), on_kept_(std::move(on_kept)) {
  read(file, top, logits);
  lines_of_file_ = lines_.size();
  read(file + ".part", top, logits);
  unused_ = lines_.size();

  for (std::size_t next_line = 0;; ++next_line) {
    PictureInput input;
    if (source_(input, /*wait=*/true) != PictureSource::Next::picture) {
      at_end_ = true;
      break;
    }
    Line* expected = next_line < lines_of_file_ ? &lines_[next_line] : nullptr;
    const auto offset = [&] { return static_cast<std::uint64_t>(expected->text.data() - file_begin()); };
    Line* line = take(input.path);
    if (line == nullptr || line != expected || offset() != prefix_bytes_) {
      if (line != nullptr) line->used = false, ++unused_;
      held_ = std::move(input);
      break;
    }
    keep(input, *line);
    prefix_bytes_ += line->text.size() + 1;
  }
}

void Resume::read(const std::string& file, std::size_t top, bool logits) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error || size == 0) return;
  mapped_.push_back(MappedFile::open(file));
  const auto bytes = mapped_.back()->bytes();
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t before = lines_.size();
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto record = parsed(line);
    if (!record) continue;
    if (!record->error && (record->top.size() != top || record->logits != logits)) {
      throw Error(ErrorKind::usage, file, "its records were made with other options",
                  "--resume needs the same --top and --logits as before; without it the file is replaced");
    }
    lines_.push_back({line, record->error.has_value()});
    by_path_[std::hash<std::string>{}(record->path)].push_back(&lines_.back());
  }
  constexpr std::string_view kBeginning = "{\"path\"";
  const std::string_view whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (lines_.size() == before && whole.substr(0, kBeginning.size()) != kBeginning.substr(0, whole.size())) {
    throw Error(ErrorKind::usage, file, "holds no records but something else", "--resume goes on with a file of JSON lines");
  }
}

const char* Resume::file_begin() const { return reinterpret_cast<const char*>(mapped_.front()->bytes().data()); }

Resume::Line* Resume::take(const std::string& path) {
  const auto found = by_path_.find(std::hash<std::string>{}(path));
  if (found == by_path_.end()) return nullptr;
  for (Line* line : found->second) {
    if (line->used) continue;
    line->used = true;
    --unused_;
    return line;
  }
  return nullptr;
}

void Resume::keep(const PictureInput& input, const Line& line) {
  ++kept_;
  kept_failed_ += line.failed ? 1 : 0;
  if (on_kept_) on_kept_(input, line.text);
}

Output Resume::open_output() {
  if (unused_ == 0) return Output::growing(file_, prefix_bytes_);
  Output output(file_);
  if (prefix_bytes_ > 0) output.write({file_begin(), prefix_bytes_});
  return output;
}

PictureSource::Next Resume::next(PictureInput& input, bool wait) {
  for (;;) {
    if (at_end_) return PictureSource::Next::end;
    if (held_) {
      input = *std::exchange(held_, std::nullopt);
    } else if (const auto got = source_(input, wait); got != PictureSource::Next::picture) {
      return got;
    }
    const Line* line = take(input.path);
    if (line == nullptr) {
      ++computed_;
      return PictureSource::Next::picture;
    }
    keep(input, *line);
    waiting_.push_back({computed_, line->text});
  }
}

void Resume::write_kept(Output& output) {
  while (!waiting_.empty() && waiting_.front().before <= written_) {
    write(output, waiting_.front().text);
    waiting_.pop_front();
  }
  ++written_;
}

void Resume::finish(Output& output, bool whole) {
  for (; !waiting_.empty(); waiting_.pop_front()) write(output, waiting_.front().text);
  if (!whole) {
    for (const Line& line : lines_) {
      if (!line.used) write(output, line.text);
    }
  } else if (unused_ > 0) {
    log(LogLevel::warning,
        fmt::format("{}: {} records of pictures that are not among the inputs are left out", printable(file_), unused_));
  }
}

}  // namespace alexnet::cli
