#!/usr/bin/env bash
# mcp.sh [ROUNDS]: how long an MCP server takes to be ready for calls (started,
# shaken hands with, its tools listed), beside the very same handshake by a
# client that does nothing else with what it reads (tests/stub/mcp-wait.mjs):
# what is over that is ours, at most 50 ms. Both take turns, and the least of
# each counts. Four servers at once show that they are started side by side.
# Over HTTP there is no start.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

rounds=${1:-15}
export AI_DATADIR=$BUILDDIR/share/aiutils
modules=${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules/@modelcontextprotocol

least() { sort -g | head -n 1; }

# entries N SCRIPT [ARG...]: a tools file with N servers of the kind.
entries() {
	jq -n --argjson n "$1" '{mcpServers: ([range($n)] | map({key: "s\(.)",
		value: {command: "node", args: $ARGS.positional}}) | from_entries)}' \
		--args "${@:2}" >"tools$1.json"
}

# ours FILE: ready after so much, and the processor's time of ours in it.
ours() {
	ai-mcp -t "$1" </dev/null 2>err | jq -r 'select(.ready_ms) |
		"\(.ready_ms) \(.cpu_ms)"'
}

row() { # NAME SCRIPT [ARG...]
	local name=$1 round alone one four cpu
	shift
	[ -f "$1" ] || return 0
	entries 1 "$@"
	entries 4 "$@"
	: >alone && : >one && : >four
	for ((round = 0; round < rounds; round++)); do
		node "$SRCDIR/tests/stub/mcp-wait.mjs" node "$@" >>alone
		ours tools1.json >>one
		ours tools4.json >>four
	done
	alone=$(least <alone)
	one=$(cut -d ' ' -f 1 one | least) cpu=$(cut -d ' ' -f 2 one | least)
	four=$(cut -d ' ' -f 1 four | least)
	printf '%-20s %10.1f %10.1f %10.1f %10.2f %10.1f\n' "$name" "$alone" \
		"$one" "$(calc "$one - $alone")" "$cpu" "$four"
	must "$one - $alone <= 50" "$name: $one ms, $alone of them the server's"
}

# A server that runs already: all that is waited for is ours and the network's.
over_http() { # NAME MODE
	local round pid
	[ -d "$2" ] || mkdir "$2"
	rm -f "$2/port"
	node "$SRCDIR/tests/stub/mcp-http.mjs" "$2" "$2" &
	pid=$!
	until [ -s "$2/port" ]; do sleep 0.05; done
	jq -n --arg url "http://127.0.0.1:$(cat "$2/port")/" \
		'{mcpServers: {s: {url: $url}}}' >http.json
	: >one
	for ((round = 0; round < rounds; round++)); do
		ours http.json >>one
	done
	kill "$pid"
	printf '%-20s %10s %10.1f %10s %10.2f\n' "$1" - \
		"$(cut -d ' ' -f 1 one | least)" - "$(cut -d ' ' -f 2 one | least)"
}

printf '%-20s %10s %10s %10s %10s %10s\n' 'ready, least ms' 'the server' \
	'ai-agent' 'over it' 'our CPU' 'four'
row mcp-bad.mjs "$SRCDIR/tests/stub/mcp-bad.mjs" good
row server-everything "$modules/server-everything/dist/index.js"
row server-filesystem "$modules/server-filesystem/dist/index.js" "$PWD"
row server-memory "$modules/server-memory/dist/index.js"
row sequential-thinking "$modules/server-sequential-thinking/dist/index.js"
over_http 'mcp-http, 2025-11-25' legacy
over_http 'mcp-http, 2026-07-28' modern
exit "$failed"
