#!/usr/bin/env bash
# fit-quality.sh: what vectors without a key add to words (fitquality).
#
# With the fusion that an index has for its own vectors: the model that is fitted
# on a collection must reach the figures below, and add something in samples of
# 1000 documents and more; local/words, which stands in below 400, in smaller ones.
set -euo pipefail
: "${SRCDIR:?run make eval}" "${BUILDDIR:?}"
AI_SHARED=${AI_SHARED:-$SRCDIR/../shared}
data=$AI_SHARED/data/retrieval
tool=$BUILDDIR/tests/bench/fitquality
status=0

# judge WHICH: passes a table on, and fails where a line is below its least
judge() {
	awk -v which="$1" '
	{ print }
	$1 == "cranfield" && which == "own" && $2 == 1400 &&
		($8 < .418 || $9 < .342) { bad = bad "\n" $0 }
	$1 == "vaswani" && which == "own" && $2 == 11429 &&
		($8 < .446 || $9 < .302) { bad = bad "\n" $0 }
	$2 ~ /^[0-9]+$/ && (which == "own" ? $2 >= 1000 : $2 < 400) &&
		($10 < 0 || $11 < 0) { bad = bad "\n" $0 }
	END { if (bad != "") print "too little:" bad; exit bad != "" }'
}

echo "a model of the documents' own"
"$tool" -f best -s .35 "$data/cranfield" "$data/vaswani" | judge own || status=1
echo
echo "local/words"
"$tool" -m "$SRCDIR/data/words.emb" -f best -s .3 "$data/cranfield" \
	"$data/vaswani" |
	judge words || status=1
exit "$status"
