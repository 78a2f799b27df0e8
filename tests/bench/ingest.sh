#!/usr/bin/env bash
# ingest.sh [MB [FOLDER]]: documents to an index, whole: files of 200 kB with MB
# (1040) of this machine's texts, through ai-chunk and ai-search, once with
# ai-embed between. Where there is less text, it comes again with the letters
# of its longer words changed. MB a second of the text, and CPU seconds of all
# processes. FOLDER keeps the documents.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

mb=${1:-1040}
[ -z "${2:-}" ] || { mkdir -p "$2" && cd "$2"; }

# again N: the N-th copy of a text.
again() {
	[ "$1" -gt 0 ] || exec cat
	perl -pe 'BEGIN {
		my ($n, $all) = (shift, join "", "a" .. "z");
		my $other = substr($all, $n) . substr($all, 0, $n);
		$turn = eval "sub { (my \$w = shift) =~ tr/$all/$other/; \$w }";
	} s/\b[a-z]{7,}\b/$turn->($&)/ge' "$1"
}

if [ ! -d docs ]; then
	mkdir docs
	find /usr/share/doc /usr/share/man /usr/share/perl /usr/lib/python3* \
		/usr/include -type f -size -400k 2>/dev/null | LC_ALL=C sort |
		grep -E '\.(gz|txt|html|p[lmy]|h)$|/(copyright|README[^/]*)$' |
		xargs -d '\n' zcat -f -- 2>/dev/null |
		LC_ALL=C tr -c ' -~\n' ' ' >all || true
	for ((i = 0; i * $(wc -c <all) < mb * 1000000; i++)); do
		again "$i" <all
	done | head -c "${mb}000000" |
		split -b 200000 -a 5 -d --additional-suffix=.txt - docs/ || true
	rm all
fi
mb=$(find docs -type f -printf '%s\n' | awk '{ n += $1 } END { print n / 1e6 }')

# run NAME COMMAND: prints what it took.
run() {
	rm -rf index
	sync
	TIMEFORMAT='%R %U %S'
	{ time bash -c "$2" 2>err; } 2>spent || cat err
	awk -v what="$1" -v mb="$mb" '{ printf "%-28s %7.1f %9.2f %9.1f\n",
		what, $1, mb / $1, $2 + $3 }' spent
}
printf '%.0f MB of text %27s %9s %9s\n' "$mb" 'wall s' 'MB/s' 'CPU s'
run 'chunk | add' 'ai-chunk docs | ai-search add -i index'
ai-search stats -i index | jq -r '"\(.documents) passages, \(.vectors) vectors, MB: \(.bytes | map_values(. / 1e6 | round) | tojson)"'
run 'chunk | add -m none' 'ai-chunk docs | ai-search add -i index -m none'
run 'chunk | embed | add' 'ai-chunk docs | ai-embed | ai-search add -i index'
rm -rf index
