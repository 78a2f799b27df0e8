#!/usr/bin/env bash
# huge.sh [MB]: ai-tokens with one file, one line and one word of so many
# megabytes (2100 if not given, more than 2^31 bytes).  Either they are counted,
# in pieces, or an error names the limit; in both cases at most 64 MB of
# anonymous memory are held.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

mb=${1:-2100}
bytes=$((mb * 1000000))
part='The shop in the old street opens at nine, and it closes again at six. '
tokens=$(printf %s "${part% }" | ai-tokens -R -s -r)

# The sentence again and again; $1 stands behind each but the last.
sentences() {
	yes "${part% }" | tr '\n' "$1" | head -c "$bytes" || [ $? = 141 ]
}

# huge NAME WANTED STATUS COMMAND...: its output must begin with what is wanted.
huge() {
	local name=$1 want=$2 status=$3 kib seconds got=0
	shift 3
	"$@" <file >out 2>err || got=$?
	must "$got == $status" "$name: status $got, not $status: $(head -c 300 err)"
	grep -qF -- "$want" out err ||
		must 0 "$name: no '$want' in: $(head -c 300 out) $(head -c 300 err)"
	read -r kib seconds < <("$measure" mem file "$@" 2>/dev/null) || true
	printf '%-40s %10.1f %8s %8s\n' "$name" "$(calc "$kib / 1024")" \
		"$seconds" "$(calc "$mb / $seconds")"
	must "$kib < 65536" "$name holds $kib KiB"
}

printf '%-40s %10s %8s %8s\n' "$mb MB" 'RssAnon MB' seconds 'MB/s'
all=$((bytes * tokens / ${#part}))
sentences '\n' >file
# The last sentence is cut off: the first digits tell.
huge 'lines, -R -s -r' "${all:0:5}" 0 ai-tokens -R -s -r
sentences ' ' >file
huge 'one line, -R -s -r' "${all:0:5}" 0 ai-tokens -R -s -r
huge 'one line, -R' "--max-line allows 16777216" 2 ai-tokens -R
huge 'one file, -R -s' "the file has $bytes bytes; --max-line allows" 2 \
	ai-tokens -R -s
{ printf '{"text":"'; sentences ' '; printf '"}'; } >file
huge 'one record' "--max-line allows 16777216" 2 ai-tokens
head -c "$bytes" /dev/zero | tr '\0' x >file
huge 'one word, -R -s -r' 'takes up to 1G' 2 ai-tokens -R -s -r
exit "$failed"
