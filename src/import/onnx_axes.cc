#include "import/onnx_axes.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "base/checked.h"

namespace alexnet {
namespace {

[[noreturn]] void fail(std::string message) { throw Error(ErrorKind::model, "", std::move(message)); }

// The product; an error beyond 2^62.
std::int64_t product(std::span<const std::int64_t> extents) {
  const auto result = element_count(extents);
  if (!result) fail(fmt::format("has the impossible shape {}", to_string(extents)));
  return *result;
}

bool has_batch(const Extents& extents) { return !extents.empty() && extents.front() == kBatch; }

}  // namespace

std::size_t front_axis(std::int64_t axis, std::size_t rank) {
  const auto size = static_cast<std::int64_t>(rank);
  if (axis < -size || axis >= size) fail(fmt::format("axis {} of a tensor with {} axes", axis, rank));
  return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

std::optional<std::int64_t> element_count(std::span<const std::int64_t> extents) {
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  std::int64_t result = 1;
  for (const auto extent : extents) {
    if (extent < 0) return std::nullopt;
    const auto more = checked_multiply(result, extent);
    if (!more || *more > kMost) return std::nullopt;
    result = *more;
  }
  return result;
}

Extents reshaped(const Extents& from, const std::vector<std::int64_t>& target, bool allow_zero,
                 std::optional<std::int64_t> written_batch) {
  if (target.size() > Shape::kMaxRank) fail(fmt::format("makes {} axes, more than {}", target.size(), Shape::kMaxRank));
  Extents to = target;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] == 0 && !allow_zero) {
      if (i >= from.size()) fail("keeps an extent that the input does not have");
      to[i] = from[i];
    }
    if (to[i] < -1 && to[i] != kBatch) fail(fmt::format("wants the extent {}", to[i]));
  }
  if (std::ranges::count(to, -1) > 1) fail("leaves more than one extent open");
  std::span<const std::int64_t> sample_from = from;
  std::span<std::int64_t> sample_to = to;
  if (has_batch(from)) {
    const auto mixed = [&] {
      throw BatchMixed(fmt::format("makes {} of {}, which mixes the samples of a batch", to_string(target), to_string(from)));
    };
    if (to.empty() || std::count(to.begin() + 1, to.end(), kBatch) != 0) mixed();
    if (to[0] != kBatch && to[0] != -1 && to[0] != written_batch) mixed();
    const bool open = to[0] == -1;
    to[0] = kBatch;
    sample_from = sample_from.subspan(1);
    sample_to = sample_to.subspan(1);
    if (open && product(sample_to) != product(sample_from)) mixed();
  } else if (std::ranges::find(to, kBatch) != to.end()) {
    throw BatchMixed("uses the size of the batch, which is free, as an extent of something else");
  }
  const auto wanted = product(sample_from);
  if (const auto open = std::ranges::find(sample_to, -1); open != sample_to.end()) {
    *open = 1;
    const auto others = product(sample_to);
    if (others == 0 || wanted % others != 0) fail(fmt::format("can't make {} of {}", to_string(target), to_string(from)));
    *open = wanted / others;
  }
  if (product(sample_to) != wanted) fail(fmt::format("can't make {} of {}", to_string(target), to_string(from)));
  return to;
}

Extents flattened(const Extents& from, std::int64_t axis) {
  const auto size = static_cast<std::int64_t>(from.size());
  if (axis < -size || axis > size) fail(fmt::format("axis {} of a tensor with {} axes", axis, size));
  const auto split = static_cast<std::size_t>(axis < 0 ? axis + size : axis);
  const std::span<const std::int64_t> all = from;
  if (has_batch(from) && split != 1)
    throw BatchMixed(fmt::format("flattens {} at axis {}, which mixes samples", to_string(from), split));
  return {has_batch(from) ? kBatch : product(all.first(split)), product(all.subspan(split))};
}

Extents squeezed(const Extents& from, const std::optional<std::vector<std::int64_t>>& axes) {
  std::set<std::size_t> dropped;
  if (axes) {
    for (const auto axis : *axes) dropped.insert(front_axis(axis, from.size()));
  } else {
    for (std::size_t axis = 0; axis < from.size(); ++axis) {
      if (from[axis] == 1) dropped.insert(axis);
    }
  }
  Extents result;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (!dropped.contains(axis)) {
      result.push_back(from[axis]);
    } else if (from[axis] == kBatch) {
      throw BatchMixed("removes the axis of the batch");
    } else if (from[axis] != 1) {
      fail(fmt::format("removes axis {} of {}, whose extent is not 1", axis, to_string(from)));
    }
  }
  return result;
}

Extents unsqueezed(const Extents& from, const std::vector<std::int64_t>& axes) {
  const auto rank = from.size() + axes.size();
  if (rank > Shape::kMaxRank) fail(fmt::format("makes {} axes, more than {}", rank, Shape::kMaxRank));
  std::set<std::size_t> added;
  for (const auto axis : axes) {
    if (!added.insert(front_axis(axis, rank)).second) fail("adds an axis twice");
  }
  if (has_batch(from) && added.contains(0)) throw BatchMixed("puts an axis in front of the batch");
  Extents result;
  auto next = from.begin();
  for (std::size_t axis = 0; axis < rank; ++axis) result.push_back(added.contains(axis) ? 1 : *next++);
  return result;
}

std::vector<std::size_t> permutation(const std::vector<std::int64_t>& written, std::size_t rank) {
  std::vector<std::size_t> result;
  for (const auto axis : written) result.push_back(front_axis(axis, rank));
  if (written.empty()) {
    result.resize(rank);
    std::iota(result.rbegin(), result.rend(), std::size_t{0});
  }
  if (std::set(result.begin(), result.end()).size() != rank || result.size() != rank) {
    fail(fmt::format("its permutation does not name each of {} axes once", rank));
  }
  return result;
}

Extents transposed(const Extents& from, const std::vector<std::size_t>& permutation) {
  if (has_batch(from) && permutation[0] != 0) throw BatchMixed("moves the axis of the batch");
  Extents result;
  for (const auto axis : permutation) result.push_back(from[axis]);
  return result;
}

std::vector<OnnxRange> slice_ranges(const Extents& from, const std::vector<std::int64_t>& starts,
                                    const std::vector<std::int64_t>& ends, const std::optional<std::vector<std::int64_t>>& axes,
                                    const std::vector<std::int64_t>& steps) {
  const auto count = starts.size();
  if (ends.size() != count || (axes && axes->size() != count) || (!steps.empty() && steps.size() != count)) {
    fail("its starts, ends, axes and steps are not equally many");
  }
  std::vector<OnnxRange> result;
  std::set<std::size_t> seen;
  for (std::size_t i = 0; i < count; ++i) {
    const auto axis = front_axis(axes ? (*axes)[i] : static_cast<std::int64_t>(i), from.size());
    if (!seen.insert(axis).second) fail(fmt::format("names axis {} twice", axis));
    const auto step = steps.empty() ? 1 : steps[i];
    if (step == 0) fail("has a step of 0");
    const auto size = from[axis];
    if (size == kBatch) {
      // All of the batch is all that may be taken of it.
      if (starts[i] == 0 && step == 1 && ends[i] > std::numeric_limits<std::int32_t>::max() - 1) continue;
      throw BatchMixed("takes a part of the batch");
    }
    const auto at = [&](std::int64_t place) { return place < 0 ? (place < -size ? -1 : place + size) : place; };
    std::int64_t begin = 0, taken = 0;
    if (step > 0) {
      begin = std::clamp<std::int64_t>(at(starts[i]), 0, size);
      const auto end = std::clamp<std::int64_t>(at(ends[i]), 0, size);
      taken = end > begin ? (end - begin - 1) / step + 1 : 0;
    } else {
      begin = std::clamp<std::int64_t>(at(starts[i]), -1, size - 1);
      const auto end = std::clamp<std::int64_t>(at(ends[i]), -1, size - 1);
      // The step may be the most negative number, which has no positive.
      taken = begin > end ? (end - begin + 1) / step + 1 : 0;
    }
    result.push_back({axis, begin, taken, step});
  }
  return result;
}

Extents concatenated(std::span<const Extents> parts, std::size_t axis) {
  Extents result = parts[0];
  if (result[axis] == kBatch) throw BatchMixed("joins batches");
  for (const auto& part : parts.subspan(1)) {
    Extents alike = part;
    if (part.size() == result.size()) alike[axis] = result[axis];
    if (alike != result) fail(fmt::format("joins {} and {} along axis {}", to_string(parts[0]), to_string(part), axis));
    const auto sum = checked_add(result[axis], part[axis]);
    if (!sum) fail("joins more elements than can be counted");
    result[axis] = *sum;
  }
  return result;
}

Extents broadcast(const Extents& a, const Extents& b) {
  const auto& longer = a.size() >= b.size() ? a : b;
  const auto& shorter = a.size() >= b.size() ? b : a;
  Extents result = longer;
  const auto skipped = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    auto& extent = result[skipped + i];
    if (shorter[i] == 1 || shorter[i] == extent) continue;
    if (extent == 1) {
      extent = shorter[i];
    } else if (extent == kBatch || shorter[i] == kBatch) {
      throw BatchMixed(fmt::format("combines {} and {}, which fits one size of the batch only", to_string(a), to_string(b)));
    } else {
      fail(fmt::format("combines {} and {}, which do not fit", to_string(a), to_string(b)));
    }
  }
  if (std::count(result.begin() + (result.empty() ? 0 : 1), result.end(), kBatch) != 0) {
    throw BatchMixed(fmt::format("combines {} and {}, which mixes the samples of a batch", to_string(a), to_string(b)));
  }
  return result;
}

Extents multiplied(const Extents& a, const Extents& b) {
  if (a.size() < 2 || b.size() < 2) fail(fmt::format("multiplies {} by {}: vectors are not supported", to_string(a), to_string(b)));
  const auto columns = b.back();
  const auto rows = a[a.size() - 2];
  if (b[b.size() - 2] == kBatch) throw BatchMixed("multiplies by a matrix of samples");
  if (a.back() != b[b.size() - 2]) fail(fmt::format("multiplies {} by {}, which do not fit", to_string(a), to_string(b)));
  Extents result = broadcast({a.begin(), a.end() - 2}, {b.begin(), b.end() - 2});
  if (rows == kBatch && !result.empty()) throw BatchMixed("multiplies samples by several matrices");
  result.push_back(rows);
  result.push_back(columns);
  return result;
}

}  // namespace alexnet
