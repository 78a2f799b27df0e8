# shellcheck shell=bash disable=SC2034 # used by those that source it
# common.sh: what the benchmarks share. They run with SRCDIR and BUILDDIR set
# (make bench), print a table, and exit 1 if a ratio is not what it must be.
set -euo pipefail
: "${SRCDIR:?run make bench}" "${BUILDDIR:?}"
measure=$BUILDDIR/tests/bench/measure
PATH=$BUILDDIR/bin:$BUILDDIR/tests/stub:$PATH
work=$(mktemp -d)
server=
tidy() {
	[ -z "$server" ] || kill "$server"
	rm -rf "$work"
}
trap tidy EXIT
cd "$work"
failed=0

# calc EXPRESSION: a number with two digits.
calc() { awk "BEGIN { printf \"%.2f\", $1 }"; }

# must EXPRESSION WHAT: counts a failure unless the expression holds.
must() {
	awk "BEGIN { exit !($1) }" && return
	printf 'NOT MET: %s\n' "$2"
	failed=1
}

built() { [ -x "$BUILDDIR/bin/$1" ]; }

# A provider on loopback, tests/stub/openai.mjs: its files are in $stub, its
# base address is $url.
serve() {
	stub=$work/stub
	mkdir "$stub"
	node "$SRCDIR/tests/stub/openai.mjs" "$stub" &
	server=$!
	local i
	for ((i = 0; i < 200; i++)); do
		[ ! -s "$stub/port" ] || break
		sleep 0.05
	done
	url=http://127.0.0.1:$(cat "$stub/port")/v1
}

# N records that every filter can work on, with a text of LENGTH bytes.
records() { # N LENGTH
	awk -v n="$1" -v length_="$2" 'BEGIN {
		while (length(t) < length_)
			t = t "The quick brown fox jumps over the lazy dog, and number " length(t) " sleeps. "
		t = substr(t, 1, length_)
		for (i = 1; i <= n; i++)
			printf "{\"id\":\"r%d\",\"n\":%d.50,\"query\":\"the fox\",\"text\":\"%s\",\"hits\":[{\"rank\":1,\"id\":\"a\",\"text\":\"The fox jumps.\",\"score\":1,\"confidence\":0.9}],\"big\":123456789012345678901234567890}\n", i, i, t
	}'
}

# The filters as they are measured; ai-search needs the index idx.
filter() { # PROGRAM
	case $1 in
	ai-search) echo "ai-search -i idx" ;;
	ai-complete) echo "ai-complete -m local/extract" ;;
	ai-cost) echo "ai-cost -m gpt-4o" ;;
	*) echo "$1" ;;
	esac
}

make_index() {
	! built ai-search || records 20 100 | ai-search add -i idx -m local/hash
}
