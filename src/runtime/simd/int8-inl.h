// Sums of products of u8 and int8, for each target of a .cc file here: what int8_linear.cc and int8_sparse_linear.cc share.
#include <immintrin.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

#include "runtime/simd/int8_linear.h"

#if defined(ALEXNET_INT8_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALEXNET_INT8_INL_H_
#undef ALEXNET_INT8_INL_H_
#else
#define ALEXNET_INT8_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET <= HWY_AVX3
using Integers = __m512i;
HWY_INLINE Integers load(const void* from) { return _mm512_loadu_si512(from); }
#elif HWY_TARGET <= HWY_AVX2
using Integers = __m256i;
HWY_INLINE Integers load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
#else
using Integers = __m128i;
HWY_INLINE Integers load(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
#endif
constexpr auto kStep = static_cast<std::int64_t>(sizeof(Integers));

// sum + products of the bytes of x and w, the four of each lane added up in it.
#if HWY_TARGET <= HWY_AVX3
template <bool kVnni>
HWY_INLINE __m512i add_products(__m512i sum, __m512i x, __m512i w) {
  if constexpr (kVnni) {
    // Not an intrinsic: this level is compiled for processors without it, too.
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
    return sum;
  }
  return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(x, w), _mm512_set1_epi16(1)));
}
#endif

#if HWY_TARGET <= HWY_AVX2
template <bool kVnni>
HWY_INLINE __m256i add_products(__m256i sum, __m256i x, __m256i w) {
#if HWY_TARGET <= HWY_AVX3
  if constexpr (kVnni) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
    return sum;
  }
#endif
  return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), _mm256_set1_epi16(1)));
}
#else
template <bool kVnni>
HWY_INLINE __m128i add_products(__m128i sum, __m128i x, __m128i w) {
  const __m128i zero = _mm_setzero_si128();
  const auto pairs = [](__m128i a, __m128i b) { return _mm_castsi128_ps(_mm_madd_epi16(a, b)); };
  const __m128 low = pairs(_mm_unpacklo_epi8(x, zero), _mm_srai_epi16(_mm_unpacklo_epi8(w, w), 8));
  const __m128 high = pairs(_mm_unpackhi_epi8(x, zero), _mm_srai_epi16(_mm_unpackhi_epi8(w, w), 8));
  const __m128i even = _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
  const __m128i odd = _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1)));
  return _mm_add_epi32(sum, _mm_add_epi32(even, odd));
}
#endif

// The sum of all lanes of a vector in memory.
HWY_INLINE std::int32_t total(const std::byte* sums) {
  std::int32_t lanes[kStep / 4];
  std::memcpy(lanes, sums, sizeof lanes);
  std::int32_t result = 0;
  for (const auto lane : lanes) result += lane;
  return result;
}

HWY_INLINE void store_result(const Int8LinearResult& to, std::int64_t row, std::int64_t output, std::int32_t sum) {
  const float value = static_cast<float>(sum) * to.scale[output] + to.offset[output];
  const auto at = row * to.out + output;
  if (to.most != 0) {
    const float above = value < 0 ? 0 : value;
    const auto most = static_cast<float>(to.most);
    to.destination[at] = static_cast<std::byte>(std::lrintf(above > most ? most : above));
  } else {
    reinterpret_cast<float*>(to.destination)[at] = to.relu && value < 0 ? 0 : value;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#endif
