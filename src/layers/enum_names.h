// How the enumerations of layers are spelled in model files.
#pragma once

#include "base/json_fields.h"
#include "layers/lrn.h"
#include "layers/switchable_norm.h"
#include "layers/window.h"

namespace alexnet {

template <>
struct EnumNames<Rounding> {
  static constexpr std::array<std::string_view, 2> kNames{"floor", "ceil"};
};
template <>
struct EnumNames<LrnRegion> {
  static constexpr std::array<std::string_view, 2> kNames{"across_channels", "within_channel"};
};
template <>
struct EnumNames<EvenWindow> {
  static constexpr std::array<std::string_view, 3> kNames{"before", "after", "none"};
};

template <>
struct EnumNames<BatchPart> {
  static constexpr std::array<std::string_view, 3> kNames{"stored", "of_batch", "none"};
};

}  // namespace alexnet
