#!/usr/bin/env bats
# What providers, gateways and their limits want beside a key: addresses,
# headers, versions, client certificates, and waiting.
load helper
load ../stub/stub

setup_file() {
	stub_start
	STUB_HOST=${STUB_URL#http://}
	STUB_HOST=${STUB_HOST%/v1}
	export STUB_HOST
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
	AI_CONFIG=$PWD/config.json
	export AI_CONFIG
	echo '{}' >config.json
}

# config NAME JSON: what the configuration says of a provider.
config() {
	printf '{"providers":{"%s":%s}}\n' "$1" "$2" >config.json
}

ask() {
	run --separate-stderr ai-complete "$@"
}

# header NAME: of each request.
header() {
	jq -r --arg h "$1" '.headers[$h] // "none"' "$STUB/log"
}

# An answer of Anthropic's.
anthropic='{"status":200,"body":{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"fine"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}}'

# ---- addresses --------------------------------------------------------------

@test "an address in the configuration; a variable goes before it" {
	config openai "{\"base_url\":\"$STUB_URL/\"}"
	ask -m openai/x hi
	assert_status 0
	OPENAI_BASE_URL=http://127.0.0.1:1/v1 ask -m openai/x --retries 0 hi
	assert_status 69
	config openai '{"base_url":"https://user:pw@x.example/v1"}'
	OPENAI_API_KEY=k ask -m openai/x hi
	assert_status 78
	refute_has "$stderr" pw
}

@test "OLLAMA_HOST as Ollama has it" {
	good='{"status":200,"body":{"model":"m","message":{"role":"assistant","content":"fine"},"done":true,"done_reason":"stop"}}'
	port=${STUB_HOST##*:}
	for host in "127.0.0.1:$port" "http://localhost:$port" "0.0.0.0:$port" \
		":$port" "http://127.0.0.1:$port/"; do
		stub_script "$good"
		OLLAMA_HOST=$host ask -m ollama/m hi
		assert_status 0
	done
	assert_eq "$(stub_log .path | sort -u)" '"/api/chat"'
	stub_script "$good"
	OLLAMA_HOST=http://127.0.0.1:$port/behind ask -m ollama/m hi
	assert_status 0
	assert_eq "$(stub_log .path | tail -n 1)" '"/behind/api/chat"'
	# Another machine, unencrypted; and a port that nobody gave.
	OLLAMA_HOST=192.0.2.1 ask -m ollama/m hi
	assert_status 77
	assert_has "$stderr" '192.0.2.1:11434'
	OLLAMA_HOST='[::1]:1' ask -m ollama/m --retries 0 hi
	assert_status 69
	OLLAMA_HOST=::1 ask -m ollama/m --retries 0 hi
	assert_status 69
	assert_has "$output" '[::1]:11434'
}

@test "Azure: with a version the deployment's paths, without one v1" {
	AZURE_OPENAI_ENDPOINT=http://$STUB_HOST
	AZURE_OPENAI_API_KEY=k-azure
	export AZURE_OPENAI_ENDPOINT AZURE_OPENAI_API_KEY
	good='{"status":200,"body":{"choices":[{"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}]}}'
	stub_script "$good" "$good" "$good" "$good" "$good"
	ask -m azure/my-gpt hi
	assert_status 0
	AZURE_OPENAI_ENDPOINT=http://$STUB_HOST/openai/v1/ ask -m azure/my-gpt hi
	assert_status 0
	AZURE_OPENAI_API_VERSION=2024-10-21 ask -m 'azure/my gpt/?' hi
	assert_status 0
	OPENAI_API_VERSION=2025-01-01-preview ask -m azure/my-gpt hi
	assert_status 0
	config azure '{"version":"2024-06-01"}'
	OPENAI_API_VERSION=2025-01-01-preview ask -m azure/my-gpt hi
	assert_status 0
	assert_eq "$(stub_log .path | tr -d '"')" "\
/openai/v1/chat/completions
/openai/v1/chat/completions
/openai/deployments/my%20gpt%2F%3F/chat/completions?api-version=2024-10-21
/openai/deployments/my-gpt/chat/completions?api-version=2025-01-01-preview
/openai/deployments/my-gpt/chat/completions?api-version=2024-06-01"
	assert_eq "$(header api-key | sort -u)" k-azure
	assert_eq "$(header authorization | sort -u)" none
	assert_eq "$(stub_log .body.model | head -n 1)" '"my-gpt"'
	# Vectors, and a token instead of a key.
	unset AZURE_OPENAI_API_KEY
	stub_reset
	AZURE_OPENAI_AD_TOKEN=t run ai-embed -m azure/my-emb --retries 0 \
		<<<'{"text":"a"}'
	assert_eq "$(stub_log '.path, .headers.authorization' | tr -d '"')" \
		$'/openai/deployments/my-emb/embeddings?api-version=2024-06-01\nBearer t'
	unset AZURE_OPENAI_ENDPOINT
	ask -m azure/my-gpt hi
	assert_status 78
	assert_has "$stderr" 'set AZURE_OPENAI_ENDPOINT'
	AZURE_OPENAI_ENDPOINT=https://x.example ask -m azure/my-gpt hi
	assert_status 77
	assert_has "$stderr" 'set AZURE_OPENAI_API_KEY'
}

@test "Azure as npm's aimock speaks it" {
	need_peer @copilotkit/aimock
	mkdir mock
	node "${AI_TEST_PEER:-$SRCDIR/tests/peer}/aimock.mjs" mock 3>&- &
	pid=$!
	for _ in $(seq 200); do
		[ -s mock/port ] && break
		sleep 0.05
	done
	AZURE_OPENAI_ENDPOINT=http://127.0.0.1:$(cat mock/port)
	AZURE_OPENAI_API_KEY=k
	export AZURE_OPENAI_ENDPOINT AZURE_OPENAI_API_KEY
	AZURE_OPENAI_API_VERSION=2024-10-21 ask -m azure/gpt -r hello
	classic=$status$output
	AZURE_OPENAI_API_VERSION=2024-10-21 ask -m azure/gpt -r --stream hello
	kill "$pid"
	assert_eq "$classic" '0Grüß dich, and hello!'
	assert_eq "$status$output" '0Grüß dich, and hello!'
}

# ---- headers ----------------------------------------------------------------

@test "Anthropic: both headers for a key, and versions" {
	ANTHROPIC_BASE_URL=$STUB_URL
	export ANTHROPIC_BASE_URL
	stub_script "$anthropic" "$anthropic" "$anthropic"
	ANTHROPIC_API_KEY=k1 ask -m anthropic/c --temperature 1 hi
	assert_status 0
	ANTHROPIC_AUTH_TOKEN=t1 ask -m anthropic/c hi
	assert_status 0
	config anthropic '{"auth":"bearer","version":"2026-10-21",
		"headers":{"anthropic-beta":"a-1,b-2"}}'
	ANTHROPIC_API_KEY=k2 ask -m anthropic/c hi
	assert_status 0
	assert_eq "$(stub_log '[.headers["x-api-key", "authorization",
		"anthropic-version", "anthropic-beta"]]')" '["k1",null,"2023-06-01",null]
[null,"Bearer t1","2023-06-01",null]
[null,"Bearer k2","2026-10-21","a-1,b-2"]'
	# This version has no sampling parameters: an error, not left out.
	for option in '--temperature 1' '--top-p 0.5'; do
		# shellcheck disable=SC2086 # two words
		ANTHROPIC_API_KEY=k2 ask -m anthropic/c $option hi
		assert_status 2
		assert_has "$output" "anthropic cannot do 't"
	done
	assert_eq "$(stub_requests)" 3
}

@test "OpenAI's organization and project" {
	OPENAI_BASE_URL=$STUB_URL OPENAI_ORG_ID=org-1 OPENAI_PROJECT_ID=p-1 \
		ask -m openai/x hi
	assert_status 0
	assert_eq "$(header openai-organization) $(header openai-project)" \
		'org-1 p-1'
	# They are no matter of other providers.
	OPENAI_ORG_ID=org-1 ask --base-url "$STUB_URL" -m x hi
	assert_status 0
	assert_eq "$(header openai-organization | tail -n 1)" none
	OPENAI_BASE_URL=$STUB_URL OPENAI_ORG_ID=$'a\r\nX: 1' ask -m openai/x hi
	assert_status 78
	assert_has "$stderr" "'OpenAI-Organization' has a control character"
}

@test "headers for a gateway, and nobody else" {
	config "$STUB_HOST" '{"headers":{"x-portkey-provider":"openai",
		"X-Portkey-Api-Key":"env:PORTKEY","user-agent":"me"},"auth":"api-key"}'
	PORTKEY='Bearer pk-secret-123456' AI_API_KEY=k \
		ask --base-url "$STUB_URL" -m x hi
	assert_status 0
	assert_eq "$(stub_log '[.headers["x-portkey-provider",
		"x-portkey-api-key", "user-agent", "api-key"]]')" \
		'["openai","Bearer pk-secret-123456","me","k"]'
	# A secret is hidden, as a key is.
	stub_script '{"status":403,"body":{"error":{"message":"no pk-secret-123456 here","type":"x","param":null,"code":null}}}'
	PORTKEY='Bearer pk-secret-123456' ask --base-url "$STUB_URL" -m x hi
	assert_status 77
	refute_has "$output$stderr" pk-sec
	ask --base-url "$STUB_URL" -m x hi
	assert_status 78
	assert_has "$stderr" 'has the value of PORTKEY, which is not set'
	# Another port is another host.
	PORTKEY=x ask --base-url http://127.0.0.1:1 -m x --retries 0 hi
	assert_status 69
	# What is for one address does not go to that of a variable.
	for what in '"headers":{"a":"b"}' '"key_command":"echo k"' \
		'"key_file":"nowhere"'; do
		config openai "{\"base_url\":\"https://gate.example/v1\",$what}"
		OPENAI_BASE_URL=$STUB_URL ask -m openai/x hi
		assert_status 78
		assert_has "$stderr" 'is for gate.example, and a variable names'
	done
	assert_eq "$(stub_requests)" 2
}

@test "headers that are none, or not ours to set" {
	local bad
	while IFS=$'\t' read -r headers bad; do
		config "$STUB_HOST" "{\"headers\":$headers}"
		EVIL=$'a\r\nX-Evil: 1' ask --base-url "$STUB_URL" -m x hi
		assert_status 78
		assert_has "$stderr" "$bad"
	done <<-'END'
	{"a":"b\r\nX-Evil: 1"}	control character
	{"a":"b\u0000c"}	control character
	{"a":"env:EVIL"}	control character
	{"a\r\nb":"c"}	is no name of a header
	{"":"c"}	is no name of a header
	{"a b":"c"}	is no name of a header
	{"a:":"c"}	is no name of a header
	{"a":""}	which is not set
	{"Authorization":"Bearer k"}	keys have places of their own
	{"x-api-key":"k"}	keys have places of their own
	{"Host":"h"}	not among those that can be set
	{"content-length":"5"}	not among those that can be set
	{"Transfer-Encoding":"chunked"}	not among those that can be set
	{"a":5}	providers
	END
	assert_eq "$(stub_requests)" 0
}

@test "a redirect gets neither key nor header" {
	config "$STUB_HOST" '{"headers":{"x-secret":"s"}}'
	stub_script "{\"status\":307,\"headers\":{\"location\":\"http://$STUB_HOST/v1/else\"},\"body\":\"\"}"
	AI_API_KEY=k ask --base-url "$STUB_URL" -m x hi
	assert_status 2
	assert_has "$output" 'redirects are not followed'
	assert_eq "$(stub_requests)" 1
}

# ---- certificates -----------------------------------------------------------

# certificate NAME [OPTION...]: NAME.key and NAME.pem, signed by ca.
certificate() {
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=$1" \
		-out "$1.csr" "${@:2}" 2>>openssl.log
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key \
		-CAcreateserial -days 2 -out "$1.pem" -copy_extensions copy \
		2>>openssl.log
}

@test "a gateway that wants a certificate" {
	need openssl
	openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem \
		-days 2 -subj /CN=ca 2>openssl.log
	certificate server -addext subjectAltName=IP:127.0.0.1
	certificate client
	cat client.pem client.key >both.pem
	openssl rsa -aes128 -passout pass:open-sesame -in client.key \
		-out locked.key 2>>openssl.log
	mkdir tls
	TLS_KEY=server.key TLS_CERT=server.pem TLS_CA=ca.pem \
		node "$SRCDIR/tests/stub/openai.mjs" tls 3>&- &
	echo $! >pid
	for _ in $(seq 200); do
		[ -s tls/port ] && break
		sleep 0.05
	done
	url=https://127.0.0.1:$(cat tls/port)
	export CURL_CA_BUNDLE=ca.pem AI_API_KEY=k AI_BASE_URL=$url AI_MODEL=m
	certificates
	kill "$(cat pid)"
}

certificates() {
	trap 'kill "$(cat pid)"' ERR
	for how in '--cert client.pem --key client.key' '--cert both.pem'; do
		# shellcheck disable=SC2086 # words
		ask $how -r hi
		assert_status 0
		assert_eq "$output" '{"echo":"hi"}'
	done
	printf '{"http":{"cert":"client.pem","key":"client.key"}}' >config.json
	ask -r hi
	assert_status 0
	echo '{}' >config.json
	AI_CERT=client.pem AI_CERT_KEY=client.key ask -r hi
	assert_status 0
	assert_eq "$(wc -l <tls/log)" 4
	AI_CERT_PASSPHRASE=open-sesame ask --cert client.pem --key locked.key hi
	assert_status 0
	assert_eq "$(wc -l <tls/log)" 5
	# A key that stays locked, files that are none.
	for pass in '' wrong; do
		AI_CERT_PASSPHRASE=$pass ask --cert client.pem --key locked.key hi
		assert_status 78
		refute_has "$output$stderr" wrong
	done
	ask --cert nowhere.pem hi
	assert_status 78
	ask --key client.key hi
	assert_status 78
	assert_has "$stderr" 'give --cert'
	# Who we are does not make the server somebody.
	CURL_CA_BUNDLE=client.pem ask --cert both.pem hi
	assert_status 69
	assert_eq "$(wc -l <tls/log)" 5
}

# refuser VERSION: asks a server of OpenSSL's that demands a certificate.
refuser() {
	openssl s_server -accept 127.0.0.1:0 -key ca.key -cert ca.pem \
		-CAfile ca.pem -Verify 1 -verify_return_error -www "$1" \
		>server.log 2>&1 3>&- &
	pid=$!
	for _ in $(seq 200); do
		grep -q '^ACCEPT' server.log && break
		sleep 0.05
	done
	url=https://$(sed -n 's/^ACCEPT //p' server.log)
	ask --base-url "$url" -m x hi
	without=$status$output
	ask --base-url "$url" -m x --cert other.pem --key other.key hi
	kill "$pid"
}

@test "no certificate, or one that nobody knows: said by the server, once" {
	need openssl
	for name in ca other; do
		openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key \
			-out $name.pem -days 2 -subj /CN=$name \
			-addext subjectAltName=IP:127.0.0.1 2>>openssl.log
	done
	export CURL_CA_BUNDLE=ca.pem AI_API_KEY=k
	for version in -tls1_3 -tls1_2; do
		rm -f server.log
		refuser "$version"
		assert_has "$without" 77
		assert_has "$without" 'maybe for want of a certificate (--cert)'
		assert_status 77
		assert_has "$output" 'and this certificate'
		assert_has "$output" 'unknown ca'
	done
}

@test "a proxy as curl has it: by the scheme, and not for what no_proxy names" {
	proxy=${STUB_URL%/v1}
	far=(ai-complete --base-url http://gateway.invalid/v1 -m m
		--insecure-http --retries 0)
	http_proxy=$proxy run --separate-stderr "${far[@]}" hi
	assert_eq "$(stub_log '[.path, .headers.host]')" \
		'["http://gateway.invalid/v1/chat/completions","gateway.invalid"]'
	all_proxy=$proxy run --separate-stderr "${far[@]}" hi
	assert_eq "$(stub_requests)" 2
	# Neither the other scheme's, nor past no_proxy; HTTP_PROXY is what a CGI
	# has from a header.
	https_proxy=$proxy run --separate-stderr "${far[@]}" hi
	assert_status 69
	HTTP_PROXY=$proxy run --separate-stderr "${far[@]}" hi
	assert_status 69
	http_proxy=$proxy no_proxy=gateway.invalid \
		run --separate-stderr "${far[@]}" hi
	assert_status 69
	assert_has "$output" 'cannot be resolved'
	assert_eq "$(stub_requests)" 2
}

@test "there is no --insecure" {
	for option in --insecure -k --no-check-certificate; do
		ask "$option" -m local/extract hi
		assert_status 64
	done
}

# ---- waiting ----------------------------------------------------------------

@test "429 without Retry-After: when the limits begin anew" {
	while IFS=$'\t' read -r headers least most; do
		stub_script "{\"status\":429,\"headers\":$headers}"
		ask --base-url "$STUB_URL" -m x --timeout 5 hi
		assert_status 75
		assert_eq "$(jq --argjson a "$least" --argjson b "$most" \
			'.error.retry_after_s | . >= $a and . <= $b' \
			<<<"$output")" true
	done <<-END
	{"x-ratelimit-reset-requests":"6m0s"}	360	360
	{"x-ratelimit-reset-requests":"8.64s","x-ratelimit-reset-tokens":"1h2m"}	3720	3720
	{"x-ratelimit-reset-requests":"1m30.5s","x-ratelimit-remaining-requests":"0","x-ratelimit-reset-tokens":"1h2m","x-ratelimit-remaining-tokens":"77"}	90.5	90.5
	{"x-ratelimit-reset-tokens":"45"}	45	45
	{"retry-after":"30","x-ratelimit-reset-tokens":"45"}	30	30
	{"retry-after-ms":"31000","retry-after":"99"}	31	31
	{"anthropic-ratelimit-tokens-reset":"$(date -ud '+100 seconds' +%FT%TZ)"}	60	101
	END
	assert_eq "$(stub_requests)" 7
	# They say nothing of other failures, and -1 says nothing at all.
	stub_script '{"status":500,"headers":{"x-ratelimit-reset-requests":"1h"}}' \
		'{"status":429,"headers":{"x-ratelimit-reset-requests":"-1","x-ratelimit-reset-tokens":"soon"}}'
	for _ in 1 2; do
		ask --base-url "$STUB_URL" -m x --retries 0 hi
		assert_eq "$(jq .error.retry_after_s <<<"$output")" null
	done
}

@test "what Gemini says in the body is heeded" {
	stub_script '{"status":429,"body":{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"77s"}]}}}'
	GOOGLE_GEMINI_BASE_URL=$STUB_URL GEMINI_API_KEY=k \
		ask -m gemini/g --timeout 5 hi
	assert_status 75
	assert_eq "$(jq .error.retry_after_s <<<"$output")" 77
	assert_eq "$(stub_requests)" 1
}
