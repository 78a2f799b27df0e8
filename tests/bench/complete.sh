#!/usr/bin/env bash
# complete.sh [REQUESTS [ROUNDS [FACTOR]]]: what ai-complete itself costs, with
# nginx on loopback as the provider, which answers all with the same.
#
# Many requests (10000), 64 at once: CPU of the client for each, with the
# ledger and without, beside a client of libcurl that does nothing else (multi.c)
# and posts the same bytes. All take turns; what counts are the medians, and at
# most three times the bare client's. And whether the order was kept, and the
# peak of anonymous memory.
#
# One prompt: CPU of the whole process, beside curl's for the same request, and
# of one that is kept; milliseconds as in startup.sh, with FACTOR for a busy
# machine. And the syncs of each.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

requests=${1:-10000}
rounds=${2:-5}
factor=${3:-1}
runs=60
PATH=$PATH:/usr/sbin
if ! command -v nginx >/dev/null; then
	echo 'what ai-complete costs: only where nginx is (./bootstrap check)'
	exit 0
fi

# ---- the provider -------------------------------------------------------------

answer='{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"The quick brown fox jumps over the lazy dog.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}'

# A port that nobody has: it is tried until nginx can have it.
serve_canned() {
	local port i
	mkdir -p nginx
	for ((i = 0; i < 20; i++)); do
		port=$((20000 + RANDOM % 12000))
		cat >nginx/conf <<-END
			daemon off;
			master_process off;
			pid $work/nginx/pid;
			error_log $work/nginx/log;
			events { worker_connections 1024; }
			http {
				access_log off;
				client_body_temp_path $work/nginx/body;
				proxy_temp_path $work/nginx/proxy;
				fastcgi_temp_path $work/nginx/fastcgi;
				uwsgi_temp_path $work/nginx/uwsgi;
				scgi_temp_path $work/nginx/scgi;
				keepalive_requests 100000000;
				default_type application/json;
				server {
					listen 127.0.0.1:$port;
					location / { return 200 '$answer'; }
				}
			}
		END
		nginx -p "$work/nginx" -c "$work/nginx/conf" 2>nginx/said &
		server=$!
		url=http://127.0.0.1:$port/v1
		curl -s --retry 20 --retry-delay 0 --retry-connrefused \
			--retry-max-time 5 -o canned "$url" || true
		if kill -0 "$server" 2>/dev/null && [ -s canned ]; then
			return
		fi
		server=
	done
	cat nginx/said nginx/log >&2
	exit 1
}

# ---- many -----------------------------------------------------------------------

# median COLUMN FILE
median() {
	awk -v c="$1" '{ print $c }' "$2" | sort -g |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# run WHAT COMMAND...: CPU and wall seconds, appended to WHAT's.
run() {
	local what=$1
	shift
	"$measure" run in "$@" >>"run.$what" 2>err || { cat err >&2; exit 1; }
}

row() { # WHAT
	local us
	us=$(calc "$(median 1 "run.$1") * 1e6 / $requests")
	printf '%-34s %9.1f %8.2f %9.0f\n' "$1" "$us" "$(calc "$us / $bare")" \
		"$(calc "$requests / $(median 2 "run.$1")")"
	[ "$1" = bare ] || must "$us <= 3 * $bare" \
		"$1: $us us a request, $(calc "3 * $bare") at most"
}

serve_canned
seq "$requests" | awk '{ printf "{\"id\":\"r%d\",\"prompt\":\"Say what number %d is good for.\"}\n", $1, $1 }' >in
ask=(ai-complete --base-url "$url" -m m --price '1,2' --max-tokens 100)
# What ai-complete sends, to send the same.
awk '{ gsub(/.*"prompt":|}$/, "") }
	{ print "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":" $0 "}],\"max_completion_tokens\":100}" }' in >bodies

for ((round = 0; round < rounds; round++)); do
	rm -rf ledger
	run bare "$BUILDDIR/tests/bench/multi" "$url/chat/completions" 64 bodies
	run 'without the ledger' "${ask[@]}" -j 64 --ledger none
	run 'with the ledger' "${ask[@]}" -j 64 --ledger "$work/ledger/l.db"
done
printf '%-34s %9s %8s %9s\n' "$requests requests, 64 at once" 'CPU us' \
	'of bare' 'wall/s'
bare=$(calc "$(median 1 run.bare) * 1e6 / $requests")
for what in bare 'without the ledger' 'with the ledger'; do row "$what"; done

rm -rf ledger
read -r kib _ < <("$measure" mem in "${ask[@]}" -j 64 \
	--ledger "$work/ledger/l.db")
printf '%-34s %9.1f\n' 'RssAnon at most, MB' "$(calc "$kib / 1024")"
must "$kib < 32768" "it holds $kib KiB"

rm -rf ledger
"${ask[@]}" -j 64 --ledger "$work/ledger/l.db" <in >out
cut -d , -f 1 out >out.ids
cut -d , -f 1 in >in.ids
same=no
! cmp -s out.ids in.ids || same=yes
[ "$(grep -c '"completion"' out)" -eq "$requests" ] || same=no
printf '%-34s %9s\n' "all answered, in the file's order" "$same"
[ "$same" = yes ] || must 0 'some were not answered, or the order is lost'

# ---- one ------------------------------------------------------------------------

export AI_LEDGER=$work/one.db
head -n 1 in >one
head -n 1 bodies >body
kept=("${ask[@]}" --cache on)
by_curl=(curl -s -o /dev/null -H 'Content-Type: application/json' -d @body
	"$url/chat/completions")

cpu() { # COMMAND...
	"$measure" cpu 1 one "$@" 2>err || { cat err >&2; exit 1; }
}

"${ask[@]}" <one >/dev/null
"${kept[@]}" <one >/dev/null
for ((run = 0; run < runs; run++)); do
	echo "$(cpu "${by_curl[@]}") $(cpu "${ask[@]}") $(cpu "${kept[@]}")" \
		"$(cpu /bin/true) $(cpu jq --version)"
done >costs
scale=$(awk -v factor="$factor" -v true="$(median 4 costs)" \
	-v jq="$(median 5 costs)" 'BEGIN {
	print factor * (jq - true > 1.3 ? (jq - true) / 1.3 : 1) }')
curl=$(median 1 costs)
printf '\n%-34s %9s %8s\n' 'one prompt, the whole process' 'CPU ms' 'may be'
printf '%-34s %9.2f\n' curl "$curl"
one() { # WHAT COLUMN MOST
	printf '%-34s %9.2f %8.2f\n' "$1" "$(median "$2" costs)" "$3"
	must "$(median "$2" costs) <= $3" "$1 costs too much"
}
one 'ai-complete' 2 "$(calc "$curl + 10 * $scale")"
one 'ai-complete, of what is kept' 3 "$(calc "5 * $scale")"

# ---- syncs ----------------------------------------------------------------------

if ! command -v strace >/dev/null || ! strace -o trace true; then
	echo 'syncs: only where strace may trace'
	exit "$failed"
fi
printf '\n%-34s %9s %8s\n' '' fdatasync fsync
syncs() { # WHAT FDATASYNC COMMAND...
	local d f what=$1 most=$2
	shift 2
	strace -f -o trace -e trace=fdatasync,fsync "$@" <one >out 2>err ||
		{ cat err >&2; exit 1; }
	d=$(grep -c 'fdatasync(' trace || true)
	f=$(grep -c ' fsync(' trace || true)
	printf '%-34s %9d %8d\n' "$what" "$d" "$f"
	must "$d <= $most && $f == 0" "$what: $d fdatasync, $f fsync"
}
# One call in many copies the log back, which is two more; not the second of a
# new ledger.
rm -f one.db*
"${ask[@]}" <one >/dev/null
syncs 'ai-complete' 2 "${ask[@]}"
"${kept[@]}" <one >/dev/null
syncs 'ai-complete, of what is kept' 0 "${kept[@]}"
exit "$failed"
