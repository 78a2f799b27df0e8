#!/usr/bin/env bash
# process.sh [ROUNDS [FACTOR]]: what the ledger costs a process that makes one
# call: ai-complete with a paid call, beside the very same with --ledger none.
#
# CPU: both take turns; what counts is the medians' difference, at most 5 ms,
# which are longer on a slower machine (see startup.sh, FACTOR too). A process
# that is alone reads the ledger's log, so it is dearest when the log is full:
# the rounds go on until it has been copied back, and those with a long log
# stand in a row of their own.
#
# Syncs: a call is two fdatasync and no fsync, but for the one in many that
# copies the log back; an answer from the cache is none.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

rounds=${1:-90}
factor=${2:-1}
tool=$BUILDDIR/tests/bench/ledger
export AI_LEDGER=$work/l.db
serve
records 1 60 >tiny
paid=(ai-complete --base-url "$url" -m m --price '1,2')
unpaid=("${paid[@]}" --ledger none)

# of PART: of the numbers on stdin, the one behind so much of them.
of() {
	sort -g | awk -v part="$1" '{ v[NR] = $1 }
		END { if (NR) print v[int((NR - 1) * part) + 1] }'
}

cpu() { # COMMAND...
	"$measure" cpu 1 tiny "$@" 2>err || { cat err >&2; exit 1; }
}

# ---- CPU --------------------------------------------------------------------

"${paid[@]}" <tiny >out
for ((round = 0; round < rounds; round++)); do
	log=$(stat -c %s l.db-wal)
	without=$(cpu "${unpaid[@]}")
	with=$(cpu "${paid[@]}")
	true=$(cpu /bin/true)
	jq=$(cpu jq --version)
	echo "$without $with $log $true $jq"
done >costs
# Once it was copied back it is filled from its start and keeps its size.
awk '$3 > 3e6 && $3 > last; { last = $3 }' costs >long

column() { awk -v c="$1" '{ print $c }' "$2"; }
row() { # WHAT COLUMN FILE
	local cost
	cost=$(column "$2" "$3" | of .5)
	printf '%-34s %6d %8.2f %8.2f %10.2f\n' "$1" "$(wc -l <"$3")" \
		"$(column "$2" "$3" | of 0)" "$cost" "$(calc "$cost - $none")"
}
none=$(column 1 costs | of .5)
printf '%-34s %6s %8s %8s %10s\n' 'one call' rounds 'least ms' 'median' 'over none'
row 'ai-complete --ledger none' 1 costs
row 'ai-complete' 2 costs
[ ! -s long ] || row 'while the log is long' 2 long

scale=$(awk -v factor="$factor" -v true="$(column 4 costs | of 0)" \
	-v jq="$(column 5 costs | of 0)" 'BEGIN {
	print factor * (jq - true > 1.3 ? (jq - true) / 1.3 : 1) }')
for file in costs long; do
	[ -s "$file" ] || continue
	more=$(calc "$(column 2 "$file" | of .5) - $none")
	must "$more <= 5 * $scale" \
		"the ledger costs $more ms, $(calc "5 * $scale") at most"
done

# ---- syncs ------------------------------------------------------------------

if ! command -v strace >/dev/null || ! strace -o trace true; then
	echo 'syncs: only where strace may trace'
	exit "$failed"
fi

# syncs COMMAND...: how many fdatasync and fsync.
syncs() {
	strace -f -o trace -e trace=fdatasync,fsync "$@" <tiny >out 2>err ||
		{ cat err >&2; exit 1; }
	awk '/fdatasync\(/ { d++ } / fsync\(/ { f++ }
		END { print d + 0, f + 0 }' trace
}

printf '\n%-34s %6s %10s %8s\n' '' calls fdatasync fsync
count() { # WHAT CALLS COMMAND...: a row for each number of syncs
	local what=$1 calls=$2 i
	shift 2
	for ((i = 0; i < calls; i++)); do syncs "$@"; done >counts
	sort counts | uniq -c | sort -rn | while read -r calls d f; do
		printf '%-34s %6d %10d %8d\n' "$what" "$calls" "$d" "$f"
		what='  copying the log back, too'
	done
}
count 'ai-complete --ledger none' 1 "${unpaid[@]}"
must "$(grep -cvx '0 0' counts) == 0" "without the ledger nothing is synced"
count 'ai-complete' "$rounds" "${paid[@]}"
must "$(grep -cvx '2 0' counts) <= 1 + $rounds / 50" "a call is two syncs"
rm l.db*
count 'the first, that makes the ledger' 1 "${paid[@]}"
"$tool" keep l.db
count 'an answer from the cache' 20 "$tool" cached l.db
must "$(grep -cvx '0 0' counts) == 0" "an answer from the cache is no sync"
exit "$failed"
