# ai-embed with static models (model2vec's layout): against vectors worked out by
# hand, and with files that are damaged.
load helper

setup() {
	ai_setup
	need node
	made="$SRCDIR/tests/stub/static-model.mjs"
	export AI_TEST_PEER=${AI_TEST_PEER:-$SRCDIR/tests/peer}
	cat >texts <<-'END'
	The quick brown fox jumps over the lazy dog.
	Ça, c'est l'ÉCOLE — naïve   café!

	brun gomes stintenbrot, 12345 ... (x)
	日本語 and e̋ and ﬁ
	[CLS] a [MASK] b
	END
	node "$made" texts 40 >>texts
}

# near FILE FILE: lists of numbers, the same but for rounding.
near() {
	jq -n -e --slurpfile a "$1" --slurpfile b "$2" '
		($a | length) == ($b | length) and ([$a, $b] | transpose |
		all(transpose | all(.[0] - .[1] | fabs < 2e-6)))'
}

@test "every type of matrix, weights, shared rows: as worked out by hand" {
	need_peer tokenizers
	n=0
	for how in type=f32 type=f16 type=bf16 type=i8 'type=f32 weights=1' \
		'type=f16 weights=1 mapping=50' 'type=f32 mapping=7 dim=13'; do
		n=$((n + 1))
		# shellcheck disable=SC2086 # words
		node "$made" "m$n" words=600 seed=$n $how
		node "$made" reference "m$n" <texts >want
		ai-embed -R --numbers -m "m$n" texts >out
		jq -c .embedding out >got
		near want got || {
			echo "$how"
			false
		}
		ai-embed -R --numbers -m "m$n/model.safetensors" texts |
			jq -c .embedding | cmp - got
		ai-embed -R --numbers -m "m$n" -j 3 texts | cmp - out
	done
	# A text without a known token is zeros, as with local/hash.
	echo '語' | ai-embed -R --numbers -m m1 |
		jq -e '.embedding | all(. == 0) and length == 32'
}

@test "members, --dim, --encoding; -m as it was typed" {
	node "$made" m words=300
	echo 'brun kofe' >one
	ai-embed -R -m ./m --dim 8 --numbers one >out
	assert_eq "$(jq -c .embed out)" \
		'{"model":"./m","dim":8,"cut_from":32,"norm":"l2","cached":false}'
	jq -e '.embedding | length == 8 and
		(map(. * .) | add - 1 | fabs < 1e-6)' out
	ai-embed -R -m m --encoding int8 one | jq -e '.embed.encoding == "int8"
		and (.embedding | length) == 44'
	run --separate-stderr ai-embed -R -m m --dim 33 one
	assert_status 64
	assert_has "$stderr" "has 32 dimensions"
	# A provider's name is not taken for a folder's, nor with --base-url.
	mkdir -p openai
	mv m openai/m
	OPENAI_API_KEY='' run --separate-stderr ai-embed -R -m openai/m one
	assert_status 77
	ai-embed -R -m ./openai/m one | jq -e '.embed.dim == 32'
}

# change PROGRAM: a copy of the model whose header that jq program has changed.
change() {
	rm -rf bad
	cp -r m bad
	jq -c "$1" head.json | tr -d '\n' >head.new
	node -e '
		const fs = require("fs"), head = fs.readFileSync("head.new");
		const n = Buffer.alloc(8);
		n.writeBigUInt64LE(BigInt(head.length));
		fs.writeFileSync("bad/model.safetensors", Buffer.concat(
			[n, head, fs.readFileSync("data")]));'
}

# broken PROGRAM WORDS: and what must be said of it.
broken() {
	change "$1"
	says "$2"
}

says() {
	run --separate-stderr ai-embed -R -m bad one
	[ "$status" -eq 65 ] || [ "$status" -eq 66 ] || {
		echo "$status $output $stderr"
		false
	}
	assert_has "$stderr" "$1"
}

@test "damaged models: what is wrong with which file" {
	node "$made" m words=300 weights=1 mapping=40
	echo 'brun kofe' >one
	node -e '
		const fs = require("fs");
		const all = fs.readFileSync("m/model.safetensors");
		const n = Number(all.readBigUInt64LE());
		fs.writeFileSync("head.json", all.subarray(8, 8 + n));
		fs.writeFileSync("data", all.subarray(8 + n));'
	change .
	ai-embed -R -m bad one >/dev/null
	broken 'del(.embeddings)' 'it has no "embeddings"'
	broken '.embeddings.shape = [40, 31]' 'does not fit its bytes'
	broken '.embeddings.shape = [40]' 'does not fit its bytes'
	broken '.embeddings.shape = [1280]' 'is no matrix'
	broken '.embeddings.shape = [2, 20, 32]' 'more than two dimensions'
	broken '.embeddings.shape = [-1, 32]' 'a shape that is absurd'
	broken '.embeddings.shape = [99999999999999999999, 32]' 'absurd'
	broken '.embeddings.shape = [0, 32] | .embeddings.data_offsets = [0, 0]' \
		'is no matrix'
	broken '.embeddings.dtype = "F64" | .embeddings.shape[1] = 16' 'F32, F16'
	broken '.embeddings.dtype = "Q4_K"' 'F32, F16'
	broken 'del(.embeddings.dtype)' 'has no dtype'
	broken '.embeddings.data_offsets[1] += 4e9' 'behind the end of the file'
	broken '.embeddings.data_offsets = [9, 4]' 'data_offsets'
	broken '.embeddings = 7' 'has no dtype'
	broken '.mapping.dtype = "F64"' '"mapping" is no list of whole numbers'
	broken '.embeddings.shape = [20, 64]' 'and there are 20'
	broken '.weights.shape[0] -= 1 | .weights.data_offsets[1] -= 4' \
		'"weights" is no list of'
	broken '[.]' 'no JSON object'
	cp m/model.safetensors bad/
	truncate -s 1000 bad/model.safetensors
	says 'cut off'
	truncate -s 5 bad/model.safetensors
	says 'too short'
	: >bad/model.safetensors
	says 'no file with anything'
	printf '\377\377\377\377\377\377\377\177{}' >bad/model.safetensors
	says 'no safetensors file'
	printf '\020\0\0\0\0\0\0\0{"a":1, "b":2,,}' >bad/model.safetensors
	says 'no JSON object'
	rm bad/model.safetensors
	says 'model.safetensors'
	cp m/model.safetensors bad/
	echo '{"model_type":"bert"}' >bad/config.json
	says 'of another type'
	echo '[' >bad/config.json
	says 'no JSON object'
	rm bad/config.json
	echo '{}' >bad/tokenizer.json
	says 'tokenizer.json'
	rm bad/tokenizer.json
	says 'tokenizer.json'
}

@test "a number that is not finite is no vector: the record says so" {
	node "$made" m words=300 dim=4
	node -e '
		const fs = require("fs");
		const all = fs.readFileSync("m/model.safetensors");
		const at = 8 + Number(all.readBigUInt64LE());
		const a = JSON.parse(fs.readFileSync("m/tokenizer.json"))
			.model.vocab.a;
		all.writeFloatLE(NaN, at + 16 * a + 8);
		fs.writeFileSync("m/model.safetensors", all);'
	printf 'a\nb\n' >two
	run_sh "ai-embed -q -R -m m two | jq -c '[.error.code, .embed.dim]'"
	assert_status 2
	assert_has "$output" '[null,4]'
	assert_has "${lines[0]}" '["'
}
