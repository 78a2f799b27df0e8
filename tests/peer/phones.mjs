// phones.mjs AI-GUARD [N [SEED]]: for every region that libphonenumber knows,
// makes N numbers that are valid there, writes them in five ways into sentences,
// and as many other numbers into others; asks ai-guard of all, and prints what it
// finds.  Exits 1 if of any way less than 95 % is found, or less than 90 % of
// what is found is a number of a telephone.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import {
	findPhoneNumbersInText, getCountries, getExampleNumber, parsePhoneNumberFromString,
} from 'libphonenumber-js/max'

const examples = createRequire(import.meta.url)('libphonenumber-js/examples.mobile.json')
const [guard, N = 6, SEED = 1] = process.argv.slice(2)

let state = Number(SEED) >>> 0
function random(k) {
	state = (state + 0x6d2b79f5) >>> 0
	let t = Math.imul(state ^ (state >>> 15), state | 1)
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
	return ((t ^ (t >>> 14)) >>> 0) % k
}
const pick = (list) => list[random(list.length)]
const digits = (n) => Array.from({ length: n }, () => random(10)).join('')

// Numbers with other digits in the places behind the first few: mobile ones, and
// whatever else is valid there.
function numbers(region) {
	const example = getExampleNumber(region, examples)
	const out = [example]

	for (let k = 0; out.length < N && k < 4000; k++) {
		const old = example.nationalNumber, keep = random(Math.min(5, old.length - 2))
		const x = parsePhoneNumberFromString(
			old.slice(0, keep) + digits(old.length - keep), region)
		if (x?.isValid() && x.country === region &&
			out.every((y) => y.number !== x.number))
			out.push(x)
	}
	return out
}

// Where no country is known, a word says what a number is.
const ways = {
	'+CC, in groups': (x) => x.formatInternational(),
	'+CC, together': (x) => x.number,
	'tel:+CC': (x) => x.getURI(),
	'00CC': (x) => '00' + x.formatInternational().slice(1),
	'at home, behind a word': (x) => x.formatNational(),
}
const sentences = {
	any: ['You can reach me at @.', 'Please call @ tomorrow, or write.', '@', 'Mario Rossi, @, Rome',
		'My number is @ and I am in at nine.', '(@)', 'Contact: @\nOffice 4', 'It is @; ask for Jo.'],
	'at home, behind a word': ['Phone: @', 'my phone number is @.', 'Tel. @, room 3', 'telephone @ (day)',
		'Call me on my mobile: @', 'Mobile @\nFax none'],
}

const isbn = () => {
	const d = '978' + digits(9)
	const sum = [...d].reduce((s, c, i) => s + Number(c) * (i % 2 ? 3 : 1), 0)
	return `${d.slice(0, 3)}-${d[3]}-${d.slice(4, 8)}-${d.slice(8)}-${(10 - sum % 10) % 10}`
}
const two = (k, from = 1) => String(from + random(k)).padStart(2, '0')
const others = [
	() => `on 20${two(30)}-${two(12)}-${two(28)} at ${two(24, 0)}:${two(60, 0)}:${two(60, 0)}`,
	() => `from ${two(28)}.${two(12)}.19${two(99, 0)} to ${two(28)}/${two(12)}/2024`,
	() => `costs $${1 + random(9)},${digits(3)},${digits(3)}.${digits(2)} in all`,
	() => `EUR ${1 + random(9)}.${digits(3)}.${digits(3)},${digits(2)} on the account`,
	() => `version ${random(20)}.${random(20)}.${random(2000)}-${random(9)} of it`,
	() => `ISBN ${isbn()}`,
	() => `order #${digits(8)} was sent`,
	() => `invoice no. ${digits(4)}-${digits(6)}`,
	() => `it is at ${random(80)}.${digits(6)}, ${random(170)}.${digits(6)}`,
	() => `the file has ${1 + random(9)}${digits(7)} bytes`,
	() => `since 1${digits(9)} (seconds)`,
	() => `commit ${digits(4)}abc${digits(5)}def${digits(4)}`,
	() => `temperatures of +${random(40)} to +${random(40)} and -${random(20)}`,
	() => `error 0x${digits(8)}, line ${random(9000)}`,
	() => `article ${digits(3)}.${digits(3)}.${digits(2)} of the catalogue`,
	() => `population ${1 + random(9)} ${digits(3)} ${digits(3)}`,
	() => `pages ${100 + random(99)}-${200 + random(99)} and ${300 + random(99)}-${400 + random(99)}`,
	() => `10.${digits(4)}/${digits(6)}.${digits(4)}`,
	() => `reference ${digits(10)}`,
	() => `ticket 0${digits(9)} is closed`,
	() => `the sum +999 ${digits(3)} ${digits(4)} of both`,
]

const records = []
for (const region of getCountries())
	for (const x of numbers(region))
		for (const [way, write] of Object.entries(ways)) {
			const number = write(x)
			records.push({ way, region, number, text: pick(sentences[way] ?? sentences.any)
				.replace('@', () => number) })
		}
const made = records.length
while (records.length < 2 * made) {
	const text = pick(others)()
	if (findPhoneNumbersInText(text).length === 0) records.push({ way: 'none', text })
}

const run = spawnSync(guard, ['--action', 'all=pass', '--action', 'personal/phone=flag'], {
	input: records.map((r) => JSON.stringify({ text: r.text })).join('\n'),
	maxBuffer: 1 << 30,
})
const answers = run.stdout.toString().split('\n').slice(0, -1).map(JSON.parse)
if (run.status !== 0 || answers.length !== records.length) {
	console.error(run.stderr.toString())
	process.exit(2)
}

// What is found has all digits of the number, and no others.
const plain = (s) => s.replace(/[^0-9]/g, '')
const count = {}
let right = 0, wrong = 0
records.forEach((r, i) => {
	const bytes = Buffer.from(r.text)
	const told = answers[i].guard.findings.map((f) => bytes.subarray(...f.span).toString())
	const hit = r.number !== undefined && told.some((t) => plain(t) === plain(r.number))
	const c = count[r.way] ??= { texts: 0, found: 0, regions: new Set() }

	c.texts++
	if (hit) c.found++
	else if (r.number !== undefined) c.regions.add(r.region)
	right += told.filter((t) => hit && plain(t) === plain(r.number)).length
	wrong += told.filter((t) => !hit || plain(t) !== plain(r.number)).length
	if (process.env.SHOW && (hit ? told.length > 1 : r.number !== undefined || told.length > 0))
		console.error(r.way, r.region, JSON.stringify(r.text), told)
})

let bad = 0
for (const way of Object.keys(ways)) {
	const { texts, found, regions } = count[way]
	const share = 100 * found / texts
	if (share < 95) bad++
	console.log(`${way}\t${found} of ${texts}\t${share.toFixed(1)} %\tmissed in ${regions.size} regions`)
}
const precision = 100 * right / (right + wrong)
if (precision < 90) bad++
console.log(`${getCountries().length} regions, ${made} numbers, ${made} others: ` +
	`precision ${precision.toFixed(1)} %; ${bad} below their bar`)
process.exit(bad > 0 ? 1 : 0)
