#!/usr/bin/env bash
# kin and CPython understand each other: interop_test.sh BUILD_FOLDER [FILTER]
#
# The program tests/interop talks to one interpreter; here it is run with each CPython from 3.8 to
# 3.13 that is found: Debian's /usr/bin/python3, which has to be there, those of pyenv, and what is
# on the PATH. KIN_PYTHONS=PATH:... names them instead.
set -u
program=$1/tests/interop
filter=${2:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0

# The version of an interpreter, as 311; nothing for what is not CPython, or does not start.
version_of() {
    "$1" -E -s -c 'import platform, sys
if platform.python_implementation() == "CPython":
    print("%d%02d" % sys.version_info[:2])' 2>/dev/null
}

# Those that are found, each once.
candidates() {
    if [[ -n ${KIN_PYTHONS:-} ]]; then
        tr ':' '\n' <<<"$KIN_PYTHONS"
        return
    fi
    echo /usr/bin/python3
    local path
    for path in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3; do
        [[ -x $path ]] && echo "$path"
    done
    for path in python3.{8..13}; do
        type -aP "$path" | grep -v /shims/ || true
    done
}

declare -A known=()
pythons=()
while IFS= read -r path; do
    version=$(version_of "$path")
    if [[ -z $version ]]; then
        [[ $path == /usr/bin/python3 ]] || continue
        echo "FAIL there is no CPython at /usr/bin/python3"
        failed=$((failed + 1))
        continue
    fi
    real=$(realpath "$path")
    [[ -z ${known[$real]:-} ]] || continue
    known[$real]=1
    if [[ $version -ge 308 && $version -le 313 ]]; then
        pythons+=("$path")
    fi
done < <(candidates)

# Two at a time: each is a C program and a Python, which mostly wait for each other.
jobs=$(nproc)
for python in "${pythons[@]}"; do
    while [[ $(jobs -rp | wc -l) -ge $jobs ]]; do
        wait -n
    done
    name=${python//\//_}
    { KIN_PYTHON=$python "$program" ${filter:+"$filter"} >"$folder/$name" 2>&1
        echo "$?" >"$folder/$name.status"; } &
done
wait

for python in "${pythons[@]}"; do
    name=${python//\//_}
    sed '$d' "$folder/$name" | sed "s|^FAIL |FAIL $python: |"
    if [[ $(tail -n 1 "$folder/$name") =~ ^([0-9]+)' passed, '([0-9]+)' failed'$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    else
        echo "FAIL $python: $(tail -n 1 "$folder/$name"), exit status $(cat "$folder/$name.status")"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
