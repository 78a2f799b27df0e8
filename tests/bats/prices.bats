#!/usr/bin/env bats
# What things cost: every rule of every price against exact rationals
# (tests/stub/prices.mjs), and that this comparison can fail.
load helper

prices() {
	AI_DATADIR=$BUILDDIR/share/aiutils run --separate-stderr node \
		"$SRCDIR/tests/stub/prices.mjs" "$@"
}

@test "every price rule against exact rationals: no bill differs" {
	need node
	seed=${AI_TEST_SEED:-1}
	prices "$BUILDDIR/tests/stub/ai-prices" \
		"$SRCDIR/data/catalog.json" "$seed" "${AI_TEST_COUNT:-8}"
	echo "# $output" >&3
	assert_status 0
	assert_has "$output" ': 0 wrong'
	# Thousands of each, or nothing was compared.
	[[ $output =~ \ ([0-9]+)\ bills.*\(([0-9]+)\ rounded.*\ ([0-9]+)\ whole,\ ([0-9]+)\ refused ]]
	for n in "${BASH_REMATCH[@]:1}"; do
		assert [ "$n" -gt 1000 ]
	done
}

@test "the comparison finds a price that is a millionth of a cent off" {
	need node jq
	jq '.models["openai/gpt-4o"].price.input = "2.500001"' \
		"$SRCDIR/data/catalog.json" >off.json
	prices "$BUILDDIR/tests/stub/ai-prices" off.json 1 8
	assert_status 1
	refute_has "$output" ': 0 wrong'
	assert_has "$stderr" '"model":"openai/gpt-4o"'
}
