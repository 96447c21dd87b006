#!/usr/bin/env bash
# words counts what tr, sort and uniq count: words_test.sh BUILD_FOLDER
set -u
export LC_ALL=C
program=$1/examples/words
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0

# verdict NAME STATUS: one more test, passed if the status is 0.
verdict() {
    if [[ $2 -eq 0 ]]; then
        passed=$((passed + 1))
    else
        echo "FAIL $1"
        failed=$((failed + 1))
    fi
}

# same NAME EXPECTED ACTUAL: passed if the texts are equal.
same() {
    [[ $2 == "$3" ]]
    local status=$?
    [[ $status -eq 0 ]] || diff <(echo "$2") <(echo "$3") | head -n 20
    verdict "$1" "$status"
}

# The value of a line of the report: value TITLE OUTPUT.
value() {
    sed -n "s/^$1  *\([0-9]*\).*/\1/p" <<<"$2"
}

commonest() {
    sed -n 's/^ *\([0-9][0-9]*\) \([a-z][a-z]*\)$/\1 \2/p' <<<"$1"
}

# Without root's right to read what the mode forbids.
as_plain_user() {
    if [[ $(id -u) -eq 0 ]]; then
        setpriv --bounding-set -dac_override,-dac_read_search "$@"
    else
        "$@"
    fi
}

# --- the trees ---

# random_words COUNT KINDS SEED: words of 1 to 12 letters, with all sorts of bytes between them.
random_words() {
    awk -v count="$1" -v kinds="$2" -v seed="$3" 'BEGIN {
        srand(seed)
        between = " \n.,;\t0123456789_-@[`{\200\303\251\377"
        for (i = 0; i < kinds; i++) {
            length_of = 1 + int(rand() * 12)
            for (j = 0; j < length_of; j++) {
                word[i] = word[i] sprintf("%c", (rand() < 0.2 ? 65 : 97) + int(rand() * 26))
            }
        }
        for (i = 0; i < count; i++) {
            printf "%s%s", word[int(rand() * rand() * kinds)],
                substr(between, 1 + int(rand() * length(between)), 1)
        }
    }'
}

# letters COUNT LETTER: one word.
letters() {
    head -c "$1" /dev/zero | tr '\0' "$2"
}

make_tree() {
    mkdir -p "$1/deep/er/still" "$1/empty" "$1/many"
    random_words 500000 20000 1 >"$1/big"
    { random_words 3000 100 2; printf 'without newline at its end'; } >"$1/deep/unended"
    printf 'at its border' >"$1/deep/unended2"
    : >"$1/deep/er/nothing"
    printf '\n\n  12 34\n' >"$1/deep/er/no words"
    { letters 700000 G; echo; letters 300000 h; letters 100000 G; } >"$1/deep/er/huge words"
    { echo before; letters 700000 q; } >"$1/deep/er/still/ends in a huge word"
    { letters 8000 ' '; echo text; letters 187 ' '; printf '\0after'; } >"$1/text with a NUL"
    { letters 8000 ' '; echo data; letters 186 ' '; printf '\0after'; } >"$1/binary"
    printf '\0' >"$1/deep/binary too"
    for ((i = 0; i < 100; i++)); do
        random_words 20 5000 "$i" >"$1/many/$i"
    done
    ln -s . "$1/loop"
    ln -s /nowhere "$1/dangling"
    ln -s big "$1/second name"
}

# The words of the text files in a folder, one a line.
words_of() {
    local file
    while IFS= read -r -d '' file; do
        if head -c 8192 "$file" | grep -qaP '\x00'; then
            continue
        fi
        cat "$file"
        echo
    done < <(find "$1" -type f -print0) | tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sed '/^$/d'
}

# agrees NAME FOLDER ARGUMENTS...: the report of words is what tr, sort and uniq say.
agrees() {
    local name=$1 tree=$2 output
    shift 2
    output=$("$program" "$tree" "$@" 2>"$folder/stderr")
    verdict "$name: exit status 0" $?
    same "$name: nothing on stderr" '' "$(cat "$folder/stderr")"
    same "$name: the 20 commonest" "$(head -n 20 "$folder/counted")" "$(commonest "$output")"
    same "$name: words" "$(wc -l <"$folder/words")" "$(value words "$output")"
    same "$name: distinct words" "$(wc -l <"$folder/counted")" "$(value 'distinct words' "$output")"
    same "$name: identical" 'identical to one process: yes' "$(tail -n 1 <<<"$output")"
}

count_with_tools() {
    words_of "$1" >"$folder/words"
    sort "$folder/words" | uniq -c | sort -k1,1nr -k2,2 | sed 's/^ *//' >"$folder/counted"
}

tree=$folder/tree
make_tree "$tree"
count_with_tools "$tree"
agrees 'one worker' "$tree" --workers 1
agrees 'a worker a core' "$tree"
agrees 'five workers' "$tree" --workers 5
agrees 'workers are killed' "$tree" --kill 5

output=$("$program" "$tree" 2>&1)
same 'text files are counted' 108 "$(value files "$output")"
same 'binary files are counted' 2 "$(value 'binary files' "$output")"
same 'binary files are named' "    $tree/binary
    $tree/deep/binary too" "$(grep -A 2 '^binary files' <<<"$output" | tail -n 2)"
same 'links are not followed' 3 "$(value 'symbolic links' "$output")"
same 'bytes are counted' \
    "$(find "$tree" -type f ! -name 'binary*' -printf '%s\n' | awk '{ s += $1 } END { print s }')" \
    "$(value bytes "$output")"

# Ranges of a few bytes: nearly every word is cut, some many times over.
small=$folder/small
mkdir "$small"
random_words 1500 200 7 >"$small/first"
printf 'end' >"$small/second"
printf 'End' >"$small/third"
{ letters 3000 x; echo; letters 1000 y; } >"$small/long"
count_with_tools "$small"
agrees 'words are cut' "$small" --kill 100

# More words than are shown, each as often as the others.
ties=$folder/ties
mkdir "$ties"
printf '%s\n' {a..z}{a..c} {a..z} A B >"$ties/words"
count_with_tools "$ties"
agrees 'ties are in byte order' "$ties"

mkdir "$folder/empty"
output=$("$program" "$folder/empty" 2>&1)
verdict 'an empty folder is no error' $?
same 'an empty folder has no words' 0 "$(value words "$output")"

output=$("$program" "$ties/words" "$ties" 2>&1)
verdict 'a file can be given, and several names' $?
same 'what is given twice counts twice' "$((2 * $(wc -l <"$folder/words")))" \
    "$(value words "$output")"

# --- what cannot be read ---

guarded=$folder/guarded
mkdir -p "$guarded/closed"
echo words >"$guarded/open"
for ((i = 10; i < 23; i++)); do
    echo secret >"$guarded/secret$i"
    chmod 000 "$guarded/secret$i"
done
chmod 000 "$guarded/closed"
output=$(as_plain_user "$program" "$guarded" 2>&1)
verdict 'unreadable files are no error' $?
same 'unreadable files are counted' 14 "$(value 'unreadable files' "$output")"
same 'the readable file is counted' 'words' "$(commonest "$output" | sed 's/^1 //')"
grep -qF "    $guarded/closed: permission denied" <<<"$output"
verdict 'unreadable folders are named' $?
same 'ten are named' 10 "$(grep -c ': permission denied$' <<<"$output")"
grep -qF '    and 4 more' <<<"$output"
verdict 'the rest is a number' $?
chmod 700 "$guarded/closed"

# Files of sysfs say they have 4096 bytes, and have fewer.
short=/sys/kernel/mm/transparent_hugepage/enabled
if [[ -r $short ]]; then
    output=$("$program" "$short" 2>&1)
    verdict 'a file that ends too early is no error' $?
    grep -qF "    $short: became shorter" <<<"$output"
    verdict 'a file that ends too early is named' $?
    same 'a file that ends too early is not counted as read' 0 "$(value files "$output")"
fi

# --- killing ---

large=$folder/large
mkdir "$large"
for ((i = 0; i < 40; i++)); do
    ln "$tree/big" "$large/$i"
done
for ((i = 0; i < 3; i++)); do
    output=$("$program" "$large" --kill 5 2>&1)
    verdict 'killed workers: exit status 0' $?
    killed=$(sed -n 's/^\([1-5]\) workers killed, [0-5] tasks retried$/\1/p' <<<"$output")
    verdict 'killed workers are reported' "$((killed == 0))"
    # Where the machine is so busy that tasks are over before they are seen, it must say so.
    grep -q '^not 5, because' <<<"$output"
    verdict 'killed workers: fewer than wished are explained' "$(($? == (killed == 5) ? 0 : 1))"
    same 'killed workers: identical' 'identical to one process: yes' "$(tail -n 1 <<<"$output")"
    # A worker that is killed near the end may not have been replaced when the table is made.
    restarts=$(awk '/^worker /{table = 1; next} /^$/{table = 0} table {s += $NF} END {print s}' \
        <<<"$output")
    [[ $restarts -ge 1 && $restarts -le 5 ]]
    verdict 'killed workers: the table shows restarts' $?
done

# --- the terminal, and bad arguments ---

script -qec "$program $ties" /dev/null </dev/null | grep -q '\[[#.]*\] *[0-9]* %'
verdict 'a terminal sees a progress bar' $?

# refuses TEXT ARGUMENTS...: exit status 2, and stderr names what is wrong.
refuses() {
    local text=$1 output
    shift
    output=$("$program" "$@" 2>&1 >/dev/null)
    [[ $? -eq 2 && $output == *"$text"* ]]
    verdict "$* is refused" $?
}

refuses "--workers takes a number from 1 to 1024, not 'x'" --workers x
refuses "not '0'" "$ties" --workers 0
refuses "not '1025'" --workers 1025
refuses "not ''" --workers ''
refuses "not '3x'" --workers 3x
refuses "not '-1'" --kill -1
refuses "not '99999999999999999999999'" --kill 99999999999999999999999
refuses "requires an argument" "$ties" --kill
refuses "--more" --more
refuses "$folder/missing: no such file or directory" "$folder/missing"
refuses "$folder/missing: no such file or directory" "$ties" "$folder/missing"
"$program" --help | grep -q '^usage: words '
verdict 'help is printed' $?

left=0
for process in /proc/[0-9]*/exe; do
    [[ $(readlink "$process" 2>/dev/null) == "$(realpath "$program")" ]] && left=$((left + 1))
done
same 'no process is left' 0 "$left"

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
