#!/usr/bin/env bash
# The runner is seen to refuse each thing it promises to see: harness_test.sh BUILD_FOLDER
set -u
program=$1/tests/harness_bad
passed=0 failed=0

fail() {
    echo "FAIL $1"
    failed=$((failed + 1))
}

# verdict TEST WORDS: the test fails alone, and the output says WORDS.
verdict() {
    local output status
    output=$("$program" "$1" 2>&1)
    status=$?
    if [[ $status -ne 1 || $output != *"0 passed, 1 failed"* ]]; then
        fail "$1: not failed: exit status $status: $output"
    elif [[ $output != *"$2"* ]]; then
        fail "$1: does not say '$2': $output"
    else
        passed=$((passed + 1))
    fi
}

verdict bad_check 'not true: 1 > 2'
verdict bad_equal '-1 is -1, not 1'
verdict bad_string '"a" is "a", not "b"'
verdict bad_bytes 'byte 1 of 2: 0x62, not 0x63'
verdict bad_require 'the test needs it: false'
verdict bad_in_child 'not true: false'
verdict bad_crash 'killed by signal 11'
verdict bad_exit_status 'exit status 3'
verdict bad_hang 'hangs: killed after'
verdict bad_fd 'left open: fd'
verdict bad_closed_fd 'closed, though not its own: fd 0'
verdict bad_zombie 'did not wait for child'
verdict bad_child 'left a child running'
verdict bad_orphan 'left process'
verdict bad_thread 'left 1 thread(s) running'
verdict bad_mapping 'left mapped:'
verdict bad_private_mapping_of_memfd 'memfd:left'
verdict bad_file_in_shm 'left behind: /dev/shm/kin-left-'
verdict bad_file_in_tmp 'left behind: /tmp/kin-left-'
verdict bad_temporary_file '.tmp/kin-left-'
rm -f /dev/shm/kin-left-* /tmp/kin-left-*

output=$("$program" good_ 2>&1)
if [[ $output == "3 passed, 0 failed" ]]; then
    passed=$((passed + 1))
else
    fail "good tests: $output"
fi

# ends STATUS ARGUMENTS...: the runner, called so, ends with STATUS.
ends() {
    local expected=$1
    shift
    "$program" "$@" >/dev/null 2>&1
    local status=$?
    if [[ $status -eq $expected ]]; then
        passed=$((passed + 1))
    else
        fail "harness_bad $*: exit status $status, not $expected"
    fi
}

ends 0 -j 2 good_
ends 1 -j 2 equal
ends 0 -l
ends 2 no_such_test
ends 2 -j 0
ends 2 -x
ends 2 good_ bad_

left=0
for process in /proc/[0-9]*/exe; do
    [[ $(readlink "$process" 2>/dev/null) == "$(realpath "$program")" ]] && left=$((left + 1))
done
if [[ $left -eq 0 ]]; then
    passed=$((passed + 1))
else
    fail "$left processes of $program are left"
fi

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
