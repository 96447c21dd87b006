#!/usr/bin/env bash
# The other compiler accepts everything too, with all warnings as errors.
set -u
source=$(realpath "$(dirname "$0")/../..")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
other=clang otherxx=clang++
if [[ ${CC:-} == *clang* ]]; then
    other=gcc otherxx=g++
fi
if said=$({ CC=$other CXX=$otherxx cmake -S "$source" --preset dev -B "$folder" &&
    cmake --build "$folder"; } 2>&1); then
    echo "1 passed, 0 failed"
else
    printf '%s\n0 passed, 1 failed\n' "$(grep -A3 -E 'error|Error' <<<"$said" | head -n 60)"
    exit 1
fi
