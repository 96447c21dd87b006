#!/usr/bin/env bash
# The door: what ./dev says to wrong words, and that what it installs can be used.
set -u
source=$(realpath "$(dirname "$0")/../..")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0

# expect STATUS WORDS COMMAND...: the command ends with STATUS and says WORDS.
expect() {
    local status=$1 words=$2 said
    shift 2
    said=$("$@" 2>&1)
    local found=$?
    if [[ $found -eq $status && $said == *"$words"* ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf "FAIL %s: status %s, not %s with '%s'; says:\n%s\n" "$*" "$found" "$status" \
            "$words" "$said"
    fi
}

cd "$folder" # it works from any folder
dev=$source/dev
known='setup build run test interop conformance check bench crash fuzz fresh install help'
expect 2 "no word 'dance'. Known: $known" "$dev" dance
expect 2 "no word '--version'" "$dev" --version
expect 0 './dev WORD [ARGUMENTS]' "$dev"
expect 0 './dev WORD [ARGUMENTS]' "$dev" help
expect 1 "packages.txt has no group 'kitchen'" "$dev" setup kitchen
expect 0 '' "$dev" setup build
expect 1 'usage: ./dev install --prefix DIR' "$dev" install
expect 1 'usage: ./dev install --prefix DIR' "$dev" install "$folder"
expect 1 'No such preset' "$dev" build fast
expect 2 "no check 'manners'. Known: docs" "$dev" check manners
expect 1 'no test program has that name' "$dev" test no_such_program
expect 2 "no argument 'nowhere'" env KIN_BUILD=x "$source/tests/crash/run" nowhere
expect 2 "--seconds takes a number, not 'x'" env KIN_BUILD=x "$source/tests/crash/run" --seconds x
expect 0 './dev crash [--kills N]' env KIN_BUILD=x "$source/tests/crash/run" --help
for word in setup build run test conformance check bench crash fuzz fresh install help; do
    expect 0 "  $word " "$dev" help
done

expect 0 "$folder/kin/lib" "$dev" install --prefix kin
awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' \
    "$source/README.md" >"$folder/program.c"
PKG_CONFIG_PATH=$(dirname "$(find "$folder/kin" -name kin.pc)")
export PKG_CONFIG_PATH
expect 0 '' "${CC:-gcc}" program.c $(pkg-config --cflags --libs kin) -o program
LD_LIBRARY_PATH=$PKG_CONFIG_PATH/.. expect 0 16 ./program

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
