#!/usr/bin/env bash
# eval.sh: retrieval quality of the real programs on judged collections.
#
#	tests/bench/eval.sh [COLLECTION...]
#
# Prints a line a collection and mode: name, documents, queries, mode,
# nDCG@10, MAP.  A mode below the least it must reach makes it fail.  Then how
# many queries have a confident answer, the collection's own and another's,
# which it cannot know.  EVAL_MODES names the modes.
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

# confident INDEX DATA: the share of queries
confident() {
	"$tool" queries "$2/qrels.tsv" <"$2/queries.jsonl" |
		ai-search -i "$1" -k 4 | grep -o '"confident":[a-z]*' |
		awk '/true/ { n++ } END { printf "%.0f%%", 100 * n / NR }'
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
printf '\nconfident answers, of own and of foreign queries\n'
for name; do
	for other; do
		[ "$name" = "$other" ] || printf '%-10s own %5s  %s %5s\n' "$name" \
			"$(confident "$work/$name.idx" "$AI_SHARED/data/retrieval/$name")" \
			"$other" \
			"$(confident "$work/$name.idx" "$AI_SHARED/data/retrieval/$other")"
	done
done
exit "$status"
