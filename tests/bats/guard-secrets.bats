#!/usr/bin/env bats
# ai-guard: keys, tokens and passwords.
load helper

# found TEXT: the rules that find a secret in it, with the secret, a line each.
found() {
	jq -cn --arg t "$1" '{text: $t}' | ai-guard >out || return
	node -e '
		const r = JSON.parse(require("fs").readFileSync("out"))
		const text = Buffer.from(r.text)
		for (const f of r.guard.findings)
			if (f.kind === "secret") console.log(f.rule, text.subarray(...f.span).toString())'
}

# token PREFIX: with a checksum that is right, as GitHub and npm make them.
token() {
	node -e '
		const body = "aB3dE5fG7hI9jK1lM2nO4pQ6rS8tU0"
		let crc = ~0
		for (const c of body) {
			crc ^= c.charCodeAt(0)
			for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
		}
		crc = ~crc >>> 0
		const d = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		let sum = ""
		for (let k = 0; k < 6; k++) { sum = d[crc % 62] + sum; crc = Math.floor(crc / 62) }
		console.log(process.argv[1] + body + sum)' "$1"
}

@test "secrets: a token is found where it is, whatever stands around it" {
	t=$(token ghp_)
	assert_eq "$(found "use $t, please")" "github-pat $t"
	assert_eq "$(found "$t")" "github-pat $t"
	assert_eq "$(found "{\"token\": \"$t\"}")" "github-pat $t"
	assert_eq "$(found "$(printf 'gr\303\274n \303\251')$t")" "github-pat $t"
	assert_eq "$(found "ghp_short and ghp_")" ""
}

@test "secrets: the checksum of a token says how sure it is" {
	t=$(token ghp_)
	found "$t" >/dev/null
	assert_eq "$(jq -c '.guard.findings[0] | [.score, .reason]' out)" \
		'[1,"a token whose checksum is right"]'
	found "${t%?}_" >/dev/null
	found "${t%??}zz" >/dev/null
	assert_eq "$(jq -c '.guard.findings[0] | [.score, .reason]' out)" \
		'[0.63,"a token whose checksum is wrong"]'
	t=$(token npm_)
	found "npm: $t" >/dev/null
	assert_eq "$(jq -c '.guard.findings[0] | [.rule, .score]' out)" '["npm-access-token",1]'
}

@test "secrets: a private key of many lines is one" {
	key=$(printf -- '-----BEGIN RSA PRIVATE KEY-----\n'
		printf 'MIIEpAIBAAKCAQEA%048d\n' $(seq 40)
		printf -- '-----END RSA PRIVATE KEY-----')
	assert_eq "$(found "here: $key and so on")" "private-key $key"
}

@test "secrets: a signed token, and one whose header is none" {
	head=$(printf '{"alg":"HS256","typ":"JWT"}' | base64 -w0 | tr -d =)
	body=$(printf '{"sub":"1234567890","name":"A"}' | base64 -w0 | tr -d =)
	t="$head.$body.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
	assert_eq "$(found "Bearer $t")" "jwt $t"
	assert_eq "$(jq .guard.findings[0].score out)" 0.99
}

@test "secrets: what is assigned to a name is one if it is random" {
	assert_eq "$(found 'api_key = "q8Zr4TnX0pLw7Vd2KfYs"')" \
		'generic-api-key q8Zr4TnX0pLw7Vd2KfYs'
	assert_eq "$(found 'DB_PASSWORD: h7Gk29xPq4Wz')" 'generic-api-key h7Gk29xPq4Wz'
	for text in 'api_key = "YOUR-KEY-HERE-123"' 'password: ${DB_PASSWORD}' \
		'secret = "xxxxxxxxxxxxxxxx1"' 'token = example_token_123456' \
		'password=aaaaaaaaaaaaaaaa' 'api_key = process.env.API_KEY' \
		'the key: abcdefghijklmnop' 'keyboard = "q8Zr4TnX0pLw7Vd2KfYs"' \
		'public_key_id = q8Zr4TnX0pLw7Vd2KfYs' \
		'The secret, as she says, is to access the token of love.'; do
		assert_eq "$(found "$text")" ""
	done
}

@test "secrets: passwords that are assigned, told, or stand in an address" {
	for text in 'password=hunter2Xq!' 'Password: Tr0ub4dor&3' 'my password is Tr0ub4dor&3, keep it' \
		'pwd=S3cr3t!pass' 'PGPASSWORD=xK9mPq2v psql' '{"password":"xK9$mPq2v"}' '  password: xK9mPq2v' \
		"password => 'xK9mPq2v'" 'Das Passwort lautet xK9mPq2v.' 'mot de passe : xK9mPq2v' 'пароль: xK9mPq2v' \
		'{"a":"{\"password\":\"xK9$mPq2v\"}"}' '"{\"a\":\"{\\\"password\\\":\\\"xK9mPq2v\\\"}\"}"'; do
		assert_eq "$(found "$text" | cut -d' ' -f1)" password
	done
	assert_eq "$(found 'password=hunter2Xq!&x=1')" 'password hunter2Xq!'
	for text in 'postgres://admin:xK9mPq2v@db.example.com:5432/app' 'https://jo:xK9mPq2v@host.example/x' \
		'redis://:xK9mPq2v@cache.example.com:6379/0' 'mongodb+srv://u:xK9mPq2v@c.example.net/db'; do
		assert_eq "$(found "$text")" 'url-password xK9mPq2v'
	done
	for text in 'password: required, at least 8 characters' 'password=${DB_PASSWORD}' 'password = get_password2()' \
		'password = config.pw2' 'pwd=/home/jo1/x2/y3' 'passwd: user_passwd1' 'Password: ********' 'password: %s1234567' \
		'the password is wrong.' 'password=12345678' 'postgres://user:password@localhost/db' 'http://a.example:8080/@x1' \
		'https://user:$PASS1@host.example/' 'password: <your-password-1>' 'https://github.com/@jo/x:y@z'; do
		assert_eq "$(found "$text")" ''
	done
	# A rule that knows better, and no value twice.
	assert_eq "$(found "password=$(token ghp_)")" "github-pat $(token ghp_)"
	assert_eq "$(found 'DB_PASSWORD="h7Gk29xPq4WzAA"' | wc -l)" 1
}

@test "secrets: headers that log somebody in" {
	assert_eq "$(found 'Authorization: Bearer 9f8e7d6c5b4a39281706f5e4d3c2b1a0')" \
		'authorization-header 9f8e7d6c5b4a39281706f5e4d3c2b1a0'
	assert_eq "$(found '{"Authorization": "Bearer 9f8e7d6c5b4a39281706f5e4d3c2b1a0"}')" \
		'authorization-header 9f8e7d6c5b4a39281706f5e4d3c2b1a0'
	assert_eq "$(found "Authorization: Basic $(printf jo:xK9mPq2v | base64)")" \
		"authorization-header $(printf jo:xK9mPq2v | base64)"
	for text in 'Authorization: Basic authentication' "Basic $(printf 'no colon here' | base64)" \
		'Authorization: Bearer <token>' 'Authorization: Bearer your-access-token-1234' 'the bearer of bad news' \
		'Basic internationalization'; do
		assert_eq "$(found "$text")" ''
	done
}

@test "secrets: private keys in strings, and one that is cut off" {
	body=$(printf 'MIIEpAIBAAKCAQEA%048d\\n' $(seq 40))
	key="-----BEGIN RSA PRIVATE KEY-----\\n$body-----END RSA PRIVATE KEY-----"
	assert_eq "$(found "{\"k\":\"$key\"}")" "private-key $key"
	assert_eq "$(found "${key//\\n/\\\\n}")" "private-key ${key//\\n/\\\\n}"
	assert_eq "$(found "$(printf %b "${key:0:700}")" | head -c 40)" 'private-key-part -----BEGIN RSA PRIVATE '
	assert_eq "$(found '-----BEGIN PRIVATE KEY----- and what follows it is described in the manual')" ''
}

@test "secrets: AWS's key of the documentation is none, others are" {
	assert_eq "$(found 'AKIAIOSFODNN7EXAMPLE')" ""
	assert_eq "$(found 'AKIAIOSFODNN7QZKRTVB')" 'aws-access-token AKIAIOSFODNN7QZKRTVB'
}

@test "secrets: a rule that knows better than the generic one is alone" {
	assert_eq "$(found "github_token = $(token gho_)")" "github-oauth $(token gho_)"
}

@test "secrets: they agree with the expressions of gitleaks, rule by rule" {
	toml=$AI_SHARED/data/guard/rules/gitleaks.toml
	need_shared data/guard/rules/gitleaks.toml
	run node "$SRCDIR/tests/peer/secrets.mjs" "$toml" "$BUILDDIR/bin/ai-guard" 20
	assert [ "$status" -eq 0 ]
	assert_has "$output" '221 rules, 13260 texts'
}

@test "secrets: time is linear in a text of nothing but keys" {
	keys=$(sed -n 's/^keys //p' "$SRCDIR/data/guard/secrets.rules" | tr '\n' ' ')
	for sep in '=' ' ' '="' ; do
		jq -cn --arg k "${keys// /"$sep"}" --arg s "$sep" \
			'{text: ($k * (10000000 / ($k | length) | floor))}' >big
		# 100 times what it takes: what is quadratic takes an hour.
		run -0 timeout 100 sh -c 'ai-guard <big >out'
		assert_eq "$(wc -l <out)" 1
	done
}

@test "secrets: ten thousand in one record are counted" {
	node -e '
		const t = []
		for (let i = 0; i < 1e4; i++) t.push("shpat_" + (0x1234567 * (i + 99) % 0xffffffff).toString(16).padStart(8, "7").repeat(3) + "01234567")
		console.log(JSON.stringify({ text: t.join(" ") }))' | ai-guard >out
	assert_eq "$(jq -c '[(.guard.findings | length), .guard.verdict]' out)" '[1000,"flag"]'
	assert_eq "$(jq '.guard.more > 8000' out)" true
}

@test "secrets: rules with a mistake say the line" {
	printf '# one\n\n[a]\nkeys abc\nstart abc\nentropy nine\n' >rules
	run ! "$BUILDDIR/tools/mkmatch" rules guard_rules
	assert_has "$output" "line 6: not a number, or too large: 'nine'"
	printf '[a]\nkeys abc\nstart ab(c\n' >rules
	run ! "$BUILDDIR/tools/mkmatch" rules guard_rules
	assert_has "$output" '[a]: not a regular expression'
	printf '[a]\nkeys abc\nvalue x\n' >rules
	run ! "$BUILDDIR/tools/mkmatch" rules guard_rules
	assert_has "$output" 'a rule needs keys'
}
