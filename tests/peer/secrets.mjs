// secrets.mjs GITLEAKS.TOML AI-GUARD [N [SEED]]: for each of the rules in the
// file, makes N texts that its expression matches and 2 N that miss by a
// little, asks ai-guard of all, and prints where both agree.  What an
// expression means is asked of JavaScript's own engine.  Exits 1 if they
// disagree.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { make, parse, source } from './regex.mjs'

const [toml, guard, N = 20, SEED = 1] = process.argv.slice(2)

let state = Number(SEED) >>> 0
function random(k) {
	state = (state + 0x6d2b79f5) >>> 0
	let t = Math.imul(state ^ (state >>> 15), state | 1)
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
	return ((t ^ (t >>> 14)) >>> 0) % k
}

// Of TOML just what the file has.
function rules(text) {
	const out = []
	for (const block of text.split(/^\[\[rules\]\]$/m).slice(1)) {
		const own = block.split(/^\[\[rules\.allowlists\]\]$/m)[0]
		const get = (re) => re.exec(own)?.[1]
		const regex = get(/^regex = '''([^]*?)'''/m)
		if (regex === undefined) continue
		const keywords = /^keywords = \[([^]*?)\]/m.exec(own)
		out.push({
			id: get(/^id = "(.*)"$/m), regex,
			entropy: Number(get(/^entropy = ([\d.]+)/m) ?? 0),
			group: Number(get(/^secretGroup = (\d+)/m) ?? 0),
			keywords: [...keywords[1].matchAll(/"([^"]*)"/g)].map((m) => m[1]),
		})
	}
	return out
}

function entropy(s) {
	const n = {}
	for (const c of s) n[c] = (n[c] ?? 0) + 1
	return -Object.values(n).reduce((sum, k) =>
		sum + (k / s.length) * Math.log2(k / s.length), 0)
}

// What is in allow lists of the rules, and so is nobody's secret.
const allowed = {
	'aws-access-token': /EXAMPLE$/, 'vault-service-token': /^s\.[A-Za-z]{24}$/,
	'generic-api-key': /^[a-zA-Z_.-]+$/,
	'kubernetes-secret-yaml': /[ \t](?:\{\{[^}]*\}\}|""|'')$|:(?:\{\{[^}]*\}\}|""|'')$/,
}

// Rules that they do not have.
const OWN = ['password', 'url-password', 'authorization-header', 'private-key-part']

// How many of N may differ: the generic rule has a list of words of its own,
// and a password's quotes are no part of it for us.
const LOOSE = { 'generic-api-key': 0.5, 'curl-auth-user': 0.2 }

// Whether the rule's own expression finds a secret in the text.
function finds(rule, text) {
	const small = text.toLowerCase()
	if (!rule.keywords.some((k) => small.includes(k))) return false
	for (const m of text.matchAll(rule.js)) {
		const secret = rule.group ? m[rule.group]
			: m.slice(1).find((g) => g) ?? m[0]
		if (entropy(secret) > rule.entropy && !allowed[rule.id]?.test(secret))
			return true
	}
	return false
}

// One character less, more or other, anywhere in the text.
function nearly(text) {
	const i = random(text.length)
	const c = '!aZ5_-~ '[random(8)]
	return text.slice(0, i) + ['', c, c + text[i]][random(3)] + text.slice(i + 1)
}

function texts(rule) {
	const tree = parse(rule.regex)
	const out = []
	rule.js = new RegExp(source(tree), 'gs')
	for (let k = 0; out.length < N && k < 40 * N; k++) {
		let text = make(tree, random)
		if (!rule.keywords.some((w) => text.toLowerCase().includes(w)))
			text = `${rule.keywords[random(rule.keywords.length)]} ${text}`
		text = ['', 'see: '][random(2)] + text + ['', '\n', ' and so on'][random(3)]
		if (finds(rule, text)) out.push(text)
	}
	rule.made = out.length
	for (let k = 0; k < 2 * rule.made; k++) out.push(nearly(out[k % rule.made]))
	return out
}

const all = rules(readFileSync(toml, 'utf8'))
const records = []
for (const rule of all)
	for (const text of texts(rule)) records.push({ rule, text })

const run = spawnSync(guard, [], {
	input: records.map((r) => JSON.stringify({ text: r.text })).join('\n'),
	maxBuffer: 1 << 30,
})
const answers = run.stdout.toString().split('\n').slice(0, -1).map(JSON.parse)
if (run.status !== 0 || answers.length !== records.length) {
	console.error(run.stderr.toString())
	process.exit(2)
}

records.forEach((r, i) => {
	const theirs = finds(r.rule, r.text)
	// In the text as it is: other views are readings that an expression
	// does not have.
	const ours = answers[i].guard.findings.some((f) => f.view === 'text' &&
		(f.rule === r.rule.id ||
		// What has a rule of its own is told by that alone.
		(r.rule.id === 'generic-api-key' && f.kind === 'secret' &&
		!OWN.includes(f.rule))))
	const key = theirs === ours ? 'agree' : theirs ? 'missed' : 'extra'
	r.rule[key] = (r.rule[key] ?? 0) + 1
	if (key !== 'agree' && process.env.SHOW) console.error(key, r.rule.id, JSON.stringify(r.text))
})

let bad = 0
for (const r of all) {
	const { made, agree = 0, missed = 0, extra = 0 } = r
	const room = (LOOSE[r.id] ?? 0) * N
	if (made < N || extra > room || missed > room) bad++
	console.log(`${r.id}\t${made}\t${agree}\t${missed}\t${extra}`)
}
const sum = (k) => all.reduce((s, r) => s + (r[k] ?? 0), 0)
console.log(`${all.length} rules, ${records.length} texts: ${sum('agree')} agree, ` +
	`${sum('missed')} missed, ${sum('extra')} extra; ${bad} rules disagree`)
process.exit(bad > 0 ? 1 : 0)
