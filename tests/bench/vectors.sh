#!/usr/bin/env bash
# vectors.sh [N [FOLDER]]: ai-search's vectors, N (200,000) of 384 dimensions:
# recall@10 beside an exact search, a cold process that opens and asks once, and
# what it costs to build, beside hnswlib, usearch and sqlite-vec. That takes some
# 15 minutes, nearly all of it for building the peers. FOLDER keeps what was made.
# Times are CPU time, the least or the lower quartile of some runs.
#
# The peers are built here when they are there: hnswlib by Debian's
# libhnswlib-dev, usearch and sqlite-vec by tests/peer (npm). What is missing is
# said, and its rows are left out.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

n=${1:-200000}
dim=384
tool=$BUILDDIR/tests/bench/vectors
modules=${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules
export VEC0=$modules/sqlite-vec-linux-x64/vec0.so
[ -z "${2:-}" ] || { mkdir -p "$2" && cd "$2"; }

# keep FILE COMMAND...: runs it unless it did so before; its output is FILE.
keep() {
	[ -s "$1" ] || { "${@:2}" >"$1.new" && mv "$1.new" "$1"; }
}

# once COMMAND...: CPU ms of a whole process; others use the machine, too.
once() {
	"$measure" cpu "$runs" /dev/null "$@"
}

for kind in clustered anisotropic; do
	mkdir -p "$kind"
	[ -s $kind.query ] ||
		"$tool" make $kind "$n" $dim $kind.base $kind.query 300
done

# "measured" is codes s with the recall measured, as a commit has it; "scored"
# the rows that a query looks at.
printf '%-13s %6s %7s %8s %9s %7s %6s %6s %6s %8s\n' "$n x $dim" 'rows s' \
	'codes s' 'measured' 'bytes/vec' 'recall' 'p50 ms' 'p95 ms' 'scored' \
	'exact ms'
for kind in clustered anisotropic; do
	read -r rows codes extra bytes _ < <("$tool" build $kind.base "$n" \
		$dim $kind)
	# The exact answers were made from the same rows.
	keep $kind.exact "$tool" truth $kind "$n" $dim $kind.query $kind.truth
	read -r recall p50 p95 scored < <("$tool" ask $kind "$n" $dim $kind.query \
		$kind.truth)
	printf '%-13s %6s %7s %8s %9s %7s %6s %6s %6s %8s\n' $kind "$rows" \
		"$codes" "$extra" "$bytes" "$recall" "$p50" "$p95" "$scored" \
		"$(cat $kind.exact)"
	must "$recall >= .99" "$kind: recall $recall, .99 at least"
	must "$bytes <= 60" "$kind: $bytes bytes a vector, 60 at most"
	all=$(calc "$rows + $extra")
	[ $kind != clustered ] || ours=$all
	must "$all * 50000 <= $n" "$kind: $all s, 4 s at most for 200,000"
done

runs=30
none=$(once /bin/true)
cold=$(once "$tool" once clustered "$n" $dim clustered.query)
printf '\n%-34s %9s %9s %7s\n' 'a process that asks once' 'CPU ms' 'ratio' \
	'bar'
printf '%-34s %9s\n%-34s %9s\n' /bin/true "$none" 'codes' "$cold"
runs=5

# row NAME BAR COMMAND...: a peer's process, and how many times ours it costs.
row() {
	local cost ratio
	cost=$(once "${@:3}")
	ratio=$(calc "$cost / $cold")
	printf '%-34s %9s %9s %7s\n' "$1" "$cost" "$ratio" "$2"
	must "$ratio >= $2" "$1: $ratio times as much, $2 at least"
}

cxx="g++ -std=c++17 -O3 -march=native"
hnsw=
if [ -e /usr/include/hnswlib/hnswlib.h ] && command -v g++ >/dev/null; then
	# shellcheck disable=SC2086 # words
	$cxx -Wno-stringop-overflow "$SRCDIR/tests/bench/vectors-hnswlib.cc" \
		-o hnsw
	keep hnsw.seconds ./hnsw build clustered.base "$n" $dim hnsw.index
	hnsw=$(cat hnsw.seconds)
	row 'hnswlib, load' 50 ./hnsw once hnsw.index "$n" $dim \
		clustered.query
else
	echo 'hnswlib: not there (apt-get install libhnswlib-dev g++)'
fi
if [ -e "$modules/usearch/c/lib.cpp" ] && command -v g++ >/dev/null &&
	command -v node >/dev/null; then
	include=$modules/usearch
	# shellcheck disable=SC2086 # words
	[ -x usearch ] || {
		$cxx -DUSEARCH_USE_NUMKONG=0 -DUSEARCH_USE_FP16LIB=0 \
			-I"$include/include" -I"$include/c" \
			-c "$include/c/lib.cpp" -o usearch-lib.o
		gcc -O2 -I"$include/c" -c \
			"$SRCDIR/tests/bench/vectors-usearch.c"
		g++ usearch-lib.o vectors-usearch.o -lpthread -o usearch
	}
	keep usearch.seconds node "$SRCDIR/tests/bench/vectors-usearch.mjs" \
		"$modules" clustered.base "$n" $dim usearch.index
	row 'usearch, view' 5 ./usearch once usearch.index "$n" $dim \
		clustered.query
else
	echo "usearch: not in $modules (npm ci in tests/peer)"
fi
if [ -e "$VEC0" ]; then
	[ -x sqlite-vec ] || gcc -O2 "$SRCDIR/tests/bench/vectors-sqlite.c" \
		-lsqlite3 -o sqlite-vec
	[ -s sqlite.seconds ] || rm -f sqlite.index
	keep sqlite.seconds ./sqlite-vec build clustered.base "$n" $dim \
		sqlite.index
	row 'sqlite-vec' 20 ./sqlite-vec once sqlite.index "$n" $dim \
		clustered.query
else
	echo "sqlite-vec: not in $modules (npm ci in tests/peer)"
fi

printf '\n%-34s %9s %9s %7s\n' 'to build' 'CPU s' 'ratio' 'bar'
printf '%-34s %9s\n' 'rows, codes and their recall' "$ours"
if [ -n "$hnsw" ]; then
	read -r recall ms < <(./hnsw ask hnsw.index "$n" $dim clustered.query \
		clustered.truth 64)
	printf '%-34s %9s %9s %7s\n' "hnswlib (ef 64: $recall, $ms ms warm)" \
		"$hnsw" "$(calc "$hnsw / $ours")" 40
	must "$hnsw >= 40 * $ours" 'built 40 times as fast as hnswlib'
	must "$recall >= .98" "hnswlib: recall $recall, .98 at least"
fi

printf '\n%-34s %9s\n' '1,000,000 x 384, one scan' 'CPU ms'
"$tool" scan 1000000 384 | while read -r name ms; do
	printf '%-34s %9s\n' "$name" "$ms"
done
exit "$failed"
