#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace alexnet {

// SHA-256 in lower-case hex (FIPS 180-4; computed by libcrypto).
std::string sha256(std::span<const std::byte> bytes);

}  // namespace alexnet
