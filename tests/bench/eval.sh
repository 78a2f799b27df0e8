#!/usr/bin/env bash
# eval.sh: retrieval quality of the real programs on judged collections.
#
#	tests/bench/eval.sh [COLLECTION...]
#
# Prints a line a collection and mode: name, documents, queries, mode,
# nDCG@10, MAP.  A mode below the least it must reach makes it fail.  Then how
# true the confidence of answers is, to the collection's own queries and to
# another's, which it cannot know (calibrate.c).  EVAL_MODES names the modes.
set -euo pipefail
: "${SRCDIR:?run make eval}" "${BUILDDIR:?}"
AI_SHARED=${AI_SHARED:-$SRCDIR/../shared}
tool=$BUILDDIR/tests/bench/evaltool
PATH=$BUILDDIR/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The least nDCG@10 and MAP of the sparse leg.
declare -A least=([cranfield]='.387 .3129' [vaswani]='.438 .2857')
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
	"$tool" docs <"$data/docs.jsonl" | ai-embed -m local/hash |
		ai-search add -i "$index"
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
			if below "$ndcg" "$map" $sparse; then
				echo "eval: $name: hybrid is below sparse" >&2
				status=1
			fi
			;;
		esac
	done
done

[ -z "${EVAL_MODES-}" ] || exit "$status"
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
