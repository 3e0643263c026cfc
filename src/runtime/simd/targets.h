// For which processors the .cc files here are compiled. To be included before anything of Highway.
#pragma once

// Four versions are enough, and each more costs build time.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#define HWY_WANT_AVX3_DL
