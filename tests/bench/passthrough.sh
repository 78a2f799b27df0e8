#!/usr/bin/env bash
# passthrough.sh: records that a program leaves alone, against "jq -c ." on the
# same file: at least 3 times as fast, and the same bytes.
#
# ai-pass does nothing but read, check and write records. The other programs
# do the same with error records.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

count=${1:-50000}
records "$count" 200 >file
sed 's/^{/{"error":{"tool":"x","code":"y"},/' file >errors
size=$(stat -c %s file)

# speed FILE COMMAND...: MB in a second of CPU time, the best of three runs.
speed() {
	for _ in 1 2 3; do
		"$measure" run "$@"
	done | awk -v size="$size" '
		NR == 1 || $1 < best { best = $1 }
		END { printf "%.1f", size / best / 1e6 }'
}

printf '%d records, %d MB\n' "$count" "$((size / 1000000))"
printf '%-34s %8s %8s\n' 'passed through' 'MB/CPU s' 'times jq'
jq_speed=$(speed file jq -c .)
printf '%-34s %8s %8s\n' 'jq -c .' "$jq_speed" 1
row() { # INPUT COMMAND...
	local mb input=$1
	shift
	{ "$@" <"$input" || [ $? -eq 2 ]; } 2>/dev/null | cmp - "$input" ||
		must 0 "$* changes records"
	mb=$(speed "$input" "$@" 2>/dev/null)
	printf '%-34s %8s %8s\n' "$*" "$mb" "$(calc "$mb / $jq_speed")"
	must "$mb >= 3 * $jq_speed" "$* is less than 3 times as fast as jq"
}
row file ai-pass
for p in ai-chunk ai-tokens ai-embed; do
	! built "$p" || row errors "$p" -q
done
exit "$failed"
