#!/usr/bin/env bash
# startup.sh [ROUNDS [FACTOR]]: CPU time of a whole run on one tiny record,
# beside /bin/true, jq and curl. All take turns, ten runs at a time; what
# counts is the least of a command's runs, since what is more is the machine's.
#
# ai-chunk, ai-tokens and ai-search may cost 3 ms more than /bin/true, ai-embed
# and ai-complete 5 ms more than "curl --version". These milliseconds are those
# of a machine on which "jq --version" costs 1.3 ms more than /bin/true; on a
# slower one they are longer in proportion. FACTOR, for a busy machine, lets
# them be longer still.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

rounds=${1:-12}
factor=${2:-1}
records 1 60 >tiny
make_index

commands=(/bin/true 'jq --version' 'jq -c .' 'curl --version')
for p in ai-chunk ai-tokens ai-cost ai-search ai-embed ai-complete; do
	! built "$p" || commands+=("$(filter "$p")")
done

declare -A least
for ((round = 0; round < rounds; round++)); do
	for command in "${commands[@]}"; do
		# shellcheck disable=SC2086 # a command and its arguments
		cost=$("$measure" cpu 10 tiny $command 2>err) ||
			{ cat err >&2; exit 1; }
		least[$command]=$(awk -v a="${least[$command]:-$cost}" \
			-v b="$cost" 'BEGIN { print (a < b ? a : b) }')
	done
done

none=${least[/bin/true]}
scale=$(awk -v jq="$(calc "${least['jq --version']} - $none")" \
	-v factor="$factor" 'BEGIN { print factor * (jq > 1.3 ? jq / 1.3 : 1) }')
printf '%-30s %8s %10s %10s\n' 'on one tiny record' 'CPU ms' 'over true' 'may be'
for command in "${commands[@]}"; do
	case $command in
	ai-embed | ai-complete*)
		most=$(calc "${least['curl --version']} + 5 * $scale") ;;
	ai-*) most=$(calc "$none + 3 * $scale") ;;
	*) most= ;;
	esac
	cost=${least[$command]}
	printf '%-30s %8.2f %10.2f %10s\n' "$command" "$cost" \
		"$(calc "$cost - $none")" "${most:+$(calc "$most - $none")}"
	[ -z "$most" ] || must "$cost <= $most" \
		"$command takes $cost ms, $most at most"
done
exit "$failed"
