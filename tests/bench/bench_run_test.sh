#!/usr/bin/env bash
# bench/run with a bench of its own, whose subjects print what they are told to.
set -u
passed=0 failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cp "${KIN_SOURCE:-.}/bench/run" "$folder/run"
mkdir "$folder/speed"
cat >"$folder/speed/bench.json" <<'JSON'
{
    "question": "How fast?",
    "unit": "run/s",
    "frame": [],
    "subjects": {
        "kin": {"source": "subject.py"},
        "peer": {"source": "subject.py"},
        "broken": {"source": "broken.py"},
        "absent": {"source": "absent.c"}
    },
    "cases": [
        {"name": "far", "without": ["broken", "absent"],
         "arguments": {"value": 3000000}, "arguments_of": {"peer": {"value": 1500000}}},
        {"name": "wide", "without": ["broken", "absent"], "unit": "us", "less_is_better": true,
         "arguments": {"value": 2.5}, "arguments_of": {"peer": {"value": 10}}},
        {"name": "torn", "without": ["absent"], "arguments": {"value": 7}},
        {"name": "gone", "arguments": {"value": 7}}
    ]
}
JSON
printf '%s\n' '#!/usr/bin/python3' 'import sys' 'print(sys.argv[1].split("=")[1])' \
    >"$folder/speed/subject.py"
printf '%s\n' '#!/usr/bin/python3' 'import sys' 'sys.exit("out of luck")' \
    >"$folder/speed/broken.py"
chmod +x "$folder"/speed/*.py

# says STATUS WORDS ARGUMENTS...: bench/run, called so, ends with STATUS and says WORDS (with one
# blank for several).
says() {
    local expected=$1 words=$2 output status
    shift 2
    output=$(set -o pipefail; KIN_BUILD=$folder "$folder/run" "$@" 2>&1 | tr -s ' ')
    status=$?
    if [[ $status -ne $expected || $output != *"$words"* ]]; then
        echo "FAIL bench/run $*: exit status $status, not $expected, or not '$words': $output"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}

line='{"bench":"speed","case":"far","subject":"kin","unit":"run/s",'
says 0 "$line"'"median":3000000,"min":3000000,"max":3000000,"runs":7}' --json --case far
line='{"bench":"speed","case":"wide","subject":"peer","unit":"us",'
says 0 "$line"'"median":10,"min":10,"max":10,"runs":2}' speed --json --case wide --runs 2
says 0 'peer 1.50 M 1.50 M 1.50 M 2.00 x' --case far --runs 1
says 0 'peer 10.0 10.0 10.0 4.00 x' --case wide --runs 1
says 1 'speed, torn, broken: out of luck (status 1)' --case torn --runs 2
says 1 '"case":"torn","subject":"kin"' --case torn --runs 2 --json
says 1 'not built' --case gone
says 0 '"subject":"kin"' --case gone --subject kin --json --runs 1
says 2 "no bench 'nonsense'. Known: speed" nonsense
says 2 "no case with 'nonsense'. Known: far, wide" --case nonsense
says 2 "no subject 'nonsense'. Known: absent broken kin peer" --subject nonsense
says 2 'at least one' --runs 0
says 2 'usage' --nonsense
says 0 'Benches: speed' --help

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
