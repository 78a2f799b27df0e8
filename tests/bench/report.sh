#!/usr/bin/env bash
# report.sh [CALLS]: reports and metrics of a ledger with many calls (5 million
# are 10 million transfers), and of one with 100,000 runs or users: seconds, and
# the anonymous memory that they take.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

calls=${1:-5000000}
fill=$BUILDDIR/tests/bench/report

# one NAME LEDGER WORDS...: a report's line of the table, and whether it will do.
one() {
	local name=$1 ledger=$2 seconds kilobytes
	shift 2
	for _ in 1 2 3; do
		"$measure" mem /dev/null ai-cost --ledger "$ledger" report \
			"$@" 2>/dev/null >>figures
	done
	# The quickest: others use the machine, too.
	read -r kilobytes seconds < <(sort -k 2 -n figures)
	rm figures
	printf '%-34s %8s %10s\n' "$name" "$seconds" "$kilobytes"
	must "$seconds < 1" "$name: under a second"
	must "$kilobytes < 65536" "$name: under 64 MB"
}

printf '%-34s %8s %10s\n' "$((2 * calls)) transfers" 'seconds' 'kB'
"$fill" ten.db "$calls" 0 0 365
for by in hour day month model tool provider tenant user project experiment arm \
	run key; do
	one "--by $by" ten.db --by "$by"
done
one '--by model --since 30d' ten.db --by model --since 30d
one '--format html' ten.db --format html
ms=$("$measure" cpu 9 /dev/null ai-cost --ledger ten.db metrics)
printf '%-34s %8s\n' 'metrics, CPU ms' "$ms"
must "$ms < 20" 'metrics: under 20 ms'
"$fill" runs.db $((calls / 10)) 100000 0 60
one '100,000 runs: --by run' runs.db --by run --format csv
one '100,000 runs: --by run, table' runs.db --by run --format table
one '100,000 runs: --by day' runs.db --by day
"$fill" users.db $((calls / 10)) 0 100000 60
one '100,000 users: --by user' users.db --by user --format csv
one '100,000 users: --by day' users.db --by day
ai-cost --ledger runs.db ledger check
exit "$failed"
