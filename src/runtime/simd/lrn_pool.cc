#include "runtime/simd/lrn_pool.h"

#include <omp.h>

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/lrn_pool.cc"
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
using Bytes = hn::Rebind<std::uint8_t, Float>;

std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Float())); }

// A step of Newton's after an estimate within 1.5 * 2^-12: a root and a quotient would take several times as long.
Vector reciprocal_root(Vector x) {
  const Float d;
#if HWY_TARGET == HWY_SCALAR
  return hn::Div(hn::Set(d, 1.0f), hn::Sqrt(x));
#endif
  const Vector half = hn::Mul(x, hn::Set(d, 0.5f));
  const Vector y = hn::ApproximateReciprocalSqrt(x);
  return hn::Mul(y, hn::NegMulAdd(hn::Mul(half, y), y, hn::Set(d, 1.5f)));
}

// base^-beta
Vector power(Vector base, float beta) {
  const Vector root = reciprocal_root(base);
  if (beta == 0.5f) return root;
  if (beta == 1.0f) return hn::Mul(root, root);
  return hn::Mul(hn::Mul(root, root), reciprocal_root(root));
}

// Pixels are taken a few at a time: what is stored is read in other vectors, which has to wait for stores just made.
constexpr std::int64_t kPixels = 8;

// Of a thread: the squares of a few pixels' channels, whole vectors with zeros on either side for the window; and the last
// normalised rows.
struct Buffers {
  float* squares;  // of channel 0 of the first pixel
  std::int64_t stride;
  std::uint8_t* rows;
};

constexpr std::int64_t whole(std::int64_t count) { return (count + 15) / 16 * 16; }

Buffers buffers_of(const LrnPoolArguments& a, std::byte* own) {
  auto* begin = reinterpret_cast<float*>(own);
  const auto stride = whole(a.reach.before) + whole(a.channels) + whole(a.reach.after);
  std::fill_n(begin, kPixels * stride, 0.0f);
  return {begin + whole(a.reach.before), stride, reinterpret_cast<std::uint8_t*>(begin + kPixels * stride)};
}

// Calls run(channel, bytes to read, bytes to write) for each vector of a pixel's channels; the last goes through a buffer.
template <typename RunVector>
HWY_INLINE void for_each_vector(std::int64_t channels, const std::uint8_t* source, std::uint8_t* destination,
                                const RunVector& run) {
  const auto step = lanes();
  std::int64_t c = 0;
  for (; c + step <= channels; c += step) run(c, source + c, destination + c);
  if (c == channels) return;
  HWY_ALIGN std::uint8_t from[HWY_MAX_BYTES] = {};
  HWY_ALIGN std::uint8_t to[HWY_MAX_BYTES] = {};
  std::copy_n(source + c, channels - c, from);
  run(c, from, to);
  std::copy_n(to, channels - c, destination + c);
}

void normalise(const LrnPoolArguments& a, const Buffers& buffers, std::int64_t pixels, const std::uint8_t* source,
               std::uint8_t* destination) {
  const Float d;
  const Bytes bytes;
  const hn::Rebind<std::int32_t, Float> integers;
  const auto widened = [=](const std::uint8_t* from)
                           HWY_ATTR { return hn::ConvertTo(d, hn::PromoteTo(integers, hn::LoadU(bytes, from))); };
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    float* squares = buffers.squares + pixel * buffers.stride;
    for_each_vector(a.channels, source + pixel * a.channels, destination + pixel * a.channels,
                    [&](std::int64_t c, const std::uint8_t* from, std::uint8_t*) HWY_ATTR {
                      const Vector x = widened(from);
                      hn::Store(hn::Mul(x, x), d, squares + c);
                    });
  }
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    const float* squares = buffers.squares + pixel * buffers.stride;
    for_each_vector(a.channels, source + pixel * a.channels, destination + pixel * a.channels,
                    [&](std::int64_t c, const std::uint8_t* from, std::uint8_t* to) HWY_ATTR {
                      Vector sum = hn::Zero(d);
                      for (auto other = c - a.reach.before; other <= c + a.reach.after; ++other)
                        sum = hn::Add(sum, hn::LoadU(d, squares + other));
                      const Vector base = hn::MulAdd(hn::Set(d, a.factor), sum, hn::Set(d, a.k));
                      const Vector y = hn::Mul(hn::Mul(widened(from), hn::Set(d, a.scale)), power(base, a.beta));
                      hn::StoreU(hn::DemoteTo(bytes, hn::NearestInt(hn::Min(y, hn::Set(d, a.most)))), bytes, to);
                    });
  }
}

// The largest of each of `count` bytes and those in `from`, into `to`.
void take_larger(const std::uint8_t* HWY_RESTRICT from, std::uint8_t* HWY_RESTRICT to, std::int64_t count) {
  const hn::ScalableTag<std::uint8_t> d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t at = 0;
  for (; at + step <= count; at += step) hn::StoreU(hn::Max(hn::LoadU(d, from + at), hn::LoadU(d, to + at)), d, to + at);
  for (; at < count; ++at) to[at] = std::max(from[at], to[at]);
}

void pool_row(const LrnPoolArguments& a, const std::uint8_t* rows, std::int64_t first, std::int64_t last, std::int64_t row) {
  const auto row_bytes = a.width * a.channels;
  for (std::int64_t column = 0; column < a.output[1]; ++column) {
    const auto left = column * a.window.stride[1] - a.window.padding[1];
    const auto begin = std::max<std::int64_t>(left, 0);
    const auto end = std::min(left + a.window.kernel[1], a.width);
    std::uint8_t* to = a.destination + (row * a.output[1] + column) * a.channels;
    std::fill_n(to, a.channels, std::uint8_t{0});
    for (auto y = first; y < last; ++y) {
      const std::uint8_t* from = rows + y % a.window.kernel[0] * row_bytes;
      for (auto x = begin; x < end; ++x) take_larger(from + x * a.channels, to, a.channels);
    }
  }
}

void lrn_pool(const LrnPoolArguments& a) {
  const auto row_bytes = a.width * a.channels;
#pragma omp parallel
  {
    const auto own = lrn_pool_scratch_bytes(a.channels, a.width, a.reach, a.window.kernel[0], 1);
    const Buffers buffers = buffers_of(a, a.scratch + static_cast<std::uint64_t>(omp_get_thread_num()) * own);
    // Each thread has rows that follow each other: those that two windows share are normalised once.
    std::int64_t done = 0;
#pragma omp for schedule(static)
    for (std::int64_t row = 0; row < a.output[0]; ++row) {
      const auto top = row * a.window.stride[0] - a.window.padding[0];
      const auto first = std::max<std::int64_t>(top, 0);
      const auto last = std::min(top + a.window.kernel[0], a.height);
      for (auto y = std::max(first, done); y < last; ++y) {
        for (std::int64_t x = 0; x < a.width; x += kPixels) {
          normalise(a, buffers, std::min(kPixels, a.width - x), a.source + y * row_bytes + x * a.channels,
                    buffers.rows + y % a.window.kernel[0] * row_bytes + x * a.channels);
        }
      }
      done = std::max(done, last);
      pool_row(a, buffers.rows, first, last, row);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

LrnPoolKernel lrn_pool_kernel(SimdLevel level) { return ALEXNET_SIMD(lrn_pool, level); }

std::uint64_t lrn_pool_scratch_bytes(std::int64_t channels, std::int64_t width, const LrnReach& reach, std::int64_t kernel_rows,
                                     int threads) {
  constexpr std::int64_t kPixels = 8;
  const auto whole = [](std::int64_t count) { return (count + 15) / 16 * 16; };
  const auto floats = kPixels * (whole(reach.before) + whole(channels) + whole(reach.after));
  const auto bytes = (kernel_rows * width * channels + 63) / 64 * 64;
  return static_cast<std::uint64_t>(threads) *
         (static_cast<std::uint64_t>(floats) * sizeof(float) + static_cast<std::uint64_t>(bytes));
}

}  // namespace alexnet
#endif
