# Reads `ctest --verbose` and prints a line a test program, all that the failed ones said, and
# the sum of their closing lines: "N passed, N failed". A program that ended badly without saying
# what failed counts as one failure.

function close_test(verdict, seconds) {
    if (verdict != "Passed" && !failed[number]) {
        failed[number] = 1
    }
    if (failed[number]) {
        printf "%s", output[number]
    } else if (!passed[number]) {
        passed[number] = 1
    }
    printf "%-28s %5d passed, %d failed  (%s s)\n", name, passed[number], failed[number], seconds
    fflush()
    passed_sum += passed[number]
    failed_sum += failed[number]
}

/^[0-9]+: / {
    number = $1 + 0
    line = $0
    sub(/^[0-9]+: /, "", line)
    if (line ~ /^[0-9]+ passed, [0-9]+ failed/) {
        split(line, word, " ")
        passed[number] += word[1]
        failed[number] += word[3]
    } else if (line ~ /^Test timeout computed to be:/) {
        output[number] = "" # all before it is how ctest starts the program
    } else {
        output[number] = output[number] "    " line "\n"
    }
    next
}

/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
    line = $0
    sub(/^ *[0-9]+\/[0-9]+ Test +#/, "", line)
    number = line + 0
    sub(/^[0-9]+: /, "", line)
    split(line, word, /[ .*]+/)
    name = word[1]
    verdict = line ~ / Passed / ? "Passed" : "Failed"
    match(line, /[0-9.]+ sec/)
    close_test(verdict, substr(line, RSTART, RLENGTH - 4) + 0)
    next
}

END {
    if (passed_sum + failed_sum == 0) {
        print "no test program has that name, or none could be started"
        exit 1
    }
    printf "%d passed, %d failed\n", passed_sum, failed_sum
    exit failed_sum > 0
}
