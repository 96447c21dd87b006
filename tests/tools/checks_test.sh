#!/usr/bin/env bash
# Each check refuses each of its bad samples, for the reason it should. A sample is a small project
# in tests/tools/bad/<check>/<case>; its file `says` is part of what the check must say.
# For checks that read a build, the sample's sources are made into libkin.so and libkin.a first.
set -u
source=$(realpath "$(dirname "$0")/../..")
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
passed=0 failed=0

# As the real build lays things out; sources of a sample all lie in src/base.
build_sample() {
    local sample=$1 object=$build/CMakeFiles/kin_base.dir/src/base
    local soname=-Wl,-soname,libkin.so.0
    [[ ! -e $sample/without_soname ]] || soname=
    mkdir -p "$object"
    "${CC:-gcc}" -std=c17 -fPIC -fvisibility=hidden "-I$sample/include" \
        -c "$sample/src/base/one.c" -o "$object/one.c.o" &&
        "${CC:-gcc}" -shared ${soname:+"$soname"} "$object/one.c.o" -o "$build/libkin.so" &&
        rm -f "$build/libkin.a" && ar rc "$build/libkin.a" "$object/one.c.o"
}

for sample in "$source"/tests/tools/bad/*/*/; do
    sample=${sample%/}
    check=$(basename "$(dirname "$sample")")
    folder=$1
    if [[ -e $sample/src/base/one.c ]]; then
        folder=$build
        build_sample "$sample"
    fi
    output=$("$source/tools/check_$check" "$sample" "$folder" 2>&1)
    status=$?
    if [[ $status -eq 1 && $output == *"$(<"$sample/says")"* ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL check_$check on $(basename "$sample"): status $status, says: ${output:-nothing}"
        echo "     it should say: $(<"$sample/says")"
    fi
done
for check in "$source"/tools/check_*; do
    if [[ ! -d $source/tests/tools/bad/$(basename "${check#*check_}") ]]; then
        failed=$((failed + 1))
        echo "FAIL $(basename "$check") has no bad sample"
    fi
done

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
