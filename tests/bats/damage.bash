# shellcheck shell=bash
# damage.bash: bytes that are wrong, the same ones each time, and a user who
# may not do everything.

# seed [N]: which damage is done follows from this number, which is shown: a
# failure comes again with AI_TEST_SEED=N.
seed() {
	local n=${AI_TEST_SEED-${1-7}}
	RANDOM=$n
	echo "# the seed of the damage: $n" >&3
}

# garble FILE AT N: overwrites N bytes there.  (In no subshell: RANDOM would
# begin anew.)
garble() {
	local i byte bytes=
	for ((i = 0; i < $3; i++)); do
		printf -v byte '\\x%02x' "$((RANDOM % 256))"
		bytes+=$byte
	done
	printf '%b' "$bytes" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# powerless FOLDER: makes the folder, with a copy of the programs and their
# data that a user without any rights can run; as has the words for "as that
# user".  Remove the folder in teardown().
powerless() {
	mkdir -p "$1/bin"
	cp "$BUILDDIR"/bin/ai-* "$BUILDDIR/tests/stub/ai-pass" "$1/bin"
	cp -r "$BUILDDIR/share" "$1"
	chmod -R a+rX "$1"
	as=(env "HOME=$1" "XDG_CONFIG_HOME=$1" "XDG_STATE_HOME=$1" "PATH=$1/bin:$PATH")
	[ "$(id -u)" -ne 0 ] ||
		as+=(setpriv --reuid=65534 --regid=65534 --clear-groups)
}
