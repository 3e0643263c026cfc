#!/usr/bin/env bash
# tools/fuzz.sh [SECONDS] [TARGET]...: runs these fuzz targets of tests/fuzz, or all, for so long each (default 600),
# under the address and undefined-behaviour sanitizers. New inputs are kept in build/fuzz/corpus, what fails in
# build/fuzz/found; a failing input becomes a file of tests/fuzz/corpus/TARGET, which the tests replay.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"

seconds=${1:-600}
shift || true
need_packages build fuzz
configure fuzz
cd "$top"
if [ $# -eq 0 ]; then
  mapfile -t targets < <(sed -n 's/^alexnet_add_fuzz(\([a-z_]*\).*/\1/p' tests/fuzz/CMakeLists.txt)
  set -- "${targets[@]}"
fi
ninja -C build/fuzz "${@/#/fuzz_}" >&2

failed=()
for target in "$@"; do
  seeds=$(sed -n "s|^alexnet_add_fuzz($target \${PROJECT_SOURCE_DIR}/\(.*\))|\1|p" tests/fuzz/CMakeLists.txt)
  new=build/fuzz/corpus/$target
  log=build/fuzz/$target.log
  mkdir -p "$new" build/fuzz/found
  "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/found/$target-" "$new" "${seeds:-tests/fuzz/corpus/$target}" >"$log" 2>&1 || failed+=("$target")
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
  echo "$target: ${runs:-?} inputs in $seconds s, ${coverage:-?} edges, ${memory:-?} MB"
done
[ ${#failed[@]} -eq 0 ] || { echo "fuzz: failed: ${failed[*]}, see build/fuzz/*.log" >&2; exit 1; }
