// What can be said about steps without a picture: whether they make sense one after the other, and what they lead to.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/located.h"
#include "image/preprocess.h"
#include "tensor/contrast.h"

namespace alexnet {
namespace {

constexpr std::int64_t kMaxSide = 16384;

// What is known of any picture at a point of the list.
struct Known {
  std::optional<HeightWidth> size;
  std::optional<std::int64_t> shorter;  // length of the shorter side
  bool arithmetic = false;              // no longer bytes
};

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::model, "", message); }

void require_side(std::int64_t side) {
  if (side < 1 || side > kMaxSide) fail(fmt::format("has a side of {} pixels; 1 to {} are allowed", side, kMaxSide));
}

void require_finite(double value, const char* what) {
  if (!std::isfinite(static_cast<float>(value))) fail(fmt::format("has {} {}, which is not a finite number in f32", what, value));
}

void require_divisor(double value, const char* what) {
  require_finite(value, what);
  if (static_cast<float>(value) == 0) fail(fmt::format("has {} {} and would divide by zero", what, value));
}

Known after(const Resize& step, const Known& known) {
  if (step.shorter.has_value() == step.size.has_value()) fail("needs either 'shorter' or 'size'");
  if (known.arithmetic) fail("must stand before the steps that compute with the pixels");
  if (step.shorter) {
    require_side(*step.shorter);
    return {.size = {}, .shorter = step.shorter};
  }
  std::ranges::for_each(*step.size, require_side);
  return {.size = step.size, .shorter = std::ranges::min(*step.size)};
}

Known after(const CenterCrop& step, const Known& known) {
  std::ranges::for_each(step.size, require_side);
  const auto [height, width] = step.size;
  if (known.size && (height > (*known.size)[0] || width > (*known.size)[1])) {
    fail(fmt::format("takes {} x {} pixels (height x width) out of {} x {}", height, width, (*known.size)[0], (*known.size)[1]));
  }
  if (!known.size && known.shorter && std::max(height, width) > *known.shorter) {
    fail(fmt::format("takes {} x {} pixels (height x width) out of a picture whose shorter side is {}", height, width,
                     *known.shorter));
  }
  return {.size = step.size, .shorter = std::min(height, width), .arithmetic = known.arithmetic};
}

Known after(const Channels&, const Known& known) { return known; }

Known computed(Known known) {
  known.arithmetic = true;
  return known;
}

Known after(const Divide& step, const Known& known) {
  require_divisor(step.by, "'by'");
  return computed(known);
}

Known after(const Normalize& step, const Known& known) {
  for (const double mean : step.mean) require_finite(mean, "a mean of");
  for (const double std : step.std) require_divisor(std, "a std of");
  return computed(known);
}

Known after(const MeanImage& step, const Known& known) {
  if (step.tensor.empty()) fail("needs the name of a 'tensor'");
  return computed(known);
}

void require_not_negative(double value, const char* what) {
  require_finite(value, what);
  if (value < 0) fail(fmt::format("has {} {}, which is negative", what, value));
}

Known after(const GlobalContrastStep& step, const Known& known) {
  require_finite(step.scale, "a scale of");
  require_not_negative(step.lambda, "a lambda of");
  require_not_negative(step.epsilon, "an epsilon of");
  return computed(known);
}

Known after(const LocalContrastStep& step, const Known& known) {
  check(Neighbourhood{step.local_size, step.sigma, step.across_channels});
  require_not_negative(step.epsilon, "an epsilon of");
  return computed(known);
}

Known after(const LocalMeanStep& step, const Known& known) {
  check(Neighbourhood{step.local_size, step.sigma, step.across_channels});
  return computed(known);
}

Known after(const ZcaStep& step, const Known& known) {
  if (step.matrix.empty() || step.mean.empty() || step.matrix == step.mean) fail("needs the names of a 'matrix' and of a 'mean'");
  return computed(known);
}

Known after_all(const Preprocessing& preprocessing, const std::string& where) {
  Known known;
  for (std::size_t i = 0; i < preprocessing.steps.size(); ++i) {
    std::visit(
        [&]<typename Kind>(const Kind& step) {
          located(fmt::format("{}: step {} ({})", where, i + 1, Kind::kKind), [&] { known = after(step, known); });
        },
        preprocessing.steps[i]);
  }
  return known;
}

}  // namespace

void check(const Preprocessing& preprocessing, const std::string& where) { after_all(preprocessing, where); }

std::optional<Shape> output_shape(const Preprocessing& preprocessing) {
  const Known known = after_all(preprocessing, "preprocessing");
  if (!known.size) return std::nullopt;
  return Shape{3, (*known.size)[0], (*known.size)[1]};
}

std::int64_t resized_to(const Preprocessing& preprocessing) {
  const auto* resize = preprocessing.steps.empty() ? nullptr : std::get_if<Resize>(&preprocessing.steps.front());
  if (resize == nullptr) return 0;
  return resize->shorter ? *resize->shorter : std::ranges::max(resize->size.value_or(HeightWidth{}));
}

}  // namespace alexnet
