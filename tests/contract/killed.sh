#!/bin/bash
# killed.sh PROGRAM [KILLS [LONGEST]]: PROGRAM CHECKPOINT trains, and writes its weights to *.safetensors in its directory.
# Left alone, and killed KILLS times (5) after up to LONGEST seconds (90) and started again, it ends with the same bytes.
set -eu
program=$(realpath "$1") kills=${2:-5} longest=${3:-90}
directory=$(mktemp -d)
trap 'kill -9 $(jobs -p) 2>/dev/null || true; rm -rf "$directory"' EXIT
mkdir "$directory/alone" "$directory/killed"

cd "$directory/alone"
"$program" checkpoint > output
cd "$directory/killed"
killed=0
for _ in $(seq "$kills"); do
  "$program" checkpoint >> output &
  seconds=$((RANDOM % longest)).$((RANDOM % 10))
  sleep "$seconds"
  kill -9 $! 2>/dev/null || break  # it has come to its end
  wait $! 2>/dev/null || true
  killed=$((killed + 1))
  echo "killed after $seconds s"
done
"$program" checkpoint >> output
for weights in "$directory"/alone/*.safetensors; do cmp "$weights" "$(basename "$weights")"; done
[ "$killed" -eq "$kills" ] || { echo "it came to its end after $killed kills: take a smaller LONGEST"; exit 1; }
echo "killed $killed times, it ends with the same weights"
