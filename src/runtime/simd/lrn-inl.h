// Response normalisation across channels that lie side by side, for each target of a .cc file here: what lrn.cc and lrn_pool.cc
// share.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>

#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "runtime/simd/lrn.h"

#if defined(ALEXNET_LRN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALEXNET_LRN_INL_H_
#undef ALEXNET_LRN_INL_H_
#else
#define ALEXNET_LRN_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Float = hn::ScalableTag<float>;
using Vector = hn::Vec<Float>;
using Bytes = hn::Rebind<std::uint8_t, Float>;

constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Float()));

HWY_INLINE Vector load(const float* from) { return hn::LoadU(Float(), from); }
HWY_INLINE Vector load(const std::uint8_t* from) {
  return hn::ConvertTo(Float(), hn::PromoteTo(hn::Rebind<std::int32_t, Float>(), hn::LoadU(Bytes(), from)));
}
HWY_INLINE void store(Vector y, float* to) { hn::StoreU(y, Float(), to); }
HWY_INLINE void store(Vector y, std::uint8_t* to) { hn::StoreU(hn::DemoteTo(Bytes(), hn::NearestInt(y)), Bytes(), to); }

// Powers are taken of several vectors abreast, as many as there are registers for: one after the other would leave the processor
// waiting for each step's result.
template <int kCount>
struct Several {
  Vector at[kCount];
};
constexpr int kAbreast = HWY_TARGET <= HWY_AVX3 ? 8 : 4;

#if HWY_TARGET <= HWY_AVX3
constexpr bool kTwoTerms = false;  // of a series: estimates have 14 bits
#else
constexpr bool kTwoTerms = true;  // they have 12
#endif

// y + y * (first * e + second * e^2)
HWY_INLINE Vector corrected(Vector y, Vector e, float first, float second) {
  const Float d;
  const Vector slope = kTwoTerms ? hn::MulAdd(e, hn::Set(d, second), hn::Set(d, first)) : hn::Set(d, first);
  return hn::MulAdd(hn::Mul(y, e), slope, y);
}

// x * base^-3/4 by the processor's estimate q of base^-1/4 and the series of (base * q^4)^-3/4 around 1. With e = 1 - base * q^4,
// what is left out is below 21/32 e^2 < 9e-8 for estimates of 14 bits, 77/128 e^3 < 1e-8 for those of 12 with the second term.
template <int kCount>
HWY_INLINE Several<kCount> times_power_of_minus_three_quarters(const auto& x, const Several<kCount>& base) {
  const Float d;
  Several<kCount> q, q2, e, y;
  for (int i = 0; i < kCount; ++i) q.at[i] = hn::ApproximateReciprocalSqrt(base.at[i]);
  for (int i = 0; i < kCount; ++i) q.at[i] = hn::Mul(q.at[i], base.at[i]);
  for (int i = 0; i < kCount; ++i) q.at[i] = hn::ApproximateReciprocalSqrt(q.at[i]);
  for (int i = 0; i < kCount; ++i) q2.at[i] = hn::Mul(q.at[i], q.at[i]);
  for (int i = 0; i < kCount; ++i) y.at[i] = hn::Mul(x(i), q.at[i]);
  for (int i = 0; i < kCount; ++i) e.at[i] = hn::Mul(base.at[i], q2.at[i]);
  for (int i = 0; i < kCount; ++i) y.at[i] = hn::Mul(y.at[i], q2.at[i]);
  for (int i = 0; i < kCount; ++i) e.at[i] = hn::NegMulAdd(e.at[i], q2.at[i], hn::Set(d, 1.0f));
  for (int i = 0; i < kCount; ++i) y.at[i] = corrected(y.at[i], e.at[i], 0.75f, 21.0f / 32);
  return y;
}

// x * base^-1/2 in the same way.
template <int kCount>
HWY_INLINE Several<kCount> times_power_of_minus_half(const auto& x, const Several<kCount>& base) {
  const Float d;
  Several<kCount> q, e, y;
  for (int i = 0; i < kCount; ++i) q.at[i] = hn::ApproximateReciprocalSqrt(base.at[i]);
  for (int i = 0; i < kCount; ++i) e.at[i] = hn::Mul(base.at[i], q.at[i]);
  for (int i = 0; i < kCount; ++i) y.at[i] = hn::Mul(x(i), q.at[i]);
  for (int i = 0; i < kCount; ++i) e.at[i] = hn::NegMulAdd(e.at[i], q.at[i], hn::Set(d, 1.0f));
  for (int i = 0; i < kCount; ++i) y.at[i] = corrected(y.at[i], e.at[i], 0.5f, 0.375f);
  return y;
}

inline Vector general_power(Vector base, double exponent) {
  const Float d;
  const hn::Rebind<double, hn::CappedTag<float, (kLanes + 1) / 2>> half;
  const hn::Rebind<float, decltype(half)> narrow;
  HWY_ALIGN float values[kLanes];
  hn::Store(base, d, values);
  for (std::int64_t i = 0; i < kLanes; i += (kLanes + 1) / 2) {
    const auto wide = hn::PromoteTo(half, hn::Load(narrow, values + i));
    const auto power = hn::Exp(half, hn::Mul(hn::Set(half, exponent), hn::Log(half, wide)));
    // Log of zero is not for Exp to undo.
    const auto at_zero = hn::Set(half, exponent > 0 ? 0.0 : exponent < 0 ? HUGE_VAL : 1.0);
    const auto zero = hn::Eq(wide, hn::Zero(half));
    hn::Store(hn::DemoteTo(narrow, hn::IfThenElse(zero, at_zero, power)), narrow, values + i);
  }
  return hn::Load(d, values);
}

// By estimates or by square roots.
enum class Beta { half, three_quarters, half_by_roots, three_quarters_by_roots, one, any };

// y = scale * x / (k + factor * sum)^beta, of f32 to f32 with a scale of 1, or of u8 to u8 that is `most` at most.
template <Beta kBeta>
struct Normaliser {
  float factor;
  float k;
  double beta;
  float scale;
  float most;

  // Arguments of lrn.h or lrn_pool.h. These are numbers of their own: theirs could change with every store, for all a compiler
  // knows.
  Normaliser(const auto& a, float times, float at_most)
      : factor(a.factor), k(a.k), beta(static_cast<double>(a.beta)), scale(times), most(at_most) {}

  // `sums` can be read to the end of their last vector. The destination is not the source: the last vector may overlap the one
  // before.
  template <typename Element>
  void operator()(const Element* source, const float* sums, Element* destination, std::int64_t count) const {
    const auto vectors = [&]<int kCount>(const Several<kCount>&, std::int64_t at) HWY_ATTR {
      Several<kCount> loaded;
      for (int i = 0; i < kCount; ++i) loaded.at[i] = load(sums + at + i * kLanes);
      several(source + at, loaded, destination + at, kLanes);
    };
    std::int64_t at = 0;
    for (; at + kAbreast * kLanes <= count; at += kAbreast * kLanes) vectors(Several<kAbreast>(), at);
    for (; at + kLanes <= count; at += kLanes) vectors(Several<1>(), at);
    if (at == count) return;
    if (count >= kLanes) return vectors(Several<1>(), count - kLanes);
    HWY_ALIGN Element rest[kLanes] = {};
    std::copy_n(source, count, rest);
    several(rest, Several<1>{load(sums)}, rest, kLanes);
    std::copy_n(rest, count, destination);
  }

  // Of vectors `stride` apart.
  template <int kCount, typename Element>
  HWY_INLINE void several(const Element* source, const Several<kCount>& sums, Element* destination, std::int64_t stride) const {
    const Float d;
    Several<kCount> base;
    for (int i = 0; i < kCount; ++i) base.at[i] = hn::MulAdd(hn::Set(d, factor), sums.at[i], hn::Set(d, k));
    constexpr bool kBytes = sizeof(Element) == 1;
    const auto x = [&](int i) HWY_ATTR {
      const Vector value = load(source + i * stride);
      return kBytes ? hn::Mul(value, hn::Set(d, scale)) : value;
    };
    Several<kCount> y = divided(x, base);
    if constexpr (kBytes)
      for (int i = 0; i < kCount; ++i) y.at[i] = hn::Min(y.at[i], hn::Set(d, most));
    for (int i = 0; i < kCount; ++i) store(y.at[i], destination + i * stride);
  }

 private:
  template <int kCount>
  HWY_INLINE Several<kCount> divided(const auto& x, Several<kCount>& base) const {
    const Float d;
    Several<kCount> y;
    if constexpr (kBeta == Beta::any) {
      for (int i = 0; i < kCount; ++i) y.at[i] = hn::Div(x(i), general_power(base.at[i], beta));
    } else if constexpr (kBeta == Beta::one) {
      for (int i = 0; i < kCount; ++i) y.at[i] = hn::Div(x(i), base.at[i]);
    } else if constexpr (kBeta == Beta::half_by_roots || kBeta == Beta::three_quarters_by_roots) {
      for (int i = 0; i < kCount; ++i) {
        const Vector root = hn::Sqrt(base.at[i]);
        y.at[i] = hn::Div(x(i), kBeta == Beta::half_by_roots ? root : hn::Mul(root, hn::Sqrt(root)));
      }
    } else {
      // NaN stays NaN.
      for (int i = 0; i < kCount; ++i) base.at[i] = hn::Min(hn::Set(d, FLT_MAX), base.at[i]);
      if constexpr (kBeta == Beta::half) return times_power_of_minus_half(x, base);
      if constexpr (kBeta == Beta::three_quarters) return times_power_of_minus_three_quarters(x, base);
    }
    return y;
  }
};

// Calls run(normaliser) with that for the layer's beta.
template <typename Run>
void with_normaliser(const auto& arguments, float scale, float most, const Run& run) {
  // What the estimates do not take: zero, less, and infinity. There are none of one lane.
  const bool estimates = kLanes > 1 && arguments.factor >= 0 && arguments.k >= FLT_MIN;
  if (arguments.beta == 0.75f && estimates) return run(Normaliser<Beta::three_quarters>(arguments, scale, most));
  if (arguments.beta == 0.5f && estimates) return run(Normaliser<Beta::half>(arguments, scale, most));
  if (arguments.beta == 0.75f) return run(Normaliser<Beta::three_quarters_by_roots>(arguments, scale, most));
  if (arguments.beta == 0.5f) return run(Normaliser<Beta::half_by_roots>(arguments, scale, most));
  if (arguments.beta == 1.0f) return run(Normaliser<Beta::one>(arguments, scale, most));
  run(Normaliser<Beta::any>(arguments, scale, most));
}

// Lanes of `low` from kBy on, then the first of `high`.
template <int kBy>
HWY_INLINE Vector shifted([[maybe_unused]] Vector high, Vector low) {
  [[maybe_unused]] const Float d;
#if HWY_TARGET <= HWY_AVX3
  const auto lanes = _mm512_alignr_epi32(_mm512_castps_si512(high.raw), _mm512_castps_si512(low.raw), kBy);
  return hn::BitCast(d, hn::Vec<hn::RebindToSigned<Float>>{lanes});
#elif HWY_TARGET <= HWY_AVX2
  const Vector middle = hn::ConcatLowerUpper(d, high, low);
  if constexpr (kBy < 4) return hn::CombineShiftRightLanes<kBy>(d, middle, low);
  return hn::CombineShiftRightLanes<kBy % 4>(d, high, middle);
#else
  return low;  // of one lane
#endif
}

// Channels that lie side by side, all of a pixel's or in blocks, for a few pixels at a time.
class Lines {
 public:
  // `scratch`: lrn_line_floats() of them.
  Lines(const auto& a, std::int64_t block, std::int64_t pixels, float* scratch)
      : channels_(a.channels),
        tower_(a.channels / a.groups),
        block_(block),
        pixels_(pixels),
        before_(std::min(a.reach.before, tower_ - 1)),
        after_(std::min(a.reach.after, tower_ - 1)),
        five_(kLanes > 4 && before_ == 2 && after_ == 2 && tower_ % kLanes == 0 && (block_ == channels_ || block_ == kLanes)),
        sums_(scratch),
        squares_(scratch + kLrnPixels * channels_ + kLanes) {
    if (!five_) std::fill_n(squares_, kLrnPixels * line(), 0.0f);
  }

  // Of `count` pixels of each block.
  template <typename Normalise, typename Element>
  void normalise(const Normalise& normalised, const Element* source, Element* destination, std::int64_t count) const {
    const auto vectors = tower_ / kLanes;
    if (five_ && vectors % kAbreast == 0) return normalise_five<kAbreast>(normalised, source, destination, count);
    if (five_ && kAbreast > 6 && vectors % 6 == 0) return normalise_five<6>(normalised, source, destination, count);
    for (std::int64_t first = 0; first < channels_; first += tower_) {
      if (five_) {
        sums_of_five<1>(source + place(first, pixels_), sums_ + place(first, count), stride(count), count,
                        [](const Element*, const Several<1>& sum, float* to) HWY_ATTR { store(sum.at[0], to); });
      } else {
        sums_of_any(source, count, first);
      }
    }
    for (std::int64_t c = 0; c < channels_; c += block_) {
      const auto at = place(c, pixels_);
      normalised(source + at, sums_ + c * count, destination + at, count * block_);
    }
  }

 private:
  std::int64_t line() const { return tower_ + before_ + after_ + kLanes; }
  // From one of a pixel's vectors to the next.
  std::int64_t stride(std::int64_t pixels) const { return block_ == channels_ ? kLanes : kLanes * pixels; }
  // Where a block of the first pixel begins that begins with this channel, in rows of so many pixels.
  std::int64_t place(std::int64_t channel, std::int64_t pixels) const { return block_ == channels_ ? channel : channel * pixels; }

  // So many vectors of a pixel at a time, whose sums stay in registers.
  template <int kCount, typename Normalise, typename Element>
  void normalise_five(const Normalise& normaliser, const Element* source, Element* destination, std::int64_t count) const {
    for (std::int64_t first = 0; first < channels_; first += tower_) {
      const auto at = place(first, pixels_);
      sums_of_five<kCount>(
          source + at, destination + at, stride(pixels_), count,
          [normalised = normaliser, stride = stride(pixels_)](const Element* from, const Several<kCount>& sums, Element* to)
              HWY_ATTR { normalised.several(from, sums, to, stride); });
    }
  }

  // Windows of a tower that reach two channels to either side, over whole vectors: take(from, sums, to) for so many of a pixel's
  // vectors, which are `to_stride` apart at the destination.
  template <int kCount, typename Element, typename To>
  HWY_INLINE void sums_of_five(const Element* source, To* destination, std::int64_t to_stride, std::int64_t count,
                               const auto& take) const {
    const Float d;
    const auto block = block_;
    const auto from_stride = stride(pixels_);
    const auto vectors = tower_ / kLanes;
    const auto square = [](const Element* from) HWY_ATTR {
      const Vector x = load(from);
      return hn::Mul(x, x);
    };
    for (std::int64_t pixel = 0; pixel < count; ++pixel) {
      const Element* from = source + pixel * block;
      To* to = destination + pixel * block;
      Several<kCount + 1> squares;
      squares.at[0] = square(from);
      Vector pairs_before = shifted<1>(squares.at[0], hn::Zero(d));  // of each channel and the next
      for (std::int64_t first = 0; first < vectors; first += kCount, from += kCount * from_stride, to += kCount * to_stride) {
        for (int i = 1; i < kCount; ++i) squares.at[i] = square(from + i * from_stride);
        squares.at[kCount] = first + kCount < vectors ? square(from + kCount * from_stride) : hn::Zero(d);
        Several<kCount> sums;
        for (int i = 0; i < kCount; ++i) {
          const Vector pairs = hn::Add(squares.at[i], shifted<1>(squares.at[i + 1], squares.at[i]));
          const Vector four = hn::Add(shifted<kLanes - 2>(pairs, pairs_before), pairs);
          sums.at[i] = hn::Add(four, shifted<2>(squares.at[i + 1], squares.at[i]));
          pairs_before = pairs;
        }
        take(from, sums, to);
        squares.at[0] = squares.at[kCount];
      }
    }
  }

  // The squares are laid out in lines between zeros; of all the pixels first, as loads across fresh stores wait for these.
  template <typename Element>
  void sums_of_any(const Element* source, std::int64_t count, std::int64_t first) const {
    const auto run = std::min(block_, tower_);
    const auto each = [&](const auto& take) {
      for (std::int64_t pixel = 0; pixel < count; ++pixel)
        for (std::int64_t c = 0; c < tower_; c += run) take(pixel, c, squares_ + pixel * line() + c);
    };
    each([&](std::int64_t pixel, std::int64_t c, float* squares) {
      const Element* from = source + place(first + c, pixels_) + pixel * block_;
      for (std::int64_t i = 0; i < run; ++i) squares[before_ + i] = static_cast<float>(from[i]) * static_cast<float>(from[i]);
    });
    each([&](std::int64_t pixel, std::int64_t c, const float* squares) HWY_ATTR {
      float* to = sums_ + place(first + c, count) + pixel * block_;
      std::int64_t i = 0;
      for (; i + kLanes <= run; i += kLanes) store(shifted_sum(squares + i), to + i);
      if (i == run) return;
      HWY_ALIGN float rest[kLanes];
      store(shifted_sum(squares + i), rest);
      std::copy_n(rest, run - i, to + i);
    });
  }

  // Of the window's loads, each one further on.
  HWY_INLINE Vector shifted_sum(const float* squares) const {
    Vector sum = load(squares);
    for (std::int64_t tap = 1; tap <= before_ + after_; ++tap) sum = hn::Add(sum, load(squares + tap));
    return sum;
  }

  std::int64_t channels_;
  std::int64_t tower_;
  std::int64_t block_;
  std::int64_t pixels_;  // of a block, from one to the next
  std::int64_t before_;
  std::int64_t after_;
  bool five_;
  float* sums_;
  float* squares_;
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#endif
