#!/usr/bin/env bash
# install_test.sh SOURCE BUILD: installs into a folder, moves it, hides the build folder, and builds README.md's example
# as a program of its own against what was installed, once through find_package and once through pkg-config.
set -euo pipefail
source_dir=$1 build_dir=$2

fail() { echo "FAILED: $*" >&2; exit 1; }

if [ "${3:-}" != hidden ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cmake --install "$build_dir" --prefix "$work/first" >"$work/log" || { cat "$work/log"; fail "cmake --install"; }
  mv "$work/first" "$work/moved"
  # In a mount namespace of its own an empty folder covers the build folder; where namespaces are forbidden the checks
  # of paths below have to do.
  hide=(unshare --mount)
  [ "$(id -u)" -eq 0 ] || hide+=(--map-root-user)
  if "${hide[@]}" true 2>/dev/null; then
    # shellcheck disable=SC2016  # expanded inside
    "${hide[@]}" bash -c 'mount -t tmpfs none "$3" && exec "$0" "$2" "$3" hidden "$1"' \
      "$0" "$work" "$source_dir" "$build_dir"
  else
    echo "mount namespaces are not allowed here: the build folder stays in reach"
    "$0" "$source_dir" "$build_dir" hidden "$work"
  fi
  exit
fi

work=$4 prefix=$4/moved
cd "$work"

if found=$(grep -rlF -e "$build_dir" -e "$work/first" "$prefix"); then fail "these name the build folder or the first prefix: $found"; fi
for file in "$prefix"/bin/* "$prefix"/lib/*.so*; do
  # shellcheck disable=SC2016  # the loader expands $ORIGIN, not the shell
  if readelf -d "$file" | grep -E 'R(UN)?PATH' | grep -vE '\[\$ORIGIN(/\.\./lib)?\]'; then fail "run path of $file"; fi
  resolved=$(env -i ldd "$file" | awk '/libdnnl/ {print $3}')
  [ -z "$resolved" ] || [ "$(realpath "$resolved")" = "$prefix/lib/libdnnl.so.3" ] || fail "$file takes oneDNN from $resolved"
done

mkdir consumer
cp "$source_dir/tests/install/consumer/CMakeLists.txt" consumer
# shellcheck disable=SC2016  # nothing to expand
sed -n '/^```cpp$/,/^```$/{/^```/!p}' "$source_dir/README.md" >consumer/main.cc

cmake -G Ninja -S consumer -B by_cmake -DCMAKE_PREFIX_PATH="$prefix" >log || { cat log; fail "find_package"; }
cmake --build by_cmake >log || { cat log; fail "build through find_package"; }

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
# shellcheck disable=SC2046  # one word an option
c++ -std=c++20 consumer/main.cc -o by_pkg_config \
  $(pkg-config --cflags --libs alexnet) "-Wl,-rpath,$(pkg-config --variable=libdir alexnet)"

photograph=$source_dir/data/coffee.jpg
for program in "$prefix/bin/alexnet classify" by_cmake/consumer ./by_pkg_config; do
  # shellcheck disable=SC2086  # a program and its verb
  said=$(env -i $program "$photograph") || fail "$program"
  echo "$program: $said"
  [[ $said == *espresso* ]] || fail "$program does not see the espresso"
done
for file in share/man/man1/alexnet.1 share/bash-completion/completions/alexnet; do
  [ -s "$prefix/$file" ] || fail "$file is not installed"
done
