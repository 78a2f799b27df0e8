#!/usr/bin/env bash
# cage.sh [TIMES]: what it costs to run a program in a cage, beside fork() and
# execve() alone, in turns; the middle of TIMES (300). Also as nobody, if root
# runs it. A call may cost 2 ms more, the making of its cage included.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

times=${1:-300}
cp "$BUILDDIR/tests/stub/ai-caged" caged
chmod 755 "$work" caged
printf '%-10s %5s %10s %12s %10s %10s %10s\n' 'ms' ABI 'fork+exec' \
	'with warden' 'in cage' 'more' 'to make'

# row USER ABI COMMAND...
row() {
	local user=$1 abi=$2 plain warden cage make
	shift 2
	read -r plain warden cage make < <("$@" ./caged -a "$abi" -N "$times" \
		/bin/true 2>err) || { cat err >&2; exit 1; }
	printf '%-10s %5s %10s %12s %10s %10s %10s\n' "$user" "$abi" "$plain" \
		"$warden" "$cage" "$(calc "$cage - $plain")" "$make"
	must "$cage - $plain + $make < 2" "under 2 ms a call ($user, ABI $abi)"
}

for abi in 99 2; do
	row "$(id -un)" "$abi" env
	[ "$(id -u)" -ne 0 ] || row nobody "$abi" setpriv --reuid=65534 \
		--regid=65534 --clear-groups
done
exit "$failed"
