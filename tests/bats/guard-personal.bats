#!/usr/bin/env bats
# ai-guard: addresses, numbers of telephones, cards and people.
load helper

# found TEXT: the rules that find personal data in it, with the data, a line each.
found() {
	jq -cn --arg t "$1" '{text: $t}' | ai-guard >out || return
	node -e '
		const r = JSON.parse(require("fs").readFileSync("out"))
		const text = Buffer.from(r.text)
		for (const f of r.guard.findings)
			if (f.kind === "personal") console.log(f.rule, text.subarray(...f.span).toString())'
}

@test "personal: a letter with several of them" {
	assert_eq "$(found 'Dear Ms. Wu, reach me at jo@example.com or (202) 555-0123.
My card is 4111 1111 1111 1111, my SSN 123-45-6789, and I was born on
12 March 1980. IBAN: DE89 3704 0044 0532 0130 00')" 'email jo@example.com
phone (202) 555-0123
credit-card 4111 1111 1111 1111
us-ssn 123-45-6789
birth-date 12 March 1980
iban DE89 3704 0044 0532 0130 00'
}

@test "personal: a finding says why, and how sure it is" {
	found 'card 4111111111111111' >/dev/null
	assert_eq "$(jq -c '.guard.findings[0] | [.kind, .rule, .score, .span, .view, .reason]' out)" \
		'["personal","credit-card",1,[5,21],"text","a card'"'"'s number (Visa)"]'
	assert_eq "$(jq -r .guard.verdict out)" flag
	found 'call 555 0123' >/dev/null
	assert_eq "$(jq -c '.guard.findings[0] | [.rule, .score, .reason]' out)" \
		'["phone",0.75,"a number near a word for telephones"]'
}

@test "personal: numbers that are none" {
	# shellcheck disable=SC2016 # a price
	for text in 'it costs $1,234,567.89 in 2024' 'see RFC 9110, section 4.2.1' \
		'version 1.2.3.4 of 2024-05-06 10:20:30' 'isbn 978-3-16-148410-0' \
		'550e8400-e29b-41d4-a716-446655440000' '4111111111111112' \
		'npm i left-pad@1.3.0' 'git clone git@github.com:jo/x.git' \
		'pi is 3.14159265358979' '127.0.0.1:8080' '123456789'; do
		assert_eq "$(found "$text")" ''
	done
}

@test "personal: a word nearby says what a number is, in several languages" {
	assert_eq "$(found 'Rufnummer: 901820')" 'phone 901820'
	assert_eq "$(found 'numéro de portable : 0612345678')" 'phone 0612345678'
	assert_eq "$(found '电话13800138000')" 'phone 13800138000'
	assert_eq "$(found 'телефон 234567')" 'phone 234567'
	assert_eq "$(found 'order no 234567')" ''
	assert_eq "$(found 'routing number 111000025')" 'us-bank-routing 111000025'
	assert_eq "$(found 'PESEL 44051401359')" 'pl-pesel 44051401359'
}

@test "personal: what is hidden is found where it stands" {
	assert_eq "$(found '4111 1111 1111 1111')" 'credit-card 4111 1111 1111 1111'
	assert_eq "$(found 'ssn １２３-４５-６７８９!')" 'us-ssn １２３-４５-６７８９'
	z=$(printf '\342\200\213')
	assert_eq "$(found "jo${z}@example${z}.com")" "email jo${z}@example${z}.com"
	assert_eq "$(found 'jo%40example.com')" 'email jo%40example.com'
	b=$(printf 'my card is 4111 1111 1111 1111 ok' | base64 -w0)
	found "see $b" >out2
	assert_eq "$(cut -d' ' -f1 out2)" credit-card
	assert_eq "$(jq -r '.guard.findings[] | select(.kind == "personal").view' out)" base64
}

@test "personal: a million digits, @ and + are one record like any other" {
	for unit in 7 @ '+1 ' '4111 '; do
		node -e 'console.log(JSON.stringify({ text: process.argv[1].repeat(300000) }))' \
			"$unit" | ai-guard | jq -r '.guard.verdict' >verdict
		[ -s verdict ]
	done
}

@test "personal: beside an underscore, a digit, or the escape of a line's end" {
	assert_eq "$(found 'card_4111111111111111_x')" 'credit-card 4111111111111111'
	assert_eq "$(found 'cc_4111-1111-1111-1111, 1_4111111111111111')" 'credit-card 4111-1111-1111-1111
credit-card 4111111111111111'
	assert_eq "$(found 'ssn_123-45-6789_')" 'us-ssn 123-45-6789'
	assert_eq "$(found 'iban_DE89370400440532013000_')" 'iban DE89370400440532013000'
	assert_eq "$(found 'tel_+14155552671_')" 'phone +14155552671'
	assert_eq "$(found 'ip_8.8.8.8_ and lib_1.2.3.4_')" 'ip 8.8.8.8'
	assert_eq "$(found '_jo.doe@example.com_ jo@example.com_x jo@example.com2')" 'email jo.doe@example.com
email jo@example.com
email jo@example.com'
	assert_eq "$(found 'Mail:\njo@example.com\nCard:\n4111111111111111\tFon:\n+14155552671\r')" 'email jo@example.com
credit-card 4111111111111111
phone +14155552671'
	# A longer name, and what is no number of a card.
	for text in 'x4111111111111111' 'v_4111111111111112' 'a_1234567890123456_b' 'n_8.8.8.8'; do
		assert_eq "$(found "$text")" ''
	done
}

@test "personal: telephones of every region that libphonenumber knows" {
	need_peer libphonenumber-js
	run node "${AI_TEST_PEER:-$SRCDIR/tests/peer}/phones.mjs" "$BUILDDIR/bin/ai-guard"
	assert_status 0
	assert_has "$output" 'regions, '
}
