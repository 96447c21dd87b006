#!/usr/bin/env bash
# Checks each model exhaustively with Spin, and sees that its mutants fail.
set -euo pipefail
cd "$(dirname "$0")"
models=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
passed=0
failed=0

# verify MODEL OPTION...: 0 without errors, 1 with; anything else is a failure of the tools.
verify() {
    local model=$1
    shift
    rm -f pan pan.*
    spin "$@" -a "$models/$model.pml" >spin.log 2>&1 || { cat spin.log; return 2; }
    cc -O2 -DSAFETY -DCOLLAPSE -w -o pan pan.c || return 2
    ./pan -m1000000 -E >pan.log 2>&1 || return 2
    ! grep -q "max search depth too small\|out of memory" pan.log || return 2
    grep -q "errors: [0-9]" pan.log || return 2
    grep -q "errors: 0" pan.log
}

expect() {
    local verdict=$1 code=0
    shift
    verify "$@" || code=$?
    if [[ $verdict == holds && $code -eq 0 ]] || [[ $verdict == fails && $code -eq 1 ]]; then
        passed=$((passed + 1))
        printf 'ok    %s %s\n' "$*" "$verdict"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s: expected that it %s\n' "$*" "$verdict"
        tail -n 20 pan.log
    fi
}

expect holds event_count -DPRODUCERS=2 -DCONSUMERS=2
expect holds event_count -DPRODUCERS=1 -DCONSUMERS=2 -DKILLS=2
expect fails event_count -DNO_REAPER
expect fails event_count -DNO_PASS
expect fails event_count -DNO_DEATHS

expect holds lock -DMEMBERS=3
expect holds lock -DMEMBERS=3 -DKILLS=2
expect fails lock -DNO_REAPER
expect fails lock -DNO_KEEP
expect fails lock -DNO_PENDING -DNO_REAPER

printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
