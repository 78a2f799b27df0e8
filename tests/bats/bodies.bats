#!/usr/bin/env bats
# The requests we write are those that OpenAI's and AWS's published interfaces
# allow, as npm's ajv reads them; and this check can fail.
load helper

bodies() {
	need_peer ajv
	need_shared data/openapi/openai-openapi.json
	need_shared data/openapi/bedrock-runtime-service-2.json
	run --separate-stderr timeout 300 node "$SRCDIR/tests/peer/bodies.mjs" \
		"$1" "$AI_SHARED/data/openapi/openai-openapi.json" \
		"$AI_SHARED/data/openapi/bedrock-runtime-service-2.json" \
		2000 "${AI_TEST_SEED:-1}"
	echo "# $output" >&3
}

@test "bodies of random requests are valid" {
	bodies "$BUILDDIR/tests/stub/ai-bodies"
	assert_status 0
	assert_has "$output" ': 0 wrong'
	# Hundreds of each.
	for kind in 'openai chat' 'openai embed' 'responses chat' \
		'responses count' 'bedrock chat' 'bedrock count'; do
		[[ $output =~ ([0-9]+)\ $kind ]]
		assert [ "${BASH_REMATCH[1]}" -ge 200 ]
	done
}

@test "a body with a member of another type is found" {
	cat >spoil <<END
#!/bin/sh
"$BUILDDIR/tests/stub/ai-bodies" |
	sed 's/"temperature":0,/"temperature":"0",/'
END
	chmod +x spoil
	bodies "$PWD/spoil"
	assert_status 1
	assert_has "$stderr" temperature
}
