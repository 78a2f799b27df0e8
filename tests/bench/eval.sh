#!/usr/bin/env bash
# eval.sh: retrieval quality of the real programs on judged collections.
#
#	tests/bench/eval.sh [COLLECTION...]
#
# Documents are added as they are, so that the index makes their vectors.
# Prints a line a collection and mode: name, documents, queries, mode,
# nDCG@10, MAP.  A mode below the least it must reach makes it fail.  Then the
# same of random samples, where vectors must take nothing from words; then how
# true the confidence of answers is, to the collection's own queries and to
# another's, which it cannot know (calibrate.c).  EVAL_MODES names the modes.
set -euo pipefail
: "${SRCDIR:?run make eval}" "${BUILDDIR:?}"
AI_SHARED=${AI_SHARED:-$SRCDIR/../shared}
tool=$BUILDDIR/tests/bench/evaltool
PATH=$BUILDDIR/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The least nDCG@10 and MAP of the sparse leg, and of both.
declare -A least=([cranfield]='.387 .3129' [vaswani]='.438 .2857')
declare -A least_hybrid=([cranfield]='.418 .342' [vaswani]='.446 .302')
status=0

measure() {
	local data=$1 index=$2
	shift 2
	"$tool" queries "$data/qrels.tsv" <"$data/queries.jsonl" |
		ai-search -i "$index" -k 1000 "$@" |
		"$tool" score "$data/qrels.tsv"
}

# below A B C D: whether A < C or B < D
below() {
	awk -v a="$1" -v b="$2" -v c="$3" -v d="$4" \
		'BEGIN { exit !(a < c || b < d) }'
}

# answers INDEX DATA MODE: as calibrate reads them
answers() {
	"$tool" queries "$2/qrels.tsv" <"$2/queries.jsonl" |
		ai-search -i "$1" -k 4 --mode "$3" --explain
}

modes=(sparse dense hybrid 'hybrid --fusion rrf')
[ -z "${EVAL_MODES-}" ] || read -ra modes <<<"$EVAL_MODES"
[ $# -gt 0 ] || set -- cranfield vaswani
printf '%-10s %9s %7s %-14s %8s %7s\n' collection documents queries mode \
	nDCG@10 MAP
for name; do
	data=$AI_SHARED/data/retrieval/$name
	index=$work/$name.idx
	"$tool" docs <"$data/docs.jsonl" | ai-search add -i "$index"
	documents=$(wc -l <"$data/docs.jsonl")
	for mode in "${modes[@]}"; do
		# shellcheck disable=SC2086 # a mode may bring an option
		read -r ndcg map queries < <(measure "$data" "$index" \
			--mode $mode)
		printf '%-10s %9d %7d %-14s %8s %7s\n' "$name" "$documents" \
			"$queries" "${mode/--fusion /}" "$ndcg" "$map"
		case $mode in
		sparse)
			sparse="$ndcg $map"
			# shellcheck disable=SC2086
			if below $sparse ${least[$name]:-0 0}; then
				echo "eval: $name: sparse is below ${least[$name]}" >&2
				status=1
			fi
			;;
		hybrid)
			# shellcheck disable=SC2086
			if below "$ndcg" "$map" ${least_hybrid[$name]:-$sparse}; then
				echo "eval: $name: hybrid is below ${least_hybrid[$name]:-$sparse}" >&2
				status=1
			fi
			;;
		esac
	done
done

[ -z "${EVAL_MODES-}" ] || exit "$status"
# sample NAME N SEED: prints the figures of both modes, each to its file
sample() {
	local data=$AI_SHARED/data/retrieval/$1 index=$work/sample.idx
	rm -rf "$index"
	"$tool" docs <"$data/docs.jsonl" | "$tool" sample "$2" "$3" >"$work/some"
	ai-search add -i "$index" "$work/some"
	sed 's/^{"id":"\([^"]*\)".*/\1/' "$work/some" >"$work/ids"
	awk 'NR == FNR { have[$1]; next } FNR == 1 || $2 in have' \
		"$work/ids" "$data/qrels.tsv" >"$work/qrels.tsv"
	cp "$data/queries.jsonl" "$work/"
	measure "$work" "$index" --mode sparse >>"$work/sparse"
	measure "$work" "$index" --mode hybrid >>"$work/hybrid"
}

printf '\nsamples of documents, means of %d\n' "${EVAL_SEEDS:=4}"
for name; do
	for n in 100 300 1000 3000; do
		(($(wc -l <"$AI_SHARED/data/retrieval/$name/docs.jsonl") > n)) ||
			continue
		rm -f "$work/sparse" "$work/hybrid"
		for ((seed = 1; seed <= EVAL_SEEDS; seed++)); do
			sample "$name" "$n" "$seed"
		done
		paste "$work/sparse" "$work/hybrid" | awk -v name="$name" -v n="$n" '
			{ a += $1; b += $2; q += $3; c += $4; d += $5 }
			END {
				printf "%-10s %9d %7d %-14s %8.4f %7.4f\n", name,
					n, q / NR, "sparse", a / NR, b / NR
				printf "%-10s %9d %7d %-14s %8.4f %7.4f\n", name,
					n, q / NR, "hybrid", c / NR, d / NR
				exit c < a || d < b
			}' || {
			echo "eval: $name: hybrid is below sparse in samples of $n" >&2
			status=1
		}
	done
done

# One that is left out has no other to be compared with.
[ $# -gt 1 ] || exit "$status"
for mode in hybrid sparse dense; do
	printf '\nconfidence of %s answers to own and to foreign queries\n' "$mode"
	pairs=()
	for name; do
		answers "$work/$name.idx" "$AI_SHARED/data/retrieval/$name" \
			"$mode" >"$work/$name.$mode"
		: >"$work/$name.$mode.foreign"
		for other; do
			[ "$name" = "$other" ] || answers "$work/$name.idx" \
				"$AI_SHARED/data/retrieval/$other" "$mode" \
				>>"$work/$name.$mode.foreign"
		done
		pairs+=("$name.$mode" "$name.$mode.foreign")
	done
	(cd "$work" && "$BUILDDIR/tests/bench/calibrate" "${pairs[@]}")
done
exit "$status"
