#!/bin/sh
# What ai-agent itself costs: processor time of a start and of a turn, with all
# that it starts, and how often it waits for the disk. The model is a script.
#
#	SRCDIR=. BUILDDIR=build tests/bench/agent.sh [RUNS]
set -eu
: "${SRCDIR:=.}" "${BUILDDIR:=build}"
PATH=$BUILDDIR/bin:$PATH
runs=${1:-9}
dir=$(mktemp -d)
trap 'kill "$model" 2>/dev/null; rm -rf "$dir"' EXIT
model=
cat >"$dir/script.mjs" <<'END'
const calc = (i) => ({ calls: [{ name: 'calc',
	arguments: { expression: `${i}+1` } }] });
export default { one: [{ text: 'done' }],
	nine: [...Array(8).keys()].map(calc).concat({ text: 'done' }) };
END
node "$SRCDIR/tests/stub/agent-model.mjs" "$dir" "$dir/script.mjs" &
model=$!
while [ ! -s "$dir/port" ]; do sleep 0.05; done
url=http://127.0.0.1:$(cat "$dir/port")/v1

agent() {
	ai-agent -m m --base-url "$url" --price 1,2 --ledger "$dir/ledger" -r \
		"task:$1" >/dev/null
}

# Least milliseconds of processor time of a command, of all its processes.
least() {
	for _ in $(seq "$runs"); do
		bash -c 'TIMEFORMAT="%3U %3S"; time "$@" >/dev/null' bash "$@" \
			2>&1 | tail -n 1
	done | awk '{ t = 1000 * ($1 + $2); if (NR == 1 || t < min) min = t }
		END { printf "%.1f", min }'
}

syncs() {
	strace -f -c -e trace=fsync,fdatasync -o "$dir/syncs" \
		ai-agent -m m --base-url "$url" --price 1,2 \
		--ledger "$dir/ledger" -r "task:$1" >/dev/null
	awk '/sync/ { n += $4 } END { print n + 0 }' "$dir/syncs"
}

# Seconds, processor time and syncs of a thousand runs of a workflow, each of one
# turn, in one ai-agent.
cat >"$dir/crew.json" <<'END'
{"agents": {"a": {"with": ["none"]}}, "tasks": {"t": {"agent": "a", "description": "x"}}}
END
seq 1000 | sed 's/.*/{"task":"task:one &","run_id":"d-&"}/' >"$dir/in"
many() {
	rm -rf "$dir/many"*
	bash -c 'TIMEFORMAT="%3R %3U %3S"; time "$@" >/dev/null' bash "$@" \
		ai-agent -m m --base-url "$url" --price 1,2 --team "$dir/crew.json" \
		--ledger "$dir/many" --root R --depth 1 -j 8 --unordered \
		<"$dir/in" 2>&1 | tail -n 1
}

agent one
start=$(least ai-agent tools --ledger "$dir/ledger")
one=$(least ai-agent -m m --base-url "$url" --price 1,2 \
	--ledger "$dir/ledger" -r task:one)
nine=$(least ai-agent -m m --base-url "$url" --price 1,2 \
	--ledger "$dir/ledger" -r task:nine)
s1=$(syncs one)
s9=$(syncs nine)
thousand=$(many)
many strace -f -c -e trace=fsync,fdatasync -o "$dir/syncs" >/dev/null
sm=$(awk '/sync/ { n += $4 } END { print n + 0 }' "$dir/syncs")
awk -v start="$start" -v one="$one" -v nine="$nine" -v s1="$s1" -v s9="$s9" \
	-v thousand="$thousand" -v sm="$sm" \
	'BEGIN {
	printf "%-34s %8s %6s\n", "processor time, ms", "least", "bar"
	printf "%-34s %8.1f %6d\n", "a start (ai-agent tools)", start, 15
	printf "%-34s %8.1f\n", "a run of 1 turn, with ai-complete", one
	printf "%-34s %8.2f %6d\n", "a turn more", (nine - one) / 8, 5
	printf "%-34s %8d\n", "syncs of a run of 1 turn", s1
	printf "%-34s %8.2f\n", "syncs of a turn more", (s9 - s1) / 8
	split(thousand, t, " ")
	printf "%-34s %8.2f\n", "a run of a workflow, of 1,000, -j 8", t[2] + t[3]
	printf "%-34s %8.0f %6d\n", "  of them a second", 1000 / t[1], 200
	printf "%-34s %8.3f\n", "  syncs of each", sm / 1000
}'
