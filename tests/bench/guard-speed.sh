#!/usr/bin/env bash
# guard-speed.sh [FACTOR]: what ai-guard costs with everything on: texts of 4 KB
# of this tree, as prose, code and JSON, and what AI_SHARED has of harmless texts;
# one tiny record, whole process; its memory; and its size.
#
# At least 25 MB of text a second of one core; at most 250 us for 99 of a
# hundred texts of 4 KB, 5 ms more than /bin/true to start, 16 MB of anonymous
# memory, 4 MB of program and weights. FACTOR, for a busy machine, lets times be
# longer.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

factor=${1:-1}
tool=$BUILDDIR/tests/bench/guardspeed
export AI_DATADIR=$BUILDDIR/share/aiutils

# Texts of 4 KB of the files named, in whole lines.
texts() {
	cat "$@" | jq -Rsc '[match("(?:[^\n]{0,400}\n){1,60}"; "g").string] |
		reduce .[] as $l ([""];
			if (.[-1] + $l | utf8bytelength) < 4200
			then .[-1] += $l else . + [$l] end) | .[] | {text: .}'
}
texts "$SRCDIR"/README "$SRCDIR"/HACKING "$SRCDIR"/man/*.[157] >prose
texts "$SRCDIR"/bin/*/*.c "$SRCDIR"/lib/common/*/*.c >code
texts "$SRCDIR"/data/catalog.json "$SRCDIR"/data/schema/*.json >json
sets=(prose code json)
dev=${AI_SHARED:-$SRCDIR/../shared}/data/guard/dev
if [ -d "$dev" ]; then
	cat "$dev"/{mitre_frr,arena_hard_v01,mtbench}.jsonl >harmless
	sets+=(harmless)
fi

printf '%-12s %7s %6s %8s %9s %9s %9s\n' 'everything on' texts MB MB/s \
	'median us' '99 % us' 'most us'
for set in "${sets[@]}"; do
	read -r n mb speed median high most < <("$tool" "$set")
	printf '%-12s %7s %6s %8s %9s %9s %9s\n' "$set" "$n" "$mb" "$speed" \
		"$median" "$high" "$most"
	must "$speed * $factor >= 25" "$set: $speed MB/s"
	must "$high <= 250 * $factor" "$set: $high us"
done

: >many
for _ in 1 2 3 4 5 6 7 8 9 10; do cat prose code; done >>many
read -r cpu _ < <("$measure" run many ai-guard)
printf '\n%-34s %9s\n' 'the program, records and all, MB/s' \
	"$(calc "$(stat -c %s many) / $cpu / 1e6")"
read -r kib _ < <("$measure" mem many ai-guard)
printf '%-34s %9s\n' 'RssAnon at most, MB' "$(calc "$kib / 1024")"
must "$kib <= 16384" "it holds $kib KiB"

echo '{"text":"How are you?"}' >tiny
least() { # COMMAND...
	for _ in 1 2 3 4 5; do "$measure" cpu 20 tiny "$@"; done | sort -g | head -n 1
}
none=$(least /bin/true)
start=$(least ai-guard)
printf '%-34s %9s\n' 'one tiny record, ms over /bin/true' "$(calc "$start - $none")"
must "$start - $none <= 5 * $factor" "it takes $(calc "$start - $none") ms to start"

cp "$BUILDDIR/bin/ai-guard" stripped
strip stripped
size=$(($(stat -c %s stripped) + $(stat -c %s "$SRCDIR/data/guard/weights.bin")))
printf '%-34s %9s\n' 'program and weights, MB' "$(calc "$size / 1e6")"
must "$size <= 4000000" "$size bytes"
exit "$failed"
