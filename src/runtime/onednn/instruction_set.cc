#include "runtime/instruction_set.h"

#include <algorithm>

#include <fmt/format.h>
#include <dnnl.hpp>

#include "runtime/simd/level.h"

namespace alexnet {
namespace {

InstructionSet of_onednn() {
  using dnnl::cpu_isa;
  switch (dnnl::get_effective_cpu_isa()) {
    case cpu_isa::avx2: return {"AVX2", SimdLevel::avx2, false};
    case cpu_isa::avx2_vnni: return {"AVX2 with VNNI", SimdLevel::avx2, false};
    case cpu_isa::avx2_vnni_2: return {"AVX2 with VNNI and conversions", SimdLevel::avx2, false};
    case cpu_isa::avx512_core: return {"AVX-512", SimdLevel::avx512, false};
    case cpu_isa::avx512_core_vnni: return {"AVX-512 with VNNI", SimdLevel::avx512_vbmi, false, true};
    case cpu_isa::avx512_core_bf16: return {"AVX-512 with VNNI and BF16", SimdLevel::avx512_vbmi, true, true};
    case cpu_isa::avx512_core_fp16: return {"AVX-512 with VNNI, BF16 and FP16", SimdLevel::avx512_vbmi, true, true};
    case cpu_isa::avx512_core_amx:
    case cpu_isa::avx512_core_amx_fp16: return {"AVX-512 with VNNI, BF16, FP16 and AMX", SimdLevel::avx512_vbmi, true, true};
    default: return {"SSE", SimdLevel::baseline, false};
  }
}

}  // namespace

InstructionSet instruction_set() {
  InstructionSet result = of_onednn();
  result.simd = std::min(result.simd, processor_simd_level());
  return result;
}

std::string onednn_version() {
  const dnnl::version_t& version = *dnnl::version();
  return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

}  // namespace alexnet
