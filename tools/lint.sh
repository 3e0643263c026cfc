#!/usr/bin/env bash
# tools/lint.sh [format|includes|shell|python|tidy]...: these checks, or all of them.
# tools/lint.sh reformat: formats every C++ source in place; the checks themselves change nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"
cd "$top"

sources() { find src include tests tools \( -name '*.cc' -o -name '*.h' \) -print0; }

check_format() { sources | xargs -0 clang-format --dry-run -Werror; }
check_reformat() { sources | xargs -0 clang-format -i; }

check_includes() { python3 tests/house/check_includes.py .; }

check_shell() {
  find tools tests .ci \( -name '*.sh' -o -path .ci/run \) -print0 | xargs -0 shellcheck --external-sources --source-path=SCRIPTDIR
}

check_python() {
  find tools tests -name '*.py' -print0 |
    xargs -0 -r python3 -c 'import ast, sys; [ast.parse(open(f, encoding="utf-8").read(), f) for f in sys.argv[1:]]'
}

# Largest first, so that no processor waits long for the last one. clang knows neither GCC's own warnings nor, without a
# package of its own, OpenMP: the header is GCC's, without an attribute that clang lacks; the pragmas are passed over.
check_tidy() {
  configure release
  local options=(--quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-fno-openmp '--extra-arg=-D__malloc__(deallocator)='
    --extra-arg=-idirafter "--extra-arg=$(dirname "$(g++ -print-file-name=include/omp.h)")")
  find src -name '*.cc' -printf '%s %p\n' | sort -rn | cut -d' ' -f2 |
    xargs -P "$(nproc)" -n 1 clang-tidy-16 -p build/release "${options[@]}" 2>&1 |
    { grep -v ' warnings\? generated' || true; }
}

need_packages build lint
[ $# -gt 0 ] || set -- format includes shell python tidy
failed=()
for check in "$@"; do
  echo "lint: $check"
  "check_$check" || failed+=("$check")
done
[ ${#failed[@]} -eq 0 ] || { echo "lint: failed: ${failed[*]}" >&2; exit 1; }
