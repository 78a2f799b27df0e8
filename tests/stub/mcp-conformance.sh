#!/usr/bin/env bash
# mcp-conformance.sh URL: does what the scenario of MCP's conformance suite
# (MCP_CONFORMANCE_SCENARIO) wants a client to do, as a person would with
# "ai-agent mcp".
set -e
url=$1

mcp() {
	ai-agent mcp "$@" --server "$url"
}

case $MCP_CONFORMANCE_SCENARIO in
initialize | request-metadata | json-schema-ref-no-deref)
	mcp list
	;;
tools_call)
	mcp list
	mcp call add_numbers '{"a":5,"b":3}'
	;;
elicitation-sep1034-client-defaults)
	mcp call test_client_elicitation_defaults --answer '{}'
	;;
sse-retry)
	mcp call test_reconnection
	;;
sep-2322-client-request-state)
	for tool in echo_state no_state unrelated no_result_type; do
		mcp call "test_mrtr_$tool" --answer '{"confirmed":true}'
	done
	;;
http-standard-headers)
	mcp list
	mcp call test_headers
	mcp call my-hyphenated-tool
	mcp read 'file:///path/to/file%20name.txt'
	mcp prompt test_prompt
	;;
http-custom-headers)
	jq -c '.toolCalls[]' <<<"$MCP_CONFORMANCE_CONTEXT" | while read -r call; do
		mcp call "$(jq -r .name <<<"$call")" "$(jq -c .arguments <<<"$call")"
	done
	;;
http-invalid-tool-headers)
	mcp list | jq -r 'select(.kind == "tool").name' | while read -r tool; do
		mcp call "$tool" '{"region":"x"}'
	done
	;;
*)
	echo "no such scenario: $MCP_CONFORMANCE_SCENARIO" >&2
	exit 1
	;;
esac
