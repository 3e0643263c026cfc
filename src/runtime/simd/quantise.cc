#include "runtime/simd/quantise.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/quantise.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

void quantise_row(const float* HWY_RESTRICT source, std::int64_t count, const Quantisation& as, std::uint8_t* HWY_RESTRICT to) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::uint8_t, decltype(d)> bytes;
  const float factor = 1 / as.scale;
  const auto zero = static_cast<float>(as.zero);
  const auto most = static_cast<float>(as.most);
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  // The smaller of two is the second if one is NaN, so that what is NaN ends as 0.
  const auto quantised = [&](auto x) HWY_ATTR {
    const auto q = hn::MulAdd(x, hn::Set(d, factor), hn::Set(d, zero));
    const auto known = hn::IfThenElseZero(hn::Eq(q, q), q);
    return hn::DemoteTo(bytes, hn::NearestInt(hn::Min(hn::Max(known, hn::Zero(d)), hn::Set(d, most))));
  };
  std::int64_t at = 0;
  for (; at + step <= count; at += step) hn::StoreU(quantised(hn::LoadU(d, source + at)), bytes, to + at);
  if (at < count) {
    HWY_ALIGN float rest[HWY_MAX_BYTES / sizeof(float)] = {};
    HWY_ALIGN std::uint8_t stored[HWY_MAX_BYTES] = {};
    std::copy_n(source + at, count - at, rest);
    hn::StoreU(quantised(hn::Load(d, rest)), bytes, stored);
    std::copy_n(stored, count - at, to + at);
  }
}

// A row of each channel, with the zeros on either side, one line after the other.
void quantise_lines(const QuantiseArguments& a, std::int64_t y, std::uint8_t* lines) {
  const auto length = a.columns * a.block;
  const auto zero = static_cast<std::uint8_t>(a.as.zero);
  if (y < 0 || y >= a.height) {
    std::fill_n(lines, a.channels * length, zero);
    return;
  }
  const auto used = std::min(a.width, length - a.left);
  for (std::int64_t c = 0; c < a.channels; ++c, lines += length) {
    std::fill_n(lines, a.left, zero);
    quantise_row(a.source + (c * a.height + y) * a.width, used, a.as, lines + a.left);
    std::fill(lines + a.left + used, lines + length, zero);
  }
}

// Lines, pixel by pixel.
void interleave(const std::uint8_t* HWY_RESTRICT lines, std::int64_t channels, std::int64_t length, std::uint8_t* HWY_RESTRICT to) {
  const hn::ScalableTag<std::uint8_t> d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  if (channels != 3 || length < step) {
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t i = 0; i < length; ++i) to[i * channels + c] = *lines++;
    return;
  }
  const auto three = [&](std::int64_t at) HWY_ATTR {
    const std::uint8_t* from = lines + at;
    hn::StoreInterleaved3(hn::LoadU(d, from), hn::LoadU(d, from + length), hn::LoadU(d, from + 2 * length), d, to + 3 * at);
  };
  std::int64_t at = 0;
  for (; at + step <= length; at += step) three(at);
  if (at < length) three(length - step);
}

// Pieces of `size` bytes to places `stride` apart.
void spread(const std::uint8_t* HWY_RESTRICT from, std::int64_t pieces, std::int64_t size, std::int64_t stride,
            std::uint8_t* HWY_RESTRICT to) {
  const hn::CappedTag<std::uint8_t, 8> d;
  const bool in_two = hn::Lanes(d) == 8 && size >= 8 && size <= 16;
  for (std::int64_t piece = 0; piece < pieces; ++piece, from += size, to += stride) {
    if (in_two) {
      const auto end = hn::LoadU(d, from + size - 8);
      hn::StoreU(hn::LoadU(d, from), d, to);
      hn::StoreU(end, d, to + size - 8);
    } else {
      std::copy_n(from, size, to);
    }
  }
}

void quantise(const QuantiseArguments& a) {
  const auto piece = a.block * a.channels;
  const auto row_bytes = a.columns * a.block * piece;
  const auto line_bytes = a.columns * piece;
#pragma omp parallel
  {
    const auto own = quantise_scratch_bytes(a.channels, a.columns * a.block, 1);
    auto* lines = reinterpret_cast<std::uint8_t*>(a.scratch) + static_cast<std::uint64_t>(omp_get_thread_num()) * own;
    std::uint8_t* const pixels = lines + line_bytes;
#pragma omp for schedule(static)
    for (std::int64_t row = 0; row < a.rows; ++row) {
      std::uint8_t* const to = a.destination + row * row_bytes;
      if (piece == 1) {
        quantise_lines(a, row - a.top, to);
        continue;
      }
      for (std::int64_t within = 0; within < a.block; ++within) {
        quantise_lines(a, row * a.block + within - a.top, lines);
        interleave(lines, a.channels, a.columns * a.block, pixels);
        spread(pixels, a.columns, piece, a.block * piece, to + within * piece);
      }
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

QuantiseKernel quantise_kernel(SimdLevel level) { return ALEXNET_SIMD(quantise, level); }

std::uint64_t quantise_scratch_bytes(std::int64_t channels, std::int64_t length, int threads) {
  const auto lines = (2 * static_cast<std::uint64_t>(channels) * static_cast<std::uint64_t>(length) + 63) / 64 * 64;
  return lines * static_cast<std::uint64_t>(threads);
}

}  // namespace alexnet
#endif
