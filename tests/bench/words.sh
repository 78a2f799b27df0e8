#!/usr/bin/env bash
# words.sh [PASSAGES [FOLDER...]]: postings against FTS5 and npm's minisearch.
#
# 100,000 passages of this machine's manuals and documentation (or of the texts
# below other folders); 300 queries of 2 to 6 words by OR, the best 10. CPU
# times. Then, if there are as many texts, a million passages, and the best
# 10, 200 and 1000 of them.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

command -v node >/dev/null || { echo 'words: only with node'; exit 0; }
count=${1:-100000}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- /usr/share/man /usr/share/perl /usr/lib/python3* \
	/usr/share/doc /usr/include
node "$SRCDIR/tests/bench/words.mjs" passages "$count" "$@" >texts
"$BUILDDIR/tests/bench/words" texts . 10 | tee table
peer=${AI_TEST_PEER:-$SRCDIR/tests/peer}
if [ -d "$peer/node_modules/minisearch" ]; then
	AI_TEST_PEER=$peer node "$SRCDIR/tests/bench/words.mjs" minisearch \
		texts queries 10
else
	echo 'minisearch: not there'
fi
column() { # START-OF-LINE FIELD-BEHIND
	awk -v name="$1" -v field="$2" 'index($0, name) == 1 {
		for (i = 1; i < NF; i++)
			if ($i == field) { print $(i + 1); exit }
	}' table
}
ours=$(column 'ours, k = 10 ' p95)
fts=$(column 'FTS5 (porter)' p95)
speed=$(awk '/^ours: .* a second/ { print $4; exit }' table)
echo "FTS5 / ours, p95: $(calc "$fts / $ours")"
must "$ours <= 3" "p95 of $ours ms: at most 3"
must "$fts / $ours >= 8" "FTS5 takes $(calc "$fts / $ours") times as long"
must "$speed >= 60000" "$speed passages a second: at least 60000"

if [ "$count" -eq 100000 ]; then
	echo
	node "$SRCDIR/tests/bench/words.mjs" passages 1000000 "$@" \
		/usr/lib /usr/share "$peer" >texts
	"$BUILDDIR/tests/bench/words" texts . -1
fi
exit "$failed"
