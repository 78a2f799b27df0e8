#!/usr/bin/env bash
# scan.sh: how fast tokens are counted: in a process, by instruction set; and
# as a user sees it, from the start of a process to its end.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

command -v node >/dev/null || { echo 'scan: only with node'; exit 0; }
mkdir texts
node "$SRCDIR/tests/bench/texts.mjs" texts lines
echo
for encoding in o200k_base cl100k_base; do
	"$BUILDDIR/tests/bench/scan" "$encoding" texts/* || failed=1
	echo
done

# speed BYTES COMMAND...: MB in a second of processor time.
speed() {
	local size=$1
	shift
	calc "$size / 1e3 / $("$measure" cpu 9 /dev/null "$@")"
}

printf '%-46s %8s\n' 'a process, start and end included' 'MB/CPU s'
for text in english code word runs; do
	printf '%-46s %8s\n' "ai-tokens -R -s -r $text" "$(speed \
		"$(stat -c %s "texts/$text")" ai-tokens -R -s -r "texts/$text")"
done
for _ in 1 2 3 4 5 6 7 8; do cat lines; done >many
size=$(stat -c %s many)
for jobs in 1 2; do
	read -r cpu wall < <("$measure" run many ai-tokens -j "$jobs")
	printf '%-46s %8s %8s\n' "records of 1 kB, -j $jobs: CPU, clock" \
		"$(calc "$size / 1e6 / $cpu")" "$(calc "$size / 1e6 / $wall")"
done
echo '{"text":"one short line"}' >short
ours=$("$measure" cpu 99 short ai-tokens)
true=$("$measure" cpu 99 short true)
printf '%-46s %8s\n' 'one short line, CPU ms more than true' \
	"$(calc "$ours - $true")"
exit "$failed"
