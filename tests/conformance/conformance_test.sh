#!/usr/bin/env bash
# kin's processes do what those of CPython's multiprocessing do: conformance_test.sh BUILD_FOLDER
# [METHOD...]. The same scenarios run with both, for each start method; see processes.py.
set -u
program=$1/tests/conformance
shift
here=$(dirname "$0")
python=/usr/bin/python3
[[ $# -gt 0 ]] || set -- fork spawn forkserver
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0

# Those of CPython take long to start what is not forked, so all run at once.
for method in "$@"; do
    timeout 200 "$python" "$here/processes.py" "$method" \
        </dev/null >"$folder/$method.cpython" 2>&1 &
    timeout 100 "$program" "$method" </dev/null >"$folder/$method.kin" 2>&1 || {
        status=$?
        echo "FAIL $method: kin's program ended with $status: $(tail -n 1 "$folder/$method.kin")"
        failed=$((failed + 1))
    }
done
wait
for method in "$@"; do
    "$python" "$here/compare.py" "$method" "$folder/$method.cpython" "$folder/$method.kin" \
        "$here/differences.txt" >"$folder/said"
    sed '$d' "$folder/said"
    if [[ $(tail -n 1 "$folder/said") =~ ^([0-9]+)' passed, '([0-9]+)' failed'$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    else
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
