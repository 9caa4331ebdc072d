#!/bin/bash
# Runs each fuzz target for SOAK seconds, or those that are named, and prints a table of what came of it.
# What fails is kept in target/soak/TARGET, with the line that tries it again.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${SOAK:-60}
# The flags of coverage and of the sanitizer are not stable; the compiler is.
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/fuzz
target=$(rustc -vV | sed -n 's/^host: //p')
command -v cargo-fuzz > /dev/null || {
    echo "cargo-fuzz is missing: run \`cargo install cargo-fuzz\`" >&2
    exit 1
}
cargo fuzz build || exit 1
failed=0
printf '%-14s %12s %10s %8s %8s %8s  %s\n' target executions a-second edges features inputs found
for name in ${*:-$(cargo fuzz list)}; do
    work=target/soak/$name
    mkdir -p "$work/corpus"
    # -close_fd_mask: what a target prints is none of the table.
    target/fuzz/"$target"/release/"$name" -artifact_prefix="$work/" -max_total_time="$seconds" \
        -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 -reload=0 \
        "$work/corpus" "fuzz/seeds/$name" > "$work/log" 2>&1
    status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$work/log")
    last=$(grep -o 'cov: [0-9]* ft: [0-9]* corp: [0-9]*' "$work/log" | tail -1)
    read -r _ edges _ features _ inputs <<< "${last:-cov: ? ft: ? corp: ?}"
    found=nothing
    if [ $status -ne 0 ]; then
        failed=1
        found=$(grep -o "$work/[a-z]*-[0-9a-f]*" "$work/log" | tail -1)
        found="FAILED: target/fuzz/$target/release/$name ${found:-(see $work/log)}"
    fi
    printf '%-14s %12s %10s %8s %8s %8s  %s\n' \
        "$name" "${runs:-?}" "${rate:-?}" "$edges" "$features" "$inputs" "$found"
done
exit $failed
