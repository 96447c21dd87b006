#!/usr/bin/env bash
# The runner is seen to refuse each thing it promises to see: harness_test.sh BUILD_FOLDER
set -u
program=$1/tests/harness_bad
passed=0 failed=0

fail() {
    echo "FAIL $1"
    failed=$((failed + 1))
}

# verdict TEST WORDS [FILE]: the test fails alone, and the output, which is in FILE, says WORDS.
verdict() {
    local output status
    if [[ $# -eq 3 ]]; then
        output=$(cat "$3")
        status=${output##*status }
    else
        output=$("$program" "$1" 2>&1)
        status=$?
    fi
    if [[ $status -ne 1 || $output != *"0 passed, 1 failed"* ]]; then
        fail "$1: not failed: exit status $status: $output"
    elif [[ $output != *"$2"* ]]; then
        fail "$1: does not say '$2': $output"
    else
        passed=$((passed + 1))
    fi
}

# What is waited for long, before it counts as left behind, is waited for beside the rest.
slow=$(mktemp -d)
for name in bad_orphan bad_thread bad_hang; do
    { "$program" $name; echo "status $?"; } >"$slow/$name" 2>&1 &
done

verdict bad_check 'not true: 1 > 2'
verdict bad_skip_after_check 'not true: 1 > 3'
verdict bad_in_child 'not true: false'
verdict bad_equal '-1 is -1, not 1'
verdict bad_string '"a" is "a", not "b"'
verdict bad_bytes 'byte 1 of 2: 0x62, not 0x63'
verdict bad_require 'the test needs it: false'
verdict bad_crash 'killed by signal 11'
verdict bad_exit_status 'exit status 3'
verdict bad_fd 'left open: fd'
verdict bad_closed_fd 'closed, though not its own: fd 0'
verdict bad_zombie 'did not wait for child'
verdict bad_child 'left a child running'
verdict bad_mapping 'left mapped:'
verdict bad_private_mapping_of_memfd 'memfd:left'
verdict bad_file_in_shm 'left behind: /dev/shm/kin-left-'
verdict bad_other_file_in_shm 'left behind: /dev/shm/left-'
verdict bad_file_in_tmp 'left behind: /tmp/kin-left-'
verdict bad_temporary_file '.tmp/kin-left-'
rm -f /dev/shm/kin-left-* /dev/shm/left-?????? /tmp/kin-left-*

# As a shell starts what it does not wait for.
output=$(trap '' INT QUIT HUP; "$program" good_ 2>&1)
if [[ $output == "5 passed, 0 failed" ]]; then
    passed=$((passed + 1))
else
    fail "good tests: $output"
fi

output=$("$program" skipped_ 2>&1)
if [[ $? -eq 0 && $output == *"there is no moon"*"0 passed, 0 failed, 1 skipped" ]]; then
    passed=$((passed + 1))
else
    fail "skipped tests: $output"
fi

# beside FILE IS_HELD: a test passes while a program that is none of its processes makes a file, as
# a named semaphore is made: under another name.
beside() {
    local folder output
    folder=$(mktemp -d)
    {
        until [[ -e $folder/asked ]]; do sleep 0.01; done
        exec 9>"$1.new"
        ln "$1.new" "$1"
        rm "$1.new"
        $2 || exec 9>&-
        until [[ -e $folder/over ]]; do sleep 0.01; done
    } &
    output=$(KIN_ASKED=$folder/asked KIN_MADE=$1 "$program" good_beside 2>&1)
    touch "$folder/over"
    wait $!
    rm -rf "$folder" "$1"
    if [[ $output == "1 passed, 0 failed" ]]; then
        passed=$((passed + 1))
    else
        fail "beside $1: $output"
    fi
}

beside "/dev/shm/kin-other-$$" true
beside "/dev/shm/other-$$" true
beside "/dev/shm/other-$$" false

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

wait
verdict bad_orphan 'left process' "$slow/bad_orphan"
verdict bad_thread 'left 1 thread(s) running' "$slow/bad_thread"
verdict bad_hang 'hangs: killed after' "$slow/bad_hang"
rm -r "$slow"

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
