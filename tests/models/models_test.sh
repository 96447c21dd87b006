#!/usr/bin/env bash
# Checks each model exhaustively with Spin, and sees that its mutants fail.
#
#     models_test.sh [BUILD]     the short form: small sizes and most mutants, about 45 s
#     models_test.sh --long      all mutants, and larger sizes: more members and messages, two
#                                deaths; prints the states of each
set -euo pipefail
is_long=false
[[ ${1:-} != --long ]] || is_long=true
cd "$(dirname "$0")"
models=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
passed=0
failed=0
optimize=-O0 # most of the short form is compiling
limits=(-m200000 -w20)
memory_mib=900
! $is_long || { optimize=-O2 limits=(-m2000000 -w24) memory_mib=8000; }

# verify MODEL OPTION...: 0 without errors, 1 with; anything else is a failure of the tools.
verify() {
    local model=$1
    shift
    rm -f pan pan.*
    spin "$@" -a "$models/$model.pml" >spin.log 2>&1 || { cat spin.log; return 2; }
    cc "$optimize" -DSAFETY -DCOLLAPSE "-DMEMLIM=$memory_mib" -w -o pan pan.c || return 2
    ./pan "${limits[@]}" -E >pan.log 2>&1 || return 2
    ! grep -q "max search depth too small\|out of memory\|memory limit" pan.log || return 2
    grep -q "errors: [0-9]" pan.log || return 2
    grep -q "errors: 0" pan.log
}

states() {
    sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.log
}

expect() {
    local verdict=$1 code=0
    shift
    verify "$@" || code=$?
    if [[ $verdict == holds && $code -eq 0 ]] || [[ $verdict == fails && $code -eq 1 ]]; then
        passed=$((passed + 1))
        printf 'ok    %s %s%s\n' "$*" "$verdict" "$($is_long && printf ', %s states' "$(states)")"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s: expected that it %s\n' "$*" "$verdict"
        tail -n 20 pan.log
    fi
}

# What only the long form runs.
later() {
    ! $is_long || expect "$@"
}

expect holds event_count -DPRODUCERS=1 -DCONSUMERS=2
later holds event_count -DPRODUCERS=1 -DCONSUMERS=2 -DKILLS=2
expect fails event_count -DNO_REAPER
expect fails event_count -DNO_PASS
expect fails event_count -DNO_DEATHS
expect fails event_count -DONE_PASS

expect holds lock -DMEMBERS=3
expect fails lock -DNO_REAPER
expect fails lock -DNO_KEEP
expect fails lock -DNO_PENDING -DNO_REAPER

one=(-DPRODUCERS=1 -DCONSUMERS=1)
batch=("${one[@]}" -DMESSAGES=2 -DBATCH=2 -DSKIPPED_MAX=2)
stall=(-DPRODUCERS=2 -DCONSUMERS=1 -DSTALL -DSKIPPED_MAX=0)
expect holds queue "${one[@]}" -DMESSAGES=2
expect holds queue "${one[@]}" -DREFUSE
expect holds queue "${batch[@]}"
later holds queue "${stall[@]}"
expect fails queue "${one[@]}" -DCOMMIT_FIRST
expect fails queue "${one[@]}" -DMESSAGES=2 -DNO_LOOK_BACK
expect fails queue "${batch[@]}" -DLOOK_UP
later fails queue "${one[@]}" -DTRUST_TAIL
expect fails queue "${one[@]}" -DTRUST_HEAD
expect fails queue "${one[@]}" -DNO_COUNT
later fails queue "${one[@]}" -DNO_REPAIR
later fails queue -DPRODUCERS=2 -DCONSUMERS=1 -DNO_REAPER_WAKE
expect fails queue "${one[@]}" -DKILLS=2 -DFREE_FIRST
later fails queue "${one[@]}" -DKILLS=2 -DNO_SUCCESSOR
expect fails queue "${one[@]}" -DMESSAGES=2 -DREFUSE -DNO_MOVE_BACK
later fails queue "${one[@]}" -DREFUSE -DNO_CHECK
expect fails queue "${stall[@]}" -DNO_OVERFLOW

passing=(-DMEMBERS=4 -DPERMITS=2 -DHELD=2 -DKILLS=0 -DSTAYS)
expect holds semaphore -DMEMBERS=3
later holds semaphore -DMEMBERS=2 -DKILLS=2
expect fails semaphore -DNO_CLAIM -DSTORE
expect fails semaphore -DNOTE_LATE
expect fails semaphore -DMEMBERS=2 -DKILLS=2 -DFREE_FIRST
later fails semaphore -DMEMBERS=2 -DKILLS=2 -DNO_SUCCESSOR
expect fails semaphore "${passing[@]}" -DNO_PASS
later fails semaphore -DLOOK_FIRST
later fails semaphore -DNO_WAKE

later holds barrier
expect holds barrier -DROUNDS=1 -DTIMEOUT
expect fails barrier -DCOUNT_DEAD
later fails barrier -DNO_BREAK
expect fails barrier -DRESET -DPHASE_FIRST
later fails barrier -DRESET -DNO_MARK
expect fails barrier -DONE_ROW
expect fails barrier -DROUNDS=1 -DKILLS=2 -DFREE_FIRST
later fails barrier -DNO_RAISE

later holds condition
expect holds condition -DTIMEOUT
expect fails condition -DTIMEOUT -DSTORE
expect fails condition -DNO_PASS_ON
expect fails condition -DKILLS=2 -DFREE_FIRST
later fails condition -DNO_CALL_ALL
expect fails condition -DLEAVE_EARLY
later fails condition -DNOTE_LATE
expect fails condition -DANY_ORDER
later fails condition -DTICKET_LATE
later fails condition -DNO_WAKE

expect holds reaper -DKILLS=1
expect fails reaper -DNO_RING
expect fails reaper -DFREE_FIRST
expect fails reaper -DNO_SUCCESSOR
expect fails reaper -DNO_REPAIR
expect fails reaper -DKEEPERLESS -DNO_LOOK
later fails reaper -DKEEPERLESS -DALL_LISTEN
later holds reaper -DKILLS=1 -DKEEPERLESS

expect holds rwlock -DREADERS=1 -DWRITERS=2
expect fails rwlock -DREADERS=1 -DWRITERS=2 -DNO_PHASE
expect fails rwlock -DREADERS=1 -DLOOK_FIRST
later fails rwlock -DREADERS=1 -DSCAN_FIRST
later fails rwlock -DREADERS=1 -DNO_TELL
later fails rwlock -DREADERS=1 -DNO_TELL_MARK
expect fails rwlock -DREADERS=1 -DNO_OPEN
later fails rwlock -DREADERS=1 -DNO_WAKE
expect fails rwlock -DREADERS=1 -DKILLS=2 -DFREE_FIRST

if $is_long; then
    expect holds rwlock
    expect holds rwlock -DREADERS=1 -DKILLS=2
    expect holds event_count -DPRODUCERS=2 -DCONSUMERS=2
    expect holds lock -DMEMBERS=3 -DKILLS=2
    expect holds queue -DPRODUCERS=2 -DCONSUMERS=1
    expect holds queue -DPRODUCERS=1 -DCONSUMERS=2 -DMESSAGES=2
    expect holds queue -DPRODUCERS=1 -DCONSUMERS=2 -DREFUSE
    expect holds queue "${one[@]}" -DKILLS=2 -DBOTH
    expect holds semaphore -DMEMBERS=3 -DPERMITS=2
    expect holds semaphore -DMEMBERS=3 -DTIMEOUT
    expect holds semaphore -DMEMBERS=3 -DNO_CLAIM
    expect holds semaphore -DMEMBERS=3 -DKILLS=2
    expect holds semaphore "${passing[@]}"
    expect holds barrier -DTIMEOUT
    expect holds barrier -DRESET
    expect holds barrier -DKILLS=2
    expect holds condition -DNOTIFIERS=2
    expect holds condition -DWAITERS=3
    expect fails condition -DKILLS=2 -DCLEAR_FIRST
    expect holds reaper -DKILLS=2
    expect holds reaper -DKILLS=2 -DKEEPERLESS
fi

printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
