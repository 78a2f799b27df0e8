#!/usr/bin/env bash
# rate.sh [SECONDS [requests|tokens]]: 64 processes that share a limit a
# minute for so long (300 if not given), judged by the clock of the server that
# they ask. All ask at once, so the burst comes first, and ask again as soon as
# they are answered, so that nothing but the limit holds them up.
#
#	most in 60 s    of all windows of 60 seconds, the fullest
#	used            what came in the first SECONDS from the first arrival
#	                on, the burst included, beside what the limit allows in
#	                that time; what comes later does not count
#	after           the same without the first minute and so the burst
#	Jain            of how often each process was served in that time
#	waiting         CPU of one more process in the same ledger, that does
#	                nothing but wait a minute for its place
#
# Tokens are those that are reserved: a request's bytes and 64, and the
# longest answer, which differs from process to process.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

seconds=${1:-300}
kind=${2:-requests}
procs=64
[ "$seconds" -ge 65 ] || { echo "rate.sh: at least 65 seconds" >&2; exit 64; }
case $kind in
requests) limit=600 each=1 ;;
tokens) limit=120000 each=230 ;; # the mean of what one takes, nearly
*) echo "rate.sh: requests or tokens" >&2; exit 64 ;;
esac
export AI_LEDGER=$work/l.db AI_PRICE=1,2
serve

# A few more than can be served in this time.
turns=$((limit * seconds / 60 / each / procs + 2))
ask() { # MODEL OPTION...: CPU and wall seconds; MODEL is the input's name too
	"$measure" run "$work/$1" ai-complete -R --base-url "$url" -m "$@"
}

ai-cost limit set '*' "--$kind" "$limit" >/dev/null
ai-cost limit set slow --requests 1 >/dev/null
seq 2 >two
seq "$turns" >many
for ((i = 0; i < procs; i++)); do
	ask many --max-tokens "$((16 + i % 32 * 4))" --system "$i" >"cpu.$i" &
	asking[i]=$!
done

# nanoseconds PID: all CPU that a process has had.
nanoseconds() {
	cat "/proc/$1"/task/*/schedstat | awk '{ n += $1 } END { print n }'
}
ai-complete -R --base-url "$url" -m slow <two >/dev/null &
slow=$!
sleep 10
before=$(nanoseconds "$slow")
sleep 45
waiting=$(calc "($(nanoseconds "$slow") - $before) / 1e6 * 60 / 45")

for pid in "${asking[@]}"; do
	wait "$pid" || must 0 "a process failed"
done
wait "$slow" || must 0 "the waiting process failed"

# A line a request: milliseconds, what it takes, whose it is.
jq -r 'select(.body.model == "many") | [.at_ms,
	if $kind == "requests" then 1 else (.headers["content-length"] |
		tonumber) + 64 + .body.max_tokens end,
	.body.messages[0].content] | @tsv' --arg kind "$kind" <"$stub/log" |
	sort -g >arrivals
read -r served late most used after jain < <(awk -v limit="$limit" \
	-v seconds="$seconds" -v procs="$procs" '
	{ at[NR] = $1; n[NR] = $2; whose[NR] = $3 }
	END {
		for (i = from = 1; i <= NR; i++) {
			for (sum += n[i]; at[i] - at[from] >= 60000; from++)
				sum -= n[from]
			most = sum > most ? sum : most
			if (at[i] - at[1] >= seconds * 1000) {
				late++
				continue
			}
			served += n[i]
			if (at[i] - at[1] >= 60000)
				after += n[i]
			turns[whose[i]]++
		}
		for (i = 0; i < procs; i++) {
			all += turns[i]
			squares += turns[i] ^ 2
		}
		printf "%d %d %d %.4f %.4f %.4f\n", served, late, most,
			served / limit / (seconds / 60),
			after / limit / (seconds / 60 - 1),
			all ^ 2 / procs / squares
	}' arrivals)
cpu=$(awk '{ cpu += $1 } END { print cpu }' cpu.*)

printf '%d processes, %d %s a minute, %d seconds\n' "$procs" "$limit" "$kind" \
	"$seconds"
printf '%8s %8s %12s %7s %7s %7s %16s %14s\n' served later 'most in 60 s' \
	used after Jain 'CPU ms a request' 'waiting ms/min'
printf '%8d %8d %12d %6.2f%% %6.2f%% %7.4f %16.2f %14.2f\n' "$served" "$late" \
	"$most" "$(calc "$used * 100")" "$(calc "$after * 100")" "$jain" \
	"$(calc "$cpu * 1000 / $(wc -l <arrivals)")" "$waiting"
must "$most <= $limit" "$most $kind in 60 s, $limit at most"
must "$used >= .95" "95 % of the limit are used"
must "$late > 0" "there is more to ask than the limit lets through"
must "$jain >= .9" "Jain's index .9"
must "$waiting <= 5" "5 ms CPU for a minute of waiting"
exit "$failed"
