#!/usr/bin/env bash
# guard-policy.sh: what the built-in policies do with harmless texts and with
# attacks of the development sets, in percent, and what strict would do if it
# blocked at other rates.
#
#	tests/bench/guard-policy.sh
#
# Documents are the pages of bipia that were not learned from, the sentences of
# presidio-research, and for attacks the pages with one put between their lines.
set -euo pipefail
: "${SRCDIR:?run make eval}" "${BUILDDIR:?}"
data=${AI_SHARED:-$SRCDIR/../shared}/data/guard
guard=$BUILDDIR/bin/ai-guard
[ -d "$data" ] || {
	echo "guard-policy.sh: there is no $data" >&2
	exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat "$data"/dev/*.jsonl | jq -c 'select(.label == 0) | {text: .text}' >"$work/harmless"
cat "$data"/dev/*.jsonl | jq -c 'select(.label == 1) | {text: .text}' >"$work/attacks"
awk 'NR % 4 == 0' "$data/train/bipia_ctx_train.jsonl" | jq -c '{text: .text}' >"$work/pages"
cat "$data"/pii/*.jsonl | jq -c '{text: .text}' >"$work/sentences"
node -e '
	const [pages, attacks] = process.argv.slice(1).map(f =>
		require("fs").readFileSync(f, "utf8").trim().split("\n").map(l => JSON.parse(l).text))
	let x = 7
	const pick = n => (x ^= x << 13, x ^= x >>> 17, x ^= x << 5, x >>> 0) % n
	for (const a of attacks.filter(a => a.length < 1500)) {
		const lines = pages[pick(pages.length)].split("\n")
		lines.splice(pick(lines.length + 1), 0, a)
		console.log(JSON.stringify({ text: lines.join("\n") }))
	}' "$work/pages" "$work/attacks" >"$work/hidden"

# row NAME CONTEXT FILE [OPTION...]
row() {
	local name=$1 context=$2 file=$3
	shift 3
	"$guard" -q --no-audit --context "$context" "$@" "$work/$file" |
		jq -r '(.guard // .error.guard).verdict' |
		awk -v name="$name" -v context="$context" -v file="$file" '
		{ n++; v[$1]++ }
		END {
			printf "%-12s %-9s %-10s %5d %8.2f %8.2f %8.2f\n", name,
				context, file, n, 100 * v["flag"] / n,
				100 * v["redact"] / n, 100 * v["block"] / n
		}'
}

# rows NAME [OPTION...]; blocked records are no error of this program.
rows() {
	local name=$1
	shift
	row "$name" user harmless "$@" || [ $? -eq 2 ]
	row "$name" user attacks "$@" || [ $? -eq 2 ]
	row "$name" document pages "$@" || [ $? -eq 2 ]
	row "$name" document sentences "$@" || [ $? -eq 2 ]
	row "$name" document hidden "$@" || [ $? -eq 2 ]
}

printf '%-12s %-9s %-10s %5s %8s %8s %8s\n' policy context texts n flagged \
	redacted blocked
for policy in strict balanced permissive; do
	rows $policy --policy $policy
done
echo
echo 'strict, blocking at another rate:'
for rate in .002 .005 .01 .02 .03; do
	rows "$rate" --policy strict --action injection=flag \
		--action "injection@$rate=block"
done
