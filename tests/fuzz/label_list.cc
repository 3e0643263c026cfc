// Any bytes as a list of labels: labels or an Error.
#include <cstddef>
#include <cstdint>

#include "alexnet/error.h"
#include "formats/label_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    alexnet::parse_label_list({reinterpret_cast<const char*>(data), size}, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
