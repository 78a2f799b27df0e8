#!/usr/bin/env bash
# search.sh [N [FOLDER]]: ai-search with N (1,000,000) passages of this machine's
# texts and vectors of 384 dimensions: what adding them costs, and what a query
# costs in a process of its own, by CPU time. A million takes some ten minutes
# and 7 GB of disk. FOLDER keeps what was made.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

command -v node >/dev/null || { echo 'search: only with node'; exit 0; }
n=${1:-1000000}
dim=384 queries=60
[ -z "${2:-}" ] || { mkdir -p "$2" && cd "$2"; }
[ -s texts ] || node "$SRCDIR/tests/bench/words.mjs" passages "$n" \
	/usr/share/man /usr/share/perl /usr/lib/python3* /usr/share/doc \
	/usr/include /usr/lib /usr/share >texts
[ -s query ] || "$BUILDDIR/tests/bench/vectors" make clustered "$n" $dim base \
	query $queries >made
[ -s q0.json ] || node "$SRCDIR/tests/bench/search.mjs" queries texts query \
	$dim $queries

if [ ! -e index ]; then
	node "$SRCDIR/tests/bench/search.mjs" records texts base $dim "$n" |
		/usr/bin/time -o spent -f '%U %S %M' ai-search add -i index
	awk -v n="$n" '{ printf "add: %.0f passages a CPU second, %.0f MB at most\n",
		n / ($1 + $2), $3 / 1024 }' spent
fi
ai-search stats -i index | jq -r '"index: \(.documents) documents, \(.files.words) files of words and \(.files.codes) of codes, recall \(.recall); bytes a vector: \(.bytes.codes / .vectors * 10 | round / 10) of codes; MB: \(.bytes | map_values(. / 1e6 | round) | tojson)"'

# The process of each query, CPU ms: the median and the 95th percentile.
cold() {
	for q in q*.json; do
		"$measure" cpu 3 "$q" ai-search -i index "$@"
	done | sort -n | awk -v what="$*" '{ v[NR] = $1 } END {
		printf "%-16s %6.2f %6.2f\n", what, v[int((NR + 1) / 2)],
			v[int(NR * .95)]
	}'
}
printf '%-16s %6s %6s\n' 'a cold process' 'p50 ms' 'p95 ms'
for mode in hybrid dense sparse; do
	cold --mode $mode
done
found() {
	cat q*.json | ai-search -i index --mode dense -k 10 "$@" |
		jq -c '[.hits[].id]'
}
paste <(found) <(found --exact) | awk -F '\t' '{
	gsub(/[]["]/, "")
	split($2, want, ",")
	for (i in want)
		hit += index("," $1 ",", "," want[i] ",") > 0
	all += length(want)
} END { printf "recall@10 of %d queries: %.4f\n", NR, hit / all }'
