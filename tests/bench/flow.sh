#!/usr/bin/env bash
# Workflows of ai-agent: tasks a second and memory on graphs of 1,000 and 4,000
# tasks, with a model that answers at once (tests/stub/agent-model.mjs), and
# where the processor's time goes.
#
#	SRCDIR=. BUILDDIR=build tests/bench/flow.sh
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

# graph N LAYERS: tasks of which each needs two of the layer before it.
graph() {
	awk -v n="$1" -v layers="$2" 'BEGIN {
		per = int((n + layers - 1) / layers)
		printf "{\"limits\":{\"usd\":1000},\"agents\":{\"a\":{\"role\":\"A\"},\"b\":{\"role\":\"B\"}},\"tasks\":{"
		for (i = 0; i < n; i++) {
			printf "%s\"t%d\":{\"agent\":\"%s\",\"description\":\"task:one number %d", \
				i ? "," : "", i, i % 2 ? "a" : "b", i
			if (i >= per)
				printf " {{t%d}} {{t%d}}", i - per, i - per + (i % per ? 1 : 0)
			printf "\"}"
		}
		print "}}"
	}'
}

echo 'export default { one: [{ text: "done" }] };' >script.mjs
mkdir model
node "$SRCDIR/tests/stub/agent-model.mjs" model script.mjs &
server=$!
for ((i = 0; i < 200; i++)); do
	[ ! -s model/port ] || break
	sleep 0.05
done
url=http://127.0.0.1:$(cat model/port)/v1

# flow N JOBS: "seconds cpu_ms_a_task peak_kB"
flow() {
	graph "$1" 20 >flow.json
	rm -f ledger*
	local begun now t
	begun=$(date +%s%N)
	TIMEFORMAT='%U %S'
	t=$({ time /usr/bin/env time -f '%M' -o peak ai-agent flow flow.json -m m \
		--base-url "$url" --price 1,2 --ledger ledger -j "$2" x \
		>out; } 2>&1 | tail -n 1)
	now=$(date +%s%N)
	jq -e '.run.status == "done"' out >/dev/null || cat out >&2
	echo "$t" | awk -v ns=$((now - begun)) -v n="$1" -v kb="$(tail -n 1 peak)" \
		'{ printf "%.2f %.2f %d\n", ns / 1e9, 1000 * ($1 + $2) / n, kb }'
}

printf '%-34s %9s %9s %10s %9s\n' "a graph of tasks" "seconds" "tasks/s" \
	"cpu ms/t" "peak MB" "bar on two idle cores" "" 200 5 ""
for n in 1000 4000; do
	for j in 4 16; do
		read -r s cpu kb < <(flow "$n" "$j")
		printf '%-34s %9.2f %9.0f %10.2f %9.1f\n' "$n tasks, -j $j" "$s" \
			"$(calc "$n / $s")" "$cpu" "$(calc "$kb / 1024")"
		eval "peak_${n}_$j=$kb"
	done
done
# shellcheck disable=SC2154 # set by eval
must "$peak_4000_16 < 2 * $peak_1000_16 + 8192" "memory is flat"
exit "$failed"
