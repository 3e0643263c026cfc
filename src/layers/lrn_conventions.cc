#include "layers/lrn_conventions.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"
#include "layers/enum_names.h"
#include "layers/window.h"

namespace alexnet::lrn {
namespace {

double divisor(LrnRegion region, std::int64_t size) {
  const auto n = static_cast<double>(size);
  return region == LrnRegion::across_channels ? n : n * n;
}

// Odd windows are the same in every convention, so that they compare equal.
EvenWindow if_even(std::int64_t size, EvenWindow window) { return size % 2 == 0 ? window : Lrn{}.even_window; }

// A window of `radius` neighbours on both sides whose alpha applies to the plain sum of the squares.
Lrn undivided(std::string_view what, std::int64_t radius, double alpha, double beta, double k) {
  constexpr std::int64_t kLargest = std::int64_t{1} << 30;
  if (radius < 0 || radius > kLargest) {
    throw Error(ErrorKind::model, "", fmt::format("{} is {}, must be between 0 and {}", what, radius, kLargest));
  }
  const auto size = 2 * radius + 1;
  return {.local_size = size, .alpha = alpha * static_cast<double>(size), .beta = beta, .k = k};
}

// A layer seen as what it computes.
struct Meaning {
  const Lrn& layer;

  LrnReach window() const { return reach(layer); }
  bool across() const { return layer.region == LrnRegion::across_channels; }
  bool plain() const { return across() && layer.groups == 1; }
  std::int64_t taps() const { return window().before + window().after + 1; }
  bool symmetric() const { return window().before == window().after; }
  // An even window that leans towards lower or higher channels, or an odd one.
  bool leans_before() const { return window().before - window().after == (taps() % 2 == 0 ? 1 : 0); }
  bool leans_after() const { return window().after - window().before == (taps() % 2 == 0 ? 1 : 0); }
  // The alpha that a convention which divides by the number of taps needs; ours as it is where it is the same.
  double divided_alpha() const {
    if (taps() == layer.local_size) return layer.alpha;
    return summed_alpha() * divisor(layer.region, taps());
  }
  double summed_alpha() const { return layer.alpha / divisor(layer.region, layer.local_size); }
};

std::optional<Source> express(const PyTorch&, const Meaning& m) {
  if (!m.plain() || !m.leans_before()) return std::nullopt;
  return PyTorch{m.taps(), m.divided_alpha(), m.layer.beta, m.layer.k};
}

std::optional<Source> express(const Onnx&, const Meaning& m) {
  if (!m.plain() || !m.leans_after()) return std::nullopt;
  return Onnx{m.taps(), m.divided_alpha(), m.layer.beta, m.layer.k};
}

std::optional<Source> express(const TensorFlow&, const Meaning& m) {
  if (!m.plain() || !m.symmetric()) return std::nullopt;
  return TensorFlow{m.window().before, m.layer.k, m.summed_alpha(), m.layer.beta};
}

std::optional<Source> express(const Caffe&, const Meaning& m) {
  const bool has_its_k = m.across() || m.layer.k == 1;
  if (!m.symmetric() || !has_its_k || (m.across() && !m.plain())) return std::nullopt;
  return Caffe{m.taps(), m.divided_alpha(), m.layer.beta, m.layer.region, m.layer.k};
}

std::optional<Source> express(const OneDnn&, const Meaning& m) {
  if (!m.symmetric() || (m.across() && !m.plain())) return std::nullopt;
  return OneDnn{m.layer.region, m.layer.local_size, m.layer.alpha, m.layer.beta, m.layer.k};
}

std::optional<Source> express(const Paper&, const Meaning& m) {
  if (!m.plain() || !m.symmetric()) return std::nullopt;
  return Paper{m.layer.k, m.taps(), m.summed_alpha(), m.layer.beta};
}

std::optional<Source> express(const CudaConvnet&, const Meaning& m) {
  if (!m.leans_before()) return std::nullopt;
  return CudaConvnet{m.layer.region, m.taps(), m.divided_alpha(), m.layer.beta, m.layer.k, m.across() ? m.layer.groups : 1};
}

std::string shown_value(std::int64_t value) { return std::to_string(value); }
std::string shown_value(double value) { return fmt::format("{}", value); }
template <typename E>
requires std::is_enum_v<E> std::string shown_value(E value) {
  return std::string(EnumNames<E>::kNames[static_cast<std::size_t>(value)]);
}

template <typename Struct>
std::string call(std::string_view name, const Struct& arguments) {
  std::vector<std::string> shown_arguments;
  Struct::fields(arguments, [&](std::string_view key, const auto& value) {
    shown_arguments.push_back(fmt::format("{}={}", key, shown_value(value)));
  });
  return fmt::format("{}({})", name, join(shown_arguments, ", "));
}

}  // namespace

Lrn layer(const PyTorch& source) {
  require_at_least("size", source.size, 1);
  return {.local_size = source.size,
          .alpha = source.alpha,
          .beta = source.beta,
          .k = source.k,
          .even_window = if_even(source.size, EvenWindow::before)};
}

Lrn layer(const Onnx& source) {
  require_at_least("size", source.size, 1);
  return {.local_size = source.size,
          .alpha = source.alpha,
          .beta = source.beta,
          .k = source.bias,
          .even_window = if_even(source.size, EvenWindow::after)};
}

Lrn layer(const TensorFlow& source) {
  return undivided("depth_radius", source.depth_radius, source.alpha, source.beta, source.bias);
}

Lrn layer(const Caffe& source) {
  require_at_least("local_size", source.local_size, 1);
  if (source.local_size % 2 == 0) {
    throw Error(ErrorKind::model, "", fmt::format("local_size is {}, must be odd in Caffe's convention", source.local_size));
  }
  const bool across = source.norm_region == LrnRegion::across_channels;
  return {.region = source.norm_region,
          .local_size = source.local_size,
          .alpha = source.alpha,
          .beta = source.beta,
          .k = across ? source.k : 1};
}

Lrn layer(const OneDnn& source) {
  require_at_least("local_size", source.local_size, 1);
  return {.region = source.algorithm,
          .local_size = source.local_size,
          .alpha = source.alpha,
          .beta = source.beta,
          .k = source.k,
          .even_window = if_even(source.local_size, EvenWindow::none)};
}

Lrn layer(const Paper& source) {
  require_at_least("n", source.n, 1);
  return undivided("n", source.n / 2, source.alpha, source.beta, source.k);
}

Lrn layer(const CudaConvnet& source) {
  require_at_least("size", source.size, 1);
  require_at_least("groups", source.groups, 1);
  return {.region = source.type,
          .local_size = source.size,
          .alpha = source.scale,
          .beta = source.pow,
          .k = source.min_div,
          .even_window = if_even(source.size, EvenWindow::before),
          .groups = source.groups};
}

Lrn layer(const Source& source) {
  return std::visit([](const auto& one) { return layer(one); }, source);
}

std::optional<Source> in_words_of(const Source& like, const Lrn& layer) {
  return std::visit([&](const auto& convention) { return express(convention, Meaning{layer}); }, like);
}

std::string to_string(const Source& source) {
  return std::visit([]<typename Convention>(const Convention& one) { return call(Convention::kCall, one); }, source);
}

std::string to_string(const Lrn& layer) { return call(Lrn::kKind, layer); }

Json to_json(const Source& source) {
  return std::visit(
      []<typename Convention>(const Convention& one) {
        Json json{{"convention", Convention::kKind}};
        write_fields(one, json);
        return json;
      },
      source);
}

Source source_from_json(const Json& json) { return read_tagged<Source>(json, "source", "convention"); }

}  // namespace alexnet::lrn
