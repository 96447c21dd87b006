#!/usr/bin/env bash
# KIN_FUNCTION works wherever it stands: in a shared library, in a module that is loaded with
# dlopen, in a static archive that is kept whole: functions_test.sh BUILD_FOLDER
set -u
source=$(realpath "$(dirname "$0")/../..")
build=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0

# prints NAME TEXT COMMAND...: the command prints exactly this.
prints() {
    local name=$1 text=$2 said
    shift 2
    said=$("$@" 2>&1)
    if [[ $said == "$text" ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s: it prints\n%s\nand not\n%s\n' "$name" "$said" "$text"
    fi
}

# compile OUTPUT ARGUMENT...
compile() {
    "${CC:-gcc}" -std=c17 -Wall -Wextra -Wpedantic -Werror -fPIC "-I$source/include" -o "$@"
}

cd "$folder" || exit 1
function=$source/tests/api/functions/function.c
program=$source/tests/api/functions/program.c
kin=("-L$build" "-Wl,-rpath,$build:$folder" -lkin -ldl)
compile liblinked.so -shared -DNAME=linked "$function" &&
    compile loaded.so -shared -DNAME=loaded -DFACTOR=3 "$function" &&
    compile late.so -shared -DNAME=loaded -DFACTOR=5 "$function" &&
    compile same_name.so -shared -DNAME=linked -DFACTOR=4 -Wl,--defsym=loaded=linked \
        -Wl,-Bsymbolic "$function" &&
    compile linked.o -c -DNAME=linked "$function" && ar rc liblinked.a linked.o &&
    compile with_library "$program" -L. -Wl,--no-as-needed -llinked "${kin[@]}" &&
    compile with_archive "$program" -Wl,--whole-archive liblinked.a -Wl,--no-whole-archive \
        "${kin[@]}" || exit 1

prints 'a shared library' 'linked: 14' ./with_library
prints 'a static archive' 'linked: 14' ./with_archive
prints 'a module' $'linked: 14\nloaded: 21' ./with_library ./loaded.so
prints 'a module that is loaded after the pool was made' \
    $'linked: 14\nloaded: 21\nloaded late: KIN_EFUNCTION' ./with_library ./loaded.so ./late.so
prints 'two functions of one name' 'kin_init: KIN_EFUNCTION' ./with_library ./same_name.so

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
