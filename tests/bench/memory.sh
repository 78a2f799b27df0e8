#!/usr/bin/env bash
# memory.sh [MB]: peak anonymous memory (RssAnon) of each filter over so many
# megabytes of records (1000 if not given), which must stay under 64 MB.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

mb=${1:-1000}
# 16 KB a record: what is measured is what is kept, not how fast it goes.
records 61 16000 >part
make_index
for ((i = 0; i < mb; i++)); do cat part; done >file

printf '%d MB of records\n' "$(($(stat -c %s file) / 1000000))"
printf '%-34s %10s %8s %8s\n' '' 'RssAnon MB' seconds 'MB/s'
for p in ai-pass ai-chunk ai-tokens ai-cost ai-embed ai-search ai-complete; do
	[ "$p" = ai-pass ] || built "$p" || continue
	command=$(filter "$p")
	# shellcheck disable=SC2086 # a command and its arguments
	read -r kib seconds < <("$measure" mem file $command 2>err) || {
		cat err
		must 0 "$p failed"
		continue
	}
	printf '%-34s %10.1f %8s %8s\n' "$command" "$(calc "$kib / 1024")" \
		"$seconds" "$(calc "$mb / $seconds")"
	must "$kib < 65536" "$p holds $kib KiB"
done
exit "$failed"
