#!/usr/bin/env node
// make-folds.mjs: writes the tables of the views: which ASCII text a code point
// stands for (NFKC, where that is ASCII, and a few look-alikes that NFKC leaves
// alone), and the frequent words that tell language from other text.
//
//	tools/make-folds.mjs folds >lib/common/text/view-folds.h
//	tools/make-folds.mjs words >lib/common/text/view-words.h
//	seq 0 24000 | jq -c '{tokens:[.]}' |
//		ai-tokens --decode --encoding r50k_base -p tokens -r |
//		sed -n 's/^ //p' | tools/make-folds.mjs split >lib/common/text/view-split.h

import { readFileSync } from 'node:fs';

const block = 64;

// ---- folds ----

// Letters that are drawn like others and have no decomposition. Small capitals
// are in no order, the rest are alphabets.
const alphabets = [
	[0x1f150, 'A'], [0x1f170, 'A'], [0x1f1e6, 'A'],
];
const singles = {
	a: 'ᴀɑ', b: 'ʙ', c: 'ᴄ', d: 'ᴅ', e: 'ᴇ', f: 'ꜰ', g: 'ɢɡ', h: 'ʜ', i: 'ɪıɩ',
	j: 'ᴊ', k: 'ᴋ', l: 'ʟ', m: 'ᴍ', n: 'ɴ', o: 'ᴏ', p: 'ᴘ', r: 'ʀ', s: 'ꜱ',
	t: 'ᴛ', u: 'ᴜ', v: 'ᴠ', w: 'ᴡ', y: 'ʏ', z: 'ᴢ', '/': '⁄', '-': '‐',
};

function folded(cp) {
	const s = String.fromCodePoint(cp);
	const t = s.normalize('NFKC').replaceAll('\u2044', '/');
	return t !== s && /^[\x20-\x7e]+$/.test(t) ? t : '';
}

const folds = new Map();
for (let cp = 0x80; cp < 0x20000; cp++) {
	if (cp >= 0xd800 && cp < 0xe000)
		continue;
	const t = folded(cp);
	// Squared units and the like are no way to write a sentence.
	if (t !== '' && t.length <= 4 && !(cp >= 0x3250 && cp < 0x3400))
		folds.set(cp, t);
}
for (const [first, letter] of alphabets)
	for (let i = 0; i < 26; i++)
		folds.set(first + i,
			String.fromCharCode(letter.charCodeAt(0) + i));
for (const [letter, all] of Object.entries(singles))
	for (const c of all)
		folds.set(c.codePointAt(0), letter);

// ---- words ----

// The most frequent words of languages with Latin letters, and some that
// instructions are made of. Only the first eight letters count.
const full = `
the and that have for not with you this but his from they say her she will one
all would there their what out about who get which when make can like time just
him know take people into year your good some could them see other than then
now look only come its over think also back after use two how our work first
well way even new want because any these give most are was were been has had
did does said more may should must where such very here own upon while those
please tell write show do to of in it is on at as be by we an or if my so up no
me go us ignore previous instructions disregard forget above system prompt
password secret reveal instead rules user assistant answer following respond
never always without before through every send email message file follow
print output instruction
und der die das den dem des ein eine einen einer nicht mit sich von auf ist auch
als wie aber oder wenn werden haben wir ihr sie ich kann nur noch nach bei aus
zum zur durch alle diese sind hat wird sein alles bitte anweisungen vergiss
ignoriere
les des une est pas que qui pour dans sur avec vous nous ils elle sont plus mais
tout cette ces leur comme fait bien ignorez instructions
los las una por con para como pero sus este esta todo cuando muy sin sobre ser
tiene hay desde ignora instrucciones
che non per sono della con del alla anche questo come piu nel una gli
que nao uma com para mais mas foi ele pelo pela isso ignore voce
het een van niet zijn voor met die maar ook naar door deze worden
och att det som inte jag har med den till
nie sie jest tak jak ale czy
access account act address admin again against agree allow already am among
another anything around ask assume away bad become before begin being believe
below best better between big both break bring build business buy call came
cannot case change character chat check choose city clear code command company
complete computer confidential content context continue conversation copy
country course create current data day days decode default delete describe
details developer different disclose does done down during each easy either
else encode end english enough ensure entire every everything example execute
exact exactly explain extra false far feel few filter filters final find fine
free full further game general getting given going got great grant group guide
guidelines had hand happen happy having head hello help hidden high hold home
house human ideas imagine important include information initial inside instead
internal interest issue keep key kind know known language large last later
learn least left less let level life limit list little live load long look lot
machine main making many matter mean means mind mode model moment money morning
move much must name need needs next nothing number off often old open order
ordered override own page part party pass perform person phrase place plan play
point policy power present pretend private problem process produce program
protect provide provided public put question questions quote read ready real
really reason receive regardless release remember remove repeat replace reply
request require restrict results return right role run safety said same say
school script second see seem series service set several share short should
side simple since single small something soon special start state step stop
story string strict such summary sure talk task tasks team tell test than thing
things think through today together told too topic translate true try turn type
under unless until update user users using value version view want wants warning
ways website week went whatever where while whole why word words world would
wrong yes yesterday yet young yourself
antworte sage zeige gib aufgabe frage fragen jetzt neue neuen anweisung regeln
vorher oben passwort geheim mache mach sollst musst kannst immer deine deinen
mein meine sehr viel mehr hier dann wenn weil gut heute
donne moi donnez reponds repondez regles avant consignes mot passe montre toi
votre notre aussi quel quelle etre avoir faire dire voir oublie oubliez
olvida responde muestra reglas contrasena ahora antes eres puede hacer decir
dime dame favor quiero
dimentica rispondi mostra regole adesso prima parola dimmi sei essere fare
esqueca responda mostre regras agora senha antes quero diga fazer
vergeet negeer toon wachtwoord regels eerder vertel
zapomnij zignoruj instrukcje haslo pokaz teraz wszystkie poprzednie
`.split(/\s+/).filter(w => w !== '');
const text = full.map(w => w.slice(0, 8));

const all = new Set(text);
const rot = w => w.replace(/[a-z]/g, c =>
	String.fromCharCode((c.charCodeAt(0) - 97 + 13) % 26 + 97));
const back = w => [...w].reverse().join('');
// A word that is another one backwards tells nothing.
const words = [...all].filter(w => !all.has(rot(w)) &&
	(back(w) === w || !all.has(back(w)))).sort();

// ---- pairs of letters ----

// How likely each letter is behind another, in eighths of a bit: 0 to 26, with
// 0 for what is no letter.
const pairs = Array.from({ length: 27 }, () => new Array(27).fill(0.2));
for (const w of text) {
	const x = [0, ...[...w].map(c => c.charCodeAt(0) - 96)];
	if (w.length < 8)
		x.push(0);
	for (let i = 1; i < x.length; i++)
		pairs[x[i - 1]][x[i]]++;
}
const likely = pairs.map(row => {
	const sum = row.reduce((a, b) => a + b);
	return row.map(n => Math.round(8 * Math.log2(27 * n / sum)));
});

// ---- whole words ----

// To part letters that have no blanks between them: all of the words, and those
// of standard input, by their hash.
const whole = new Set(full);
if (process.argv[2] === 'split')
	for (const w of readFileSync(0, 'utf8').split('\n'))
		if (/^[a-z]{4,16}$/.test(w))
			whole.add(w);
const mix = w => {
	let h = 17;
	for (const c of w) {
		h = Math.imul(h ^ c.charCodeAt(0), 0x9e3779b1) >>> 0;
		h = (h ^ h >>> 15) >>> 0;
	}
	return h;
};
const parts = new Array(16384).fill(0);
for (const h of [...whole].map(mix).sort((a, b) => a - b)) {
	let at = h % parts.length;
	while (parts[at] !== 0 && parts[at] !== h)
		at = (at + 1) % parts.length;
	parts[at] = h;
}

const bits = 11;
const slots = new Array(1 << bits).fill(0n);
const factor = 0x9e3779b97f4a7c15n;
for (const w of words) {
	let x = 0n;
	for (const c of w)
		x = x << 8n | BigInt(c.charCodeAt(0));
	let at = Number((x * factor & 0xffffffffffffffffn) >> BigInt(64 - bits));
	while (slots[at] !== 0n)
		at = (at + 1) % slots.length;
	slots[at] = x;
}

// ---- the file ----

function rows(list, per) {
	let out = '';
	for (let i = 0; i < list.length; i += per)
		out += '\t' + list.slice(i, i + per).join(',') + ',\n';
	return out;
}

const strings = [''];
const blocks = [new Array(block).fill(0)];
const index = [];
for (let at = 0; at < 0x20000; at += block) {
	const row = [];
	for (let cp = at; cp < at + block; cp++) {
		const t = folds.get(cp) ?? '';
		if (t.length <= 1) {
			row.push(t === '' ? 0 : t.charCodeAt(0));
			continue;
		}
		if (!strings.includes(t))
			strings.push(t);
		row.push(128 + strings.indexOf(t));
	}
	const key = String(row);
	let k = blocks.findIndex(b => String(b) === key);
	if (k < 0)
		k = blocks.push(row) - 1;
	index.push(k);
}
while (index[index.length - 1] === 0)
	index.pop();
if (blocks.length > 256)
	throw new Error('too many blocks for a byte');

const files = {
	folds: `/* Made by tools/make-folds.mjs from Unicode ${process.versions.unicode}; do not edit. */
#define FOLD_BLOCK ${block}
#define FOLD_LIMIT ${index.length * block}

/* Which block holds code point c: fold_index[c / FOLD_BLOCK]. */
static const unsigned char fold_index[${index.length}] = {
${rows(index, 24)}};

/* 0: itself; below 128: that character; else fold_strings[x - 128]. */
static const unsigned short fold_blocks[${blocks.length * block}] = {
${rows(blocks.flat(), 16)}};

static const char fold_strings[${strings.length}][5] = {
${rows(strings.map(s => JSON.stringify(s)), 8)}};
`,
	words: `/* Made by tools/make-folds.mjs; do not edit. */

/* Words, their letters in a number, first letter highest; 0: free. A word is
 * at its hash or behind it: (x * WORD_FACTOR) >> WORD_SHIFT. */
#define WORD_FACTOR 0x${factor.toString(16)}u
#define WORD_SHIFT ${64 - bits}
#define WORD_SLOTS ${slots.length}
static const uint64_t word_slots[WORD_SLOTS] = {
${rows(slots.map(x => x === 0n ? '0' : '0x' + x.toString(16)), 4)}};

/* How much likelier than any a letter (1 to 26; 0: none) is behind another, in
 * eighths of a bit. */
static const signed char pair_likely[27][27] = {
${likely.map(r => '\t{' + r.slice(0, 14).join(',') + ',\n\t ' + r.slice(14).join(',') + '},\n').join('')}};
`,
};
files.split = `/* Made by tools/make-folds.mjs; do not edit. */

/* Hashes of whole words, at x % SPLIT_SLOTS or behind it; 0: free. */
#define SPLIT_SLOTS ${parts.length}
static const uint32_t split_slots[SPLIT_SLOTS] = {
${rows(parts, 24)}};
`;
const file = files[process.argv[2]];
if (file === undefined) {
	console.error('usage: make-folds.mjs folds|words|split');
	process.exit(64);
}
process.stdout.write(file);
