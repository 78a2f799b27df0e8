#!/usr/bin/env bash
# ledger.sh [ROUNDS [SECONDS]]: processes that hammer one ledger, each call
# reserved and booked, beside the same work where each process waits by
# SQLite's busy_timeout. Both take turns; the figures are medians.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

rounds=${1:-5}
seconds=${2:-2}
tool=$BUILDDIR/tests/bench/ledger

# median COLUMN FILE
median() {
	awk -v c="$1" '{ print $c }' "$2" | sort -g |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

printf '%-9s %5s %8s %9s %9s %11s %9s %7s %8s\n' '' 'procs' 'calls/s' \
	'p50 ms' 'p99 ms' 'by time ms' 'max ms' 'Jain' 'CPU us'
for n in 1 16 64; do
	for ((round = 0; round < rounds; round++)); do
		for how in plain queue; do
			rm -rf ledger
			"$tool" "$how" "$n" "$seconds" ledger/l.db >figures
			cat figures >>"$how.$n"
		done
	done
	for how in plain queue; do
		printf '%-9s %5d %8.0f %9.2f %9.2f %11.1f %9.1f %7.3f %8.0f\n' \
			"$how" "$n" "$(median 1 "$how.$n")" "$(median 2 "$how.$n")" \
			"$(median 3 "$how.$n")" "$(median 4 "$how.$n")" \
			"$(median 5 "$how.$n")" "$(median 6 "$how.$n")" \
			"$(median 7 "$how.$n")"
	done
	[ "$n" -gt 1 ] || continue
	must "$(median 1 "queue.$n") >= 2 * $(median 1 "plain.$n")" \
		"$n processes: twice as many calls"
	must "5 * $(median 4 "queue.$n") <= $(median 4 "plain.$n")" \
		"$n processes: a fifth of the wait, by time"
	must "$(median 6 "queue.$n") >= 0.9" "$n processes: Jain's index .9"
done
exit "$failed"
