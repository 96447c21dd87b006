#!/usr/bin/env bash
# kin as a user gets it: installed into an empty prefix, found by pkg-config, and programs built
# against that copy, as C11, C17 and C++17 with warnings as errors: install_test.sh BUILD_FOLDER
set -u
source=$(realpath "$(dirname "$0")/../..")
build=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0

# expect NAME COMMAND...: the command succeeds.
expect() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n%s\n' "$name" "$(head -n 20 <<<"$said")"
        return 1
    fi
}

# The library is installed below a prefix that it was not configured for, so kin.pc is told.
expect 'install' cmake --install "$build" --prefix "$folder"
library=$(dirname "$(find "$folder" -name kin.pc)")/..
export PKG_CONFIG_PATH=$library/pkgconfig LD_LIBRARY_PATH=$library
read -ra flags <<<"$(pkg-config --define-variable="prefix=$folder" --cflags --libs kin)"
# What a program needs beside the archive itself.
read -ra private <<<"$(pkg-config --static --libs-only-l --libs-only-other kin |
    sed 's/-lkin//')"
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

for file in bin/kin share/man/man1/kin.1 share/man/man1/kin-pickle.1 \
    share/bash-completion/completions/kin include/kin.h include/kin/error.h \
    share/doc/kin/README.md share/doc/kin/contracts.md; do
    expect "$file is installed" test -f "$folder/$file"
done
expect 'version' pkg-config --exact-version="$(sed -nE \
    's/^project\(kin VERSION ([0-9.]+).*/\1/p' "$source/CMakeLists.txt")" kin

expect 'the tool runs' "$folder/bin/kin" --version

# Every public function is called for by its address, which the linker must find.
functions=$(sed -n 's/^KIN_API .*\b\(kin_[a-z_0-9]*\)(.*/\1/p' "$folder"/include/kin/*.h | sort -u)
{
    printf '#include <kin.h>\n#include <stdio.h>\n\ntypedef void (*any_function)(void);\n\n'
    printf 'static const any_function functions[] = {\n'
    printf '    (any_function)%s,\n' $functions
    printf '};\n\nint main(void)\n{\n'
    printf '    printf("%%zu\\n", sizeof functions / sizeof functions[0]);\n'
    printf '    return functions[0] == 0;\n}\n'
} >"$folder/symbols.c"
expect 'there are functions' test "$(wc -w <<<"$functions")" -gt 10

# The first program of the README.
awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' \
    "$source/README.md" >"$folder/readme.c"

# build_and_run NAME SOURCE COMPILER LANGUAGE STANDARD LINK_FLAG...
build_and_run() {
    local name=$1 program=$2 compiler=$3 language=$4 standard=$5
    shift 5
    expect "$name builds" "$compiler" -x "$language" "-std=$standard" "${warnings[@]}" \
        -o "$folder/program" "$program" -x none "$@" &&
        expect "$name runs" "$folder/program"
}

for program in symbols readme; do
    build_and_run "$program as C11" "$folder/$program.c" "${CC:-gcc}" c c11 "${flags[@]}"
    build_and_run "$program as C17" "$folder/$program.c" "${CC:-gcc}" c c17 "${flags[@]}"
    build_and_run "$program, static" "$folder/$program.c" "${CC:-gcc}" c c17 \
        "-I$folder/include" "$library/libkin.a" "${private[@]}"
done
# These need what is only registered before main.
for example in listener pool; do
    build_and_run "$example, static" "$source/examples/$example.c" "${CC:-gcc}" c gnu17 \
        "-I$folder/include" "$library/libkin.a" "${private[@]}"
done
build_and_run 'symbols as C++17' "$folder/symbols.c" "${CXX:-g++}" c++ c++17 "${flags[@]}"
build_and_run 'C++ program' "$source/tests/api/program.cpp" "${CXX:-g++}" c++ c++17 "${flags[@]}"

# Each header alone, from the installed copy, without any other folder.
mkdir "$folder/project" && ln -s "$folder/include" "$folder/project/include"
expect 'each header alone' "$source/tools/check_headers" "$folder/project"

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
