#include "runtime/simd/winograd.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/winograd_transform.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/winograd.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Float = hn::ScalableTag<float>;
using Vector = hn::Vec<Float>;

// What a matrix product keeps in registers: 24 sums of 32 with AVX-512, 12 of 16 with AVX2.
constexpr std::int64_t kRows = 6;
#if HWY_TARGET <= HWY_AVX3
constexpr std::int64_t kPanel = 4;  // vectors of output channels
#else
constexpr std::int64_t kPanel = 2;
#endif

std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Float())); }

template <std::size_t kOutputs, std::size_t kTaps>
struct Form {
  static constexpr auto kAll = winograd_matrices<kOutputs, kTaps>();
  static constexpr std::size_t kSize = kAll.kSize;
  static constexpr std::size_t kOut = kOutputs;
  struct Input {
    static constexpr auto kMatrix = kAll.input;
  };
  struct Output {
    static constexpr auto kMatrix = kAll.output;
  };
};

// Row `kRow` of a matrix times x[0], x[stride], ...; entries of 0, 1 and -1 cost no multiplication.
template <typename M, std::size_t kRow, std::size_t kColumn = 0, bool kStarted = false>
HWY_INLINE Vector row_times(const Vector* x, std::size_t stride, Vector sum) {
  if constexpr (kColumn == M::kMatrix[kRow].size()) {
    return sum;
  } else {
    constexpr double kFactor = M::kMatrix[kRow][kColumn];
    const Vector value = x[kColumn * stride];
    if constexpr (kFactor == 0) {
      return row_times<M, kRow, kColumn + 1, kStarted>(x, stride, sum);
    } else {
      if constexpr (!kStarted) {
        sum = kFactor == 1 ? value : hn::Mul(value, hn::Set(Float(), static_cast<float>(kFactor)));
      } else if constexpr (kFactor == 1) {
        sum = hn::Add(sum, value);
      } else if constexpr (kFactor == -1) {
        sum = hn::Sub(sum, value);
      } else {
        sum = hn::MulAdd(value, hn::Set(Float(), static_cast<float>(kFactor)), sum);
      }
      return row_times<M, kRow, kColumn + 1, true>(x, stride, sum);
    }
  }
}

template <typename M, std::size_t... kRows>
HWY_INLINE void times(const Vector* x, std::size_t x_stride, Vector* y, std::size_t y_stride, std::index_sequence<kRows...>) {
  ((y[kRows * y_stride] = row_times<M, kRows>(x, x_stride, hn::Zero(Float()))), ...);
}

// y (rows x rows) = M x (columns x columns) M^T
template <typename M, std::size_t kRows = M::kMatrix.size(), std::size_t kColumns = M::kMatrix[0].size()>
HWY_INLINE void both_axes(const Vector* x, Vector* y) {
  constexpr auto kEach = std::make_index_sequence<kRows>();
  Vector half[kRows * kColumns];
  for (std::size_t j = 0; j < kColumns; ++j) times<M>(x + j, kColumns, half + j, kColumns, kEach);
  for (std::size_t i = 0; i < kRows; ++i) times<M>(half + i * kColumns, 1, y + i * kRows, 1, kEach);
}

constexpr std::int64_t kLine = 16;  // floats

// Between the same element of two points: an odd number of cache lines, or all points would share a few sets of a cache.
constexpr std::int64_t point_stride(std::int64_t floats) { return ((floats + kLine - 1) / kLine | 1) * kLine; }

// What goes through, and where it lies in scratch.
template <typename F>
struct Pass {
  static constexpr auto kSize = static_cast<std::int64_t>(F::kSize);
  static constexpr auto kOut = static_cast<std::int64_t>(F::kOut);
  static constexpr auto kPoints = kSize * kSize;

  const WinogradArguments& a;
  const WinogradLayer& layer = a.layer;
  std::int64_t down = (layer.out_height + kOut - 1) / kOut;
  std::int64_t across = (layer.out_width + kOut - 1) / kOut;
  std::int64_t tiles = a.images * down * across;
  std::int64_t channels = layer.channels * layer.stride * layer.stride;
  std::int64_t folded_height = down * kOut + kSize - kOut;
  std::int64_t folded_width = across * kOut + kSize - kOut;
  std::int64_t input_stride = point_stride(tiles * channels);
  std::int64_t product_stride = point_stride(tiles * layer.out_channels);

  float* inputs = a.scratch;                            // points x tiles x channels
  float* products = inputs + kPoints * input_stride;    // points x tiles x out_channels
  float* folded = products + kPoints * product_stride;  // images x folded_height x folded_width x channels
  std::int64_t floats() const {
    return kPoints * (input_stride + product_stride) + (layer.stride == 1 ? 0 : a.images * folded_height * folded_width * channels);
  }
};

// A row of an image whose blocks of pixels become channels, in the order c, y, x: kStride numbers stay together.
template <typename F>
void fold_row(const Pass<F>& p, std::int64_t row) {
  const WinogradLayer& l = p.layer;
  const auto image = row / p.folded_height;
  const auto top = row % p.folded_height * l.stride - l.top;
  float* to = p.folded + row * p.folded_width * p.channels;
  for (std::int64_t i = 0; i < l.channels * l.stride; ++i) {
    const auto y = top + i % l.stride;
    const bool inside = y >= 0 && y < l.height;
    const float* from = p.a.source + ((image * l.channels + i / l.stride) * l.height + y) * l.width;
    for (std::int64_t column = 0; column < p.folded_width; ++column) {
      const auto x = column * l.stride - l.left;
      float* block = to + column * p.channels + i * l.stride;
      if (l.stride == 4 && inside && x >= 0 && x + 4 <= l.width) {
        std::memcpy(block, from + x, 4 * sizeof(float));  // AlexNet's
        continue;
      }
      for (std::int64_t j = 0; j < l.stride; ++j) block[j] = inside && x + j >= 0 && x + j < l.width ? from[x + j] : 0;
    }
  }
}

template <typename F>
void transform_input(const Pass<F>& p, std::int64_t tile) {
  const WinogradLayer& l = p.layer;
  const bool folded = l.stride > 1;
  const float* source = folded ? p.folded : p.a.source;
  const auto height = folded ? p.folded_height : l.height;
  const auto width = folded ? p.folded_width : l.width;
  const auto image = tile / (p.down * p.across);
  const auto top = tile / p.across % p.down * p.kOut - (folded ? 0 : l.top);
  const auto left = tile % p.across * p.kOut - (folded ? 0 : l.left);
  const float* pixels[Pass<F>::kPoints];
  for (std::int64_t i = 0; i < p.kPoints; ++i) {
    const auto y = top + i / p.kSize;
    const auto x = left + i % p.kSize;
    const bool inside = y >= 0 && y < height && x >= 0 && x < width;
    pixels[i] = inside ? source + ((image * height + y) * width + x) * p.channels : p.a.zeros;
  }
  float* to = p.inputs + tile * p.channels;
  for (std::int64_t c = 0; c < p.channels; c += lanes()) {
    Vector x[Pass<F>::kPoints];
    for (std::int64_t i = 0; i < p.kPoints; ++i) x[i] = hn::LoadU(Float(), pixels[i] + c);
    both_axes<typename F::Input>(x, x);
    for (std::int64_t i = 0; i < p.kPoints; ++i) hn::StoreU(x[i], Float(), to + i * p.input_stride + c);
  }
}

template <typename F>
void transform_output(const Pass<F>& p, std::int64_t tile) {
  const WinogradLayer& l = p.layer;
  const auto image = tile / (p.down * p.across);
  const auto top = tile / p.across % p.down * p.kOut;
  const auto left = tile % p.across * p.kOut;
  const auto rows = std::min(p.kOut, l.out_height - top);
  const auto columns = std::min(p.kOut, l.out_width - left);
  const float* from = p.products + tile * l.out_channels;
  float* to = p.a.destination + ((image * l.out_height + top) * l.out_width + left) * l.out_channels;
  for (std::int64_t c = 0; c < l.out_channels; c += lanes()) {
    Vector x[Pass<F>::kPoints];
    for (std::int64_t i = 0; i < p.kPoints; ++i) x[i] = hn::LoadU(Float(), from + i * p.product_stride + c);
    Vector y[F::kOut * F::kOut];
    both_axes<typename F::Output>(x, y);
    const Vector bias = p.a.bias == nullptr ? hn::Zero(Float()) : hn::LoadU(Float(), p.a.bias + c);
    for (std::int64_t i = 0; i < p.kOut * p.kOut; ++i) {
      if (i / p.kOut >= rows || i % p.kOut >= columns) continue;
      Vector value = hn::Add(y[i], bias);
      // Not Max: NaN stays NaN.
      if (p.a.relu) value = hn::IfThenZeroElse(hn::Lt(value, hn::Zero(Float())), value);
      hn::StoreU(value, Float(), to + (i / p.kOut * l.out_width + i % p.kOut) * l.out_channels + c);
    }
  }
}

struct Product {
  const float* a;  // rows x depth
  std::int64_t a_stride;
  const float* b;  // depth x vectors, together
  std::int64_t depth;
  float* c;  // rows x vectors
  std::int64_t c_stride;
  const float* next;  // to be fetched on the way
  std::int64_t next_step;
};

// c = a b for kRows rows and kVectors vectors of columns.
template <std::int64_t kRows, std::int64_t kVectors>
void product(const Product& p) {
  const Float d;
  Vector sum[kRows][kVectors];
  for (auto& row : sum)
    for (auto& part : row) part = hn::Zero(d);
  // A pointer for three rows: all addresses are a pointer and one stride, so that they fit the registers.
  const float* rows[(kRows + 2) / 3];
  for (std::int64_t i = 0; i < (kRows + 2) / 3; ++i) rows[i] = p.a + 3 * i * p.a_stride;
  const auto stride = p.a_stride;
  const float* b = p.b;
  const float* next = p.next;
  for (std::int64_t k = 0; k < p.depth; ++k) {
    Vector w[kVectors];
    for (std::int64_t v = 0; v < kVectors; ++v) {
      w[v] = hn::LoadU(d, b + v * lanes());
      __builtin_prefetch(b + (v + 4 * kVectors) * lanes());
    }
    b += kVectors * lanes();
    __builtin_prefetch(next, 0, 2);
    next += p.next_step;
    for (std::int64_t r = 0; r < kRows; ++r) {
      const Vector x = hn::Set(d, rows[r / 3][r % 3 * stride]);
      for (std::int64_t v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(x, w[v], sum[r][v]);
    }
    for (auto& row : rows) ++row;
  }
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, p.c + r * p.c_stride + v * lanes());
}

// Every size up to kRows rows and kPanel vectors.
template <std::int64_t... kSizes>
void run_product(const Product& p, std::int64_t rows, std::int64_t vectors, std::integer_sequence<std::int64_t, kSizes...>) {
  static constexpr void (*kProducts[])(const Product&){product<kSizes / kPanel + 1, kSizes % kPanel + 1>...};
  kProducts[(rows - 1) * kPanel + vectors - 1](p);
}

// For one point and a panel of output channels, of all tiles.
template <typename F>
void multiply(const Pass<F>& p, std::int64_t group, std::int64_t point, std::int64_t panel) {
  const auto depth = p.channels / p.layer.groups;
  const auto width = p.layer.out_channels / p.layer.groups;
  const auto column = panel * kPanel * lanes();
  const auto vectors = std::min(kPanel, (width - column) / lanes());
  const float* weight = p.a.weight + ((group * p.kPoints + point) * width + column) * depth;
  const float* from = p.inputs + point * p.input_stride + group * depth;
  float* to = p.products + point * p.product_stride + group * width + column;
  // Parts alike, instead of full ones and a small rest; each fetches its share of the next panel's weights.
  const auto parts = (p.tiles + kRows - 1) / kRows;
  const auto next_step = (vectors * lanes() + parts - 1) / parts;
  const float* next = weight + depth * vectors * lanes();
  for (std::int64_t part = 0, row = 0; part < parts; ++part) {
    const auto rows = (p.tiles - row + parts - part - 1) / (parts - part);
    run_product({.a = from + row * p.channels,
                 .a_stride = p.channels,
                 .b = weight,
                 .depth = depth,
                 .c = to + row * p.layer.out_channels,
                 .c_stride = p.layer.out_channels,
                 .next = next + part * depth * next_step,
                 .next_step = next_step},
                rows, vectors, std::make_integer_sequence<std::int64_t, kRows * kPanel>());
    row += rows;
  }
}

template <typename F>
void convolve(const WinogradArguments& a) {
  const Pass<F> p{a};
  const auto panels = (a.layer.out_channels / a.layer.groups + kPanel * lanes() - 1) / (kPanel * lanes());
#pragma omp parallel
  {
    if (a.layer.stride > 1) {
#pragma omp for schedule(static)
      for (std::int64_t row = 0; row < a.images * p.folded_height; ++row) fold_row(p, row);
    }
#pragma omp for schedule(static)
    for (std::int64_t tile = 0; tile < p.tiles; ++tile) transform_input(p, tile);
#pragma omp for schedule(static)
    for (std::int64_t i = 0; i < a.layer.groups * p.kPoints * panels; ++i)
      multiply(p, i / panels / p.kPoints, i / panels % p.kPoints, i % panels);
#pragma omp for schedule(static)
    for (std::int64_t tile = 0; tile < p.tiles; ++tile) transform_output(p, tile);
  }
}

// run(Form) for the form of that name.
auto with_form(WinogradForm form, const auto& run) {
  switch (form) {
    case WinogradForm::f4_3: return run(Form<4, 3>());
    case WinogradForm::f3_5: return run(Form<3, 5>());
    case WinogradForm::f3_3: break;
  }
  return run(Form<3, 3>());
}

void winograd(const WinogradArguments& a) {
  with_form(a.layer.form, [&](auto form) { convolve<decltype(form)>(a); });
}

std::int64_t scratch_floats(const WinogradLayer& layer, std::int64_t images) {
  const WinogradArguments a{.layer = layer, .images = images};
  return with_form(layer.form, [&](auto form) { return Pass<decltype(form)>{a}.floats(); });
}

WinogradPanel panel() { return {lanes(), kPanel}; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

WinogradKernel winograd_kernel(SimdLevel level) { return ALEXNET_SIMD(winograd, level); }
WinogradPanel winograd_panel(SimdLevel level) { return ALEXNET_SIMD(panel, level)(); }

std::uint64_t winograd_scratch_bytes(const WinogradLayer& layer, std::int64_t images) {
  return static_cast<std::uint64_t>(HWY_STATIC_DISPATCH(scratch_floats)(layer, images)) * sizeof(float);
}

std::int64_t winograd_outputs(WinogradForm form) {
  switch (form) {
    case WinogradForm::f3_3:
    case WinogradForm::f3_5: return 3;
    case WinogradForm::f4_3: break;
  }
  return 4;
}

}  // namespace alexnet
#endif
