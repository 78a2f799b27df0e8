#!/usr/bin/env bash
# guard-personal.sh: what ai-guard finds of personal data.
#
#	tests/bench/guard-personal.sh
#
# Against labelled spans: how many labels are found at all, and with the very
# same bytes; how many findings are labelled so; of the others, how many lie
# within another label, and how many within none.  Names, addresses and
# organisations are not looked for, and of days only those of birth: the other
# days are labels that nothing can find.  Then what is found in harmless rows.
set -euo pipefail
: "${SRCDIR:?run make eval}" "${BUILDDIR:?}"
data=${AI_SHARED:-$SRCDIR/../shared}/data/guard
tool=$BUILDDIR/tests/bench/guardpii
[ -d "$data" ] || {
	echo "guard-personal.sh: there is no $data" >&2
	exit 0
}
for set in large small; do
	echo "presidio_generated_$set:"
	"$tool" find "$data/pii/presidio_generated_$set.jsonl"
	echo
done
"$tool" benign "$data"/dev/*.jsonl "$data"/train/*.jsonl
echo
printf 'speed, development sets: '
"$tool" speed "$data"/dev/*.jsonl
printf 'speed, full of personal data: '
"$tool" speed "$data/pii/presidio_generated_large.jsonl"
