// The bit masks of sparse weights, checked: they say how many values there must be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/weight.h"

namespace alexnet {

// How many bits are set.
std::int64_t set_bits(std::span<const std::byte> bytes);

// Whether the bits behind each row's last element are zero; `mask` has rows.count * rows.mask_bytes bytes.
bool padding_is_zero(std::span<const std::byte> mask, const Rows& rows);

}  // namespace alexnet
