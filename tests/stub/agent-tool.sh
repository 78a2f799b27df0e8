#!/bin/sh
# agent-tool.sh DIR HOW...: a tool for tests; where it has an effect, its
# arguments, JSON, are read from standard input.
#   agent-tool.sh DIR effect NAME   appends {"tool":NAME,"args":...} to DIR/effects
#   agent-tool.sh DIR fetch NAME KEY   does that and the next
#   agent-tool.sh DIR read KEY      prints the file of DIR/data that KEY names
effect() {
	args=$(cat)
	printf '{"tool":"%s","args":%s}\n' "$2" "$args" >>"$1/effects"
}

read_data() {
	cat "$1/data/$(printf %s "$2" | tr -c 'a-zA-Z0-9' _)"
}

case $2 in
effect) effect "$1" "$3" && echo 'done' ;;
fetch) effect "$1" "$3" && read_data "$1" "$4" ;;
read) read_data "$1" "$3" ;;
esac
