#!/usr/bin/env bash
# serve.sh [ROUNDS]: ai-agent serve as an MCP client sees it: until the handshake
# is answered, a call (of 1000, one after the other), and calls a second when
# they are asked at once; beside npm's server-everything, whose tool gives back
# what it is given. Both take turns; the best of each counts. A call of ours goes
# through a co-process; that it takes no longer than one of theirs is checked.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

rounds=${1:-5}
export AI_DATADIR=$BUILDDIR/share/aiutils
modules=${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules/@modelcontextprotocol
everything=$modules/server-everything/dist/index.js

echo '{"text":"a batch is capped with ai-cost budget set"}' |
	ai-search add -q -i docs.idx -m local/hash >/dev/null

# best COLUMN SORT FILE
best() { cut -d ' ' -f "$1" "$3" | sort "$2" | head -n 1; }

measure() { # NAME TOOL ARGUMENTS COMMAND...
	local name=$1
	shift
	node "$SRCDIR/tests/stub/mcp-calls.mjs" 1000 "$@" >>"$name"
}

row() { # NAME
	printf '%-18s %8s %8s %8s %8s %8s\n' "$1" "$(best 1 -g "$1")" \
		"$(best 2 -g "$1")" "$(best 3 -g "$1")" "$(best 4 -g "$1")" \
		"$(best 5 -gr "$1")"
}

for ((round = 0; round < rounds; round++)); do
	measure tokens tokens '{"text":"hello"}' ai-agent serve --mcp
	measure search search '{"query":"cap a batch"}' ai-agent serve --mcp -i docs.idx
	[ ! -f "$everything" ] ||
		measure everything echo '{"message":"hello"}' node "$everything"
done
printf '%-18s %8s %8s %8s %8s %8s\n' 'ms' ready first p50 p95 'calls/s'
row tokens
row search
[ ! -f "$everything" ] || {
	row everything
	must "$(best 3 -g tokens) <= $(best 3 -g everything)" \
		"a call of ours takes longer than one of server-everything"
}
exit "$failed"
