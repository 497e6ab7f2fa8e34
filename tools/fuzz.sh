#!/usr/bin/env bash
# tools/fuzz.sh run SECONDS WORKERS OUT [TARGET...]   fuzzes all targets at once, WORKERS processes each
# tools/fuzz.sh minimise TARGET FILE...               shrinks findings into tests/fuzz/regressions
#
# `run` leaves under OUT a folder per target (log, corpus, what was found), `stats.txt` with what each
# target did, and `corpora.tar.xz`: corpora minimised and cut to MAX_CORPUS_KIB per target. It ends
# with status 1 when anything was found. Programs come from FUZZ_BIN and seeds from FUZZ_SEEDS; these
# are `bin` and `seeds` beside this script where they exist, so that a folder with the three can be
# taken to another machine, and else the build of the preset `fuzz` and build/fuzz-seeds.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$here")
bin=${FUZZ_BIN:-$here/bin}
seeds=${FUZZ_SEEDS:-$here/seeds}
[[ -d $bin ]] || bin=$repository/build/fuzz/tests/fuzz
[[ -d $seeds ]] || seeds=$repository/build/fuzz-seeds
max_corpus_kib=${MAX_CORPUS_KIB:-1200}

declare -A max_len=(
  [annex_b]=4096 [avcc]=2048 [sps]=512 [pps]=1024 [slice_header]=1024 [nal_sequence]=16384
  [byte_stream]=16384 [fields]=12288 [file]=49152
  [h265_vps]=512 [h265_sps]=512 [h265_pps]=1024 [h265_slice_header]=1024
  [h265_nal_sequence]=16384 [h265_byte_stream]=16384
)
# A second of work and half a gigabyte are far more than inputs of these sizes deserve.
limits=(-timeout=10 -report_slow_units=5 -rss_limit_mb=1536 -malloc_limit_mb=512)

# Sanitizers of older compilers start only without address randomisation as wide as newer kernels have.
launch=(setarch "$(uname -m)" -R)
"${launch[@]}" true 2>/dev/null || launch=()

usage() {
  sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

fuzz_target() { # TARGET SECONDS WORKERS OUT
  local target=$1 folder=$4/$1
  mkdir -p "$folder/corpus" "$folder/found"
  "${launch[@]}" "$bin/${target}_fuzzer" -fork="$3" -ignore_crashes=1 -ignore_ooms=1 -ignore_timeouts=1 \
    "${limits[@]}" -max_len="${max_len[$target]}" -max_total_time="$2" \
    -artifact_prefix="$folder/found/" "$folder/corpus" "$seeds/$target" >"$folder/log" 2>&1
}

# The smallest inputs that cover what all of them cover, and what they cover.
minimise_corpus() { # TARGET OUT
  local target=$1 folder=$2/$1
  rm -rf "$folder/minimised"
  mkdir -p "$folder/minimised"
  "${launch[@]}" "$bin/${target}_fuzzer" -merge=1 "${limits[@]}" -max_len="${max_len[$target]}" \
    -artifact_prefix="$folder/found/" \
    "$folder/minimised" "$folder/corpus" "$seeds/$target" >"$folder/merge.log" 2>&1
  "${launch[@]}" "$bin/${target}_fuzzer" -runs=0 "${limits[@]}" -max_len="${max_len[$target]}" \
    -artifact_prefix="$folder/found/" "$folder/minimised" >"$folder/coverage.log" 2>&1
}

write_stats() { # TARGET SECONDS WORKERS OUT
  local folder=$4/$1 last executions edges counters inputs found
  last=$(grep -E '^#[0-9]+: cov' "$folder/log" | tail -n 1)
  executions=$(sed -E 's/^#([0-9]+):.*/\1/' <<<"$last")
  counters=$(sed -nE 's/.*\(([0-9]+) inline 8-bit counters.*/\1/p' "$folder/coverage.log" | head -n 1)
  edges=$(grep -oE ' cov: [0-9]+' "$folder/coverage.log" | tail -n 1 | grep -oE '[0-9]+')
  inputs=$(find "$folder/minimised" -type f | wc -l)
  found=$(find "$folder/found" -type f | wc -l)
  printf '%-17s %4s x %-6s %12s %7s of %-7s %7s %7s   %s\n' "$1" "$3" "$2 s" "${executions:-?}" \
    "${edges:-?}" "${counters:-?}" "$inputs" "$found" \
    "$(sed -nE 's/.*(oom\/timeout\/crash: [0-9/]+).*/\1/p' <<<"$last")"
}

run() {
  (($# >= 3)) || usage
  local seconds=$1 workers=$2 out=$3 target
  shift 3
  local targets=("$@")
  ((${#targets[@]} > 0)) || targets=("${!max_len[@]}")
  [[ -d $seeds ]] || python3 "$here/make_fuzz_seeds.py" "$seeds" || exit 1
  mkdir -p "$out"
  out=$(cd "$out" && pwd)
  for target in "${targets[@]}"; do fuzz_target "$target" "$seconds" "$workers" "$out" & done
  wait
  for target in "${targets[@]}"; do minimise_corpus "$target" "$out" & done
  wait
  {
    printf '%-17s %-13s %12s %-18s %7s %7s\n' target processes executions 'edges covered' inputs found
    for target in "${targets[@]}"; do write_stats "$target" "$seconds" "$workers" "$out"; done | sort
  } | tee "$out/stats.txt"
  rm -rf "$out/corpora"
  for target in "${targets[@]}"; do
    mkdir -p "$out/corpora/$target"
    find "$out/$target/minimised" -type f -printf '%s %p\n' | sort -n |
      awk -v max="$max_corpus_kib" '{ sum += $1; if (sum > max * 1024) exit; print $2 }' |
      xargs -r cp -t "$out/corpora/$target"
  done
  tar -cJf "$out/corpora.tar.xz" -C "$out" corpora
  rm -rf "$out/corpora"
  [[ -z $(find "$out"/*/found -type f -print -quit) ]]
}

minimise() {
  (($# >= 2)) || usage
  local target=$1 file folder=$repository/tests/fuzz/regressions/$1
  shift
  mkdir -p "$folder"
  for file in "$@"; do
    "${launch[@]}" "$bin/${target}_fuzzer" -minimize_crash=1 -runs=200000 -max_total_time=60 "${limits[@]}" \
      -exact_artifact_path="$folder/$(basename "$file")" "$file" 2>&1 | grep -E '^(CRASH|SUMMARY)'
  done
}

case ${1:-} in
  run | minimise) "$@" ;;
  *) usage ;;
esac
