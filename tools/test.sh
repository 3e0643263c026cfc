#!/usr/bin/env bash
# tools/test.sh [--preset PRESET] [CTEST ARGS]: builds everything and runs the tests (all, or what CTEST ARGS select).
# On Debian 12 what is missing is installed first. The last line counts: "N passed, N failed, N skipped".
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"

preset=release
if [ "${1:-}" = --preset ]; then
  preset=$2
  shift 2
fi

need_packages build
configure "$preset"
ninja -C "$top/build/$preset"

report=$top/build/$preset/tests.xml
rm -f "$report"
status=0
ctest --test-dir "$top/build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" --output-junit "$report" "$@" || status=$?
[ -e "$report" ] || exit "$status"

count() { sed -n "0,/<testsuite/d; s/^[[:space:]]*$1=\"\([0-9]*\)\".*/\1/p" "$report" | head -n 1; }
total=$(count tests) failed=$(count failures) skipped=$(count skipped)
echo "$((total - failed - skipped)) passed, $failed failed, $skipped skipped"
exit "$status"
