#include "formats/pickle_globals.h"

#include <algorithm>
#include <array>

namespace alexnet {
namespace {

// What REDUCE may name. PyTorch's own functions are understood by the reader of checkpoints, collections by this one;
// the others stand in what users keep beside their weights and stay unread.
constexpr std::array<std::string_view, 33> kCallable{
    "collections OrderedDict",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_tensor_v3",
    "torch._utils _rebuild_parameter",
    "torch._utils _rebuild_parameter_with_state",
    "torch._utils _rebuild_qtensor",
    "torch._utils _rebuild_sparse_tensor",
    "torch._tensor _rebuild_from_type_v2",
    "torch.serialization _get_layout",
    "torch Size",
    "torch device",
    "__builtin__ set",
    "__builtin__ frozenset",
    "__builtin__ bytes",
    "__builtin__ bytearray",
    "__builtin__ complex",
    "builtins set",
    "builtins frozenset",
    "builtins bytes",
    "builtins bytearray",
    "builtins complex",
    "_codecs encode",
    "collections Counter",
    "collections defaultdict",
    "collections deque",
    "pathlib PosixPath",
    "pathlib WindowsPath",
    "numpy dtype",
    "numpy.core.multiarray _reconstruct",
    "numpy.core.multiarray scalar",
    "numpy._core.multiarray _reconstruct",
    "numpy._core.multiarray scalar",
};

}  // namespace

bool may_call(std::string_view module, std::string_view name) {
  return std::any_of(kCallable.begin(), kCallable.end(), [&](std::string_view known) {
    const auto space = known.find(' ');
    return known.substr(0, space) == module && known.substr(space + 1) == name;
  });
}

}  // namespace alexnet
