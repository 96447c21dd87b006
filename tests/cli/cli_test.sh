#!/usr/bin/env bash
# The command-line tool beside Python's own pickle and pickletools: cli_test.sh BUILD_FOLDER
set -u
folder=$(dirname "$(realpath "$0")")
exec python3 -B "$folder/checks.py" "$(realpath "$1")/kin" "$folder/../.."
