// Which instructions the kernels of this process may use.
#pragma once

#include <string>

namespace alexnet {

// For our own kernels; each level includes those before it.
enum class SimdLevel {
  baseline,     // SSE2
  avx2,         // AVX2 with FMA
  avx512,       // AVX-512 F, CD, BW, DQ, VL
  avx512_vbmi,  // and VNNI, VBMI, VBMI2, BITALG, VPOPCNTDQ
};

struct InstructionSet {
  std::string name;  // "AVX-512 with VNNI and BF16"
  SimdLevel simd = SimdLevel::baseline;
  bool bf16 = false;  // AVX-512 BF16: bf16 arithmetic is faster than f32
  bool vnni = false;  // AVX-512 VNNI: products of 8 bits are summed without saturating
};

// What the processor has, unless oneDNN was told to use less (ONEDNN_MAX_CPU_ISA): our kernels then follow it.
InstructionSet instruction_set();

// The version of oneDNN that runs: "3.2.0".
std::string onednn_version();

}  // namespace alexnet
