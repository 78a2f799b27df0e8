#!/usr/bin/env bats
# AWS's signatures: ours are those of AWS's own @smithy/signature-v4, and this
# comparison can fail.  The published examples are in tests/unit/sign.c.
load helper

sign() {
	need_peer @smithy/signature-v4
	need_peer @aws-crypto/sha256-js
	run --separate-stderr timeout 300 node \
		"$SRCDIR/tests/peer/sign.mjs" "$BUILDDIR/tests/stub/ai-sign" \
		1000 "${AI_TEST_SEED:-1}" "$@"
	echo "# $output" >&3
}

@test "the same signatures as @smithy/signature-v4 on random requests" {
	sign
	assert_status 0
	assert_has "$output" ': 0 wrong'
	# Hundreds of each, or nothing was compared.
	[[ $output =~ ^([0-9]+)\ requests\ \(([0-9]+)\ with\ odd\ paths,\ ([0-9]+)\ queries,\ ([0-9]+)\ bodies,\ ([0-9]+)\ tokens ]]
	for n in "${BASH_REMATCH[@]:1}"; do
		assert [ "$n" -ge 200 ]
	done
}

@test "the comparison finds a path that is encoded once only, as for S3" {
	sign s3
	assert_status 1
	refute_has "$output" ': 0 wrong'
	assert_has "$stderr" 'theirs: ["Authorization: AWS4-HMAC-SHA256'
}
