#!/usr/bin/env bash
# cost.sh [MILLIONS]: ai-cost beside ai-tokens on the same records, which it must
# do at least 0.7 times as fast, with budgets that are looked at; and --dry-run
# of so many millions of records (1), whose memory must stay under 64 MB.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

export XDG_STATE_HOME=$work/state
millions=${1:-1}
ai-cost budget set 'user:*' month 50
ai-cost budget set model:openai/gpt-4o day 1000000
ai-cost budget set all day 1000000
ai-cost limit set '*' --requests 500 --tokens 200000

# Our own manuals and sources, in texts of so many characters.
texts() { # LENGTH
	cat "$SRCDIR"/man/* "$SRCDIR"/HACKING "$SRCDIR"/lib/common/*/*.c |
		jq -Rsc --argjson n "$1" \
			'range(0; length; $n) as $i | {id: "r\($i)", text: .[$i:$i + $n]}'
}

# The least CPU time of five runs, in turns.
least() { # FILE
	for _ in 1 2 3 4 5; do
		"$measure" run "$1" ai-tokens -j 1 -m gpt-4o
		"$measure" run "$1" ai-cost -j 1 -m gpt-4o --user ada
	done | awk '{ i = NR % 2; if (NR < 3 || $1 < best[i]) best[i] = $1 }
		END { print best[1], best[0] }'
}

printf '%-26s %10s %10s %8s\n' 'CPU s' ai-tokens ai-cost times
for length in 200 1000 4000; do
	texts "$length" >once
	cat once once once once >file
	read -r t c < <(least file)
	printf '%-26s %10s %10s %8s\n' "texts of $length characters" "$t" "$c" \
		"$(calc "$t / $c")"
	must "$t >= 0.7 * $c" "ai-cost is $(calc "$t / $c") times as fast"
done

awk -v n="$((millions * 1000000))" 'BEGIN { for (i = 0; i < n; i++)
	printf "{\"id\":%d,\"text\":\"What is the capital of country number %d?\"}\n", i, i }' >file
read -r kib seconds < <("$measure" mem file \
	ai-cost --dry-run -m openai/gpt-4o-mini)
printf '%-26s %10.1f MB %8s s\n' "--dry-run, $millions million" \
	"$(calc "$kib / 1024")" "$seconds"
must "$kib < 65536" "--dry-run holds $kib KiB"
exit "$failed"
