#!/usr/bin/env bash
# OpenSSL is mapped when a program first needs it and not before, and where it is missing or not
# the right one, what needs it says so: openssl_test.sh BUILD_FOLDER
set -u
source=$(realpath "$(dirname "$0")/../..")
build=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0

# prints NAME TEXT COMMAND...: it prints exactly this.
prints() {
    local name=$1 text=$2 said
    shift 2
    said=$(timeout 120 "$@" 2>&1)
    if [[ $said == "$text" ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s: it prints\n%s\nand not\n%s\n' "$name" "$said" "$text"
    fi
}

cd "$folder" || exit 1
compiler=("${CC:-gcc}" -std=c17 -Wall -Wextra -Wpedantic -Werror)
"${compiler[@]}" "-I$source/include" -o program "$source/tests/api/openssl/program.c" \
    "-L$build" "-Wl,-rpath,$build" -lkin || exit 1

begins=$'start: KIN_OK:\nno key: KIN_OK:\nrandom: KIN_OK:'
prints 'it is loaded step by step' \
    "$begins"$'\nkey: KIN_OK: libcrypto\nTLS: KIN_OK: libcrypto libssl' ./program
prints 'a fork beside a thread that loads it' "$begins"$'\nfork: KIN_OK:' ./program fork

needed=$(readelf -d "$build/libkin.so" | grep -cE 'NEEDED.*(ssl|crypto)')
if [[ $needed -eq 0 ]]; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo 'FAIL libkin is linked with OpenSSL'
fi

# A file that is no library stands for one that is missing: it hides the one that is there.
mkdir no_crypto no_ssl old_crypto
echo nothing >no_crypto/libcrypto.so.3
echo nothing >no_ssl/libssl.so.3
echo 'int old;' | "${compiler[@]}" -x c -shared -fPIC -Wl,-soname,libcrypto.so.3 \
    -o old_crypto/libcrypto.so.3 - || exit 1
failure='[Level 25/MainProcess] OpenSSL 3 cannot be loaded'
prints 'no libcrypto' "$begins
$failure: $folder/no_crypto/libcrypto.so.3: file too short
key: KIN_EOPENSSL:
$failure: $folder/no_crypto/libcrypto.so.3: file too short
TLS: KIN_EOPENSSL:" env LD_LIBRARY_PATH="$folder/no_crypto" ./program
prints 'no libssl' "$begins
key: KIN_OK: libcrypto
$failure: $folder/no_ssl/libssl.so.3: file too short
TLS: KIN_EOPENSSL: libcrypto" env LD_LIBRARY_PATH="$folder/no_ssl" ./program
prints 'a libcrypto without what is needed' "$begins
$failure: $folder/old_crypto/libcrypto.so.3: undefined symbol: BIO_clear_flags
key: KIN_EOPENSSL:
$failure: $folder/old_crypto/libcrypto.so.3: undefined symbol: BIO_clear_flags
TLS: KIN_EOPENSSL:" env LD_LIBRARY_PATH="$folder/old_crypto" ./program

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
