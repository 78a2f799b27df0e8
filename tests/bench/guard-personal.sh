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
#
# Of cards, accounts and social security numbers at least 99 % must be found, and
# at least 99 % of what is found must be one; of telephones 95 and 90.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"
data=${AI_SHARED:-$SRCDIR/../shared}/data/guard
tool=$BUILDDIR/tests/bench/guardpii
[ -d "$data" ] || {
	echo "guard-personal.sh: there is no $data" >&2
	exit 0
}
for set in large small; do
	echo "presidio_generated_$set:"
	"$tool" find "$data/pii/presidio_generated_$set.jsonl" | tee found
	while read -r label recall least; do
		must "$(awk -v l="$label" '$1 == l { print ($2 == 0 || $3 >= '"$recall"' && $5 >= '"$least"') }' found)" \
			"$label: recall $recall %, precision $least %"
	done <<-'END'
		CREDIT_CARD 99 99
		IBAN_CODE 99 99
		US_SSN 99 99
		PHONE_NUMBER 95 90
	END
	echo
done
"$tool" benign "$data"/dev/*.jsonl "$data"/train/*.jsonl
echo
printf 'speed, development sets: '
"$tool" speed "$data"/dev/*.jsonl
printf 'speed, full of personal data: '
"$tool" speed "$data/pii/presidio_generated_large.jsonl"
exit "$failed"
