#!/usr/bin/env bash
# embed.sh [TEXTS]: how many short texts ai-embed makes vectors of in a second
# of processor time, on one core: static models of 29,000 words, 256 numbers a
# row, and local/hash; and how fast vectors come out of the cache.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

command -v node >/dev/null || { echo 'embed: only with node'; exit 0; }
texts=${1:-100000}
for type in f32 f16 i8; do
	node "$SRCDIR/tests/stub/static-model.mjs" "model-$type" words=29000 \
		dim=256 "type=$type"
done
node "$SRCDIR/tests/stub/static-model.mjs" texts "$texts" >lines
tokens=$(ai-tokens -R --encoding model-f32/tokenizer.json lines |
	jq -s 'map(.tokens.count) | add / length | round')
printf '%d short texts of %d bytes, %d tokens each\n\n' "$texts" \
	$(($(stat -c %s lines) / texts)) "$tokens"

# row WHAT COMMAND...: texts in a second of processor time.
row() {
	local what=$1 cpu best=1e9
	shift
	for _ in 1 2 3; do
		read -r cpu _ < <("$measure" run lines "$@")
		best=$(awk -v a="$best" -v b="$cpu" \
			'BEGIN { print a < b ? a : b }')
	done
	per=$(awk -v n="$texts" -v s="$best" 'BEGIN { printf "%d", n / s }')
	printf '%-46s %10s\n' "$what" "$per"
}

printf '%-46s %10s\n' 'ai-embed -R -m' 'texts/CPU s'
for type in f32 f16 i8; do
	row "static model, $type, written as f32" ai-embed -R -m "model-$type"
	[ "$type" != f32 ] || static=$per
done
row 'static model, f32, written as int8' ai-embed -R -m model-f32 \
	--encoding int8
row 'local/hash' ai-embed -R
must "$static >= 100000" '100,000 short texts a second'

serve
export AI_LEDGER=$work/ledger.db
ask=(ai-embed -R --base-url "$url" -m e --price '0.0001,0' --dim 256 -j 4)
row 'a provider (of node, on this machine)' "${ask[@]}" --cache off
"${ask[@]}" --cache-size 10G lines >/dev/null
row 'the same from the cache' "${ask[@]}" --cache-size 10G
exit "$failed"
