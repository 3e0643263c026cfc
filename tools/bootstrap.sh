# Sourced by the scripts beside it: what stands between a fresh machine and a build.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# need_packages USE...: installs the packages that packages.txt lists for these uses and that are missing; without root
# it names them and stops. On a system without dpkg CMake will say what it does not find.
need_packages() {
  command -v dpkg-query >/dev/null || return 0
  local uses="$*" wanted missing
  wanted=$(awk -v uses=" $uses " '!/^#/ && index(uses, " " $1 " ") {print $2}' "$top/tools/packages.txt" | sort)
  # shellcheck disable=SC2086  # one word a package
  missing=$(comm -23 <(echo "$wanted") <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null |
    awk '$1 == "ii" {print $2}' | sort) | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "missing packages: $missing" >&2
    echo "as root: apt-get install $missing" >&2
    exit 1
  fi
  echo "installing: $missing" >&2
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086  # one word a package
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } </dev/null >&2
}

# configure PRESET [CMAKE ARGS]: once; Ninja repeats it when a CMake file changed. Arguments are remembered.
configure() {
  local preset=$1
  shift
  [ -e "$top/build/$preset/build.ninja" ] && [ $# -eq 0 ] && return 0
  (cd "$top" && cmake --preset "$preset" "$@" >&2)
}

# reference_python: sets `python` to an interpreter that has what tools/reference.txt lists: PYTHON if it is set, else one in
# build/reference, which is made when it is missing or the list has changed.
reference_python() {
  python=${PYTHON:-$top/build/reference/bin/python}
  [ -z "${PYTHON:-}" ] || return 0
  cmp -s "$top/tools/reference.txt" "$top/build/reference/installed.txt" && return 0
  need_packages reference
  echo "installing what tools/reference.txt lists into build/reference" >&2
  python3 -m venv --clear "$top/build/reference" >&2
  "$python" -m pip install --quiet --disable-pip-version-check -r "$top/tools/reference.txt" >&2
  cp "$top/tools/reference.txt" "$top/build/reference/installed.txt"
}
