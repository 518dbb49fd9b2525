#!/bin/sh
# first_error.sh MESSAGE COMPILER ARGUMENT...: passes where compiling fails and the first error says MESSAGE and names a
# line of the program, in at most ten lines from it to the next error.
message=$1
shift
output=$("$@" 2>&1) && { echo "it compiles"; exit 1; }
echo "$output"
first=$(echo "$output" | awk '/error:/ { n++ } n == 1')
context=$(echo "$output" | awk '/error:/ { n++ } n < 2')
[ "$(echo "$first" | wc -l)" -le 10 ] || { echo "the first error has more than ten lines"; exit 1; }
echo "$first" | grep -qF -- "$message" || { echo "the first error does not say: $message"; exit 1; }
echo "$context" | grep -qE 'misuse\.cpp:[0-9]+' || { echo "the first error names no line of the program"; exit 1; }
