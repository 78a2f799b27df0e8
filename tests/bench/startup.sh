#!/usr/bin/env bash
# startup.sh: CPU time of a whole run on one tiny record, beside /bin/true, jq
# and curl, which are measured in between.
#
# ai-chunk, ai-tokens and ai-search may cost 3 ms more than /bin/true, ai-embed
# and ai-complete 5 ms more than "curl --version". These milliseconds are those
# of a machine on which "jq --version" costs 1.3 ms more than /bin/true; on a
# slower one they are longer in proportion.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

runs=${1:-100}
records 1 60 >tiny
make_index

cpu() { "$measure" cpu "$runs" tiny "$@" 2>err || { cat err >&2; exit 1; }; }

none=$(cpu /bin/true)
jq_cost=$(calc "$(cpu jq --version) - $none")
curl_cost=$(cpu curl --version)
scale=$(awk -v jq="$jq_cost" 'BEGIN { print (jq > 1.3 ? jq / 1.3 : 1) }')

printf '%-34s %8s %10s %10s\n' 'on one tiny record' 'CPU ms' 'over true' 'may be'
printf '%-34s %8.2f %10s %10s\n' /bin/true "$none" - -
printf '%-34s %8.2f %10.2f %10s\n' 'jq --version' "$(calc "$none + $jq_cost")" \
	"$jq_cost" -
printf '%-34s %8.2f %10.2f %10s\n' 'jq -c .' "$(cpu jq -c .)" \
	"$(calc "$(cpu jq -c .) - $none")" -
printf '%-34s %8.2f %10.2f %10s\n' 'curl --version' "$curl_cost" \
	"$(calc "$curl_cost - $none")" -
for p in ai-chunk ai-tokens ai-search ai-embed ai-complete; do
	built "$p" || continue
	case $p in
	ai-embed | ai-complete) most=$(calc "$curl_cost + 5 * $scale") ;;
	*) most=$(calc "$none + 3 * $scale") ;;
	esac
	# shellcheck disable=SC2046 # a command and its arguments
	cost=$(cpu $(filter "$p"))
	printf '%-34s %8.2f %10.2f %10.2f\n' "$(filter "$p")" "$cost" \
		"$(calc "$cost - $none")" "$(calc "$most - $none")"
	must "$cost <= $most" "$p starts in $cost ms, $most at most"
done
exit "$failed"
