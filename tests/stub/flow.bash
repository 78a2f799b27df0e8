# shellcheck shell=bash disable=SC2154 # $output is that of run
# A workflow, run with the scripted model of tests/stub/agent-model.mjs.
load ../stub/stub

flow_file=flow.json

teardown_file() {
	stub_stop
}

# flow ARG...: runs $flow_file.
flow() {
	run --separate-stderr ai-agent flow "$flow_file" -m m \
		--base-url "$STUB_URL" "$@"
}

field() {
	jq -c "$1" <<<"$output"
}

# asked [TASK]: how many questions the model was asked, for that task.
asked() {
	jq -s --arg t "${1-}" 'map(select(.n and ($t == "" or .task == $t))) |
		length' "$STUB/log"
}
