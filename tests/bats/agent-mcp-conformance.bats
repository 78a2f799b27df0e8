# MCP's own conformance suite (npm's @modelcontextprotocol/conformance): all
# scenarios for clients, but those of authorization, of both frozen sets.
load helper

setup() {
	need_peer @modelcontextprotocol/conformance
	ai_setup
	export AI_DATADIR=$BUILDDIR/share/aiutils
	modules=${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules
	# It wants a newer node than distributions have.
	node22=$modules/.bin/node
	[ -x "$node22" ] || node22=node
	[ "$("$node22" -p 'Number(process.versions.node.split(".")[0]) >= 22')" = true ] ||
		missing "node 22 is not installed in tests/peer"
	suite=$modules/@modelcontextprotocol/conformance/dist/index.js
}

# scenarios REVISION: those for clients without authorization.
scenarios() {
	"$node22" "$suite" list --client --requirements "$1" |
		sed -n '/^Client/,/^$/s/^  - //p' | grep -v '^auth/'
}

# conforms REVISION COUNT: it has so many scenarios, and all pass.
conforms() {
	local scenario n=0
	for scenario in $(scenarios "$1"); do
		# Its servers would listen on all interfaces.
		run "$node22" --import "$SRCDIR/tests/stub/loopback.mjs" "$suite" \
			client --scenario "$scenario" --spec-version "$1" \
			--command "bash $SRCDIR/tests/stub/mcp-conformance.sh"
		assert_status 0
		assert_has "$output" ", 0 failed, 0 warnings"
		refute_has "$output" "Passed: 0/"
		n=$((n + 1))
	done
	assert_eq "$n" "$2"
}

@test "all of 2025-11-25" {
	conforms 2025-11-25 4
}

@test "all of 2026-07-28" {
	conforms 2026-07-28 7
}

@test "a client that does nothing does not pass" {
	run "$node22" --import "$SRCDIR/tests/stub/loopback.mjs" "$suite" client \
		--scenario tools_call --spec-version 2026-07-28 --command true
	refute_eq "$status" 0
}
