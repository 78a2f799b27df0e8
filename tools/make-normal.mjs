#!/usr/bin/env node
// make-normal.mjs: writes lib/common/text/normal-table.h, what canonical
// normalisation (NFC, NFD) needs to know of code points.
//
//	npm install --prefix DIR @unicode/unicode-9.0.0
//	tools/make-normal.mjs DIR >lib/common/text/normal-table.h
//
// The mappings are those of the engine that runs this; Unicode never changes
// them for a code point that is assigned. Only code points of Unicode 9 are
// written, because that is what HuggingFace's tokenizers normalise with
// (tests/peer/tokenizers.mjs compares all of them): a newer version would make
// other tokens of the few that came later.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const dir = process.argv[2];
if (dir === undefined) {
	console.error('usage: make-normal.mjs DIR (holding node_modules)');
	process.exit(64);
}
const file = join(resolve(dir), 'node_modules/@unicode/unicode-9.0.0',
	'General_Category/Unassigned/code-points.mjs');
const unassigned = new Set((await import(pathToFileURL(file))).default);
const isHangul = cp => cp >= 0xac00 && cp < 0xd7a4;
const all = Array.from({ length: 0x30000 }, (_, cp) => cp).filter(cp =>
	!unassigned.has(cp) && (cp < 0xd800 || cp > 0xdfff));
const text = cp => String.fromCodePoint(cp);
const codes = s => [...s].map(c => c.codePointAt(0));

// ---- one step of a decomposition, and whether it is taken back ----

const steps = [];
// What is not put together again can still be the first part of another.
const byParts = new Map(all.map(cp => [text(cp).normalize('NFD'), cp]));
for (const cp of all) {
	const parts = codes(text(cp).normalize('NFD'));
	if (isHangul(cp) || (parts.length === 1 && parts[0] === cp))
		continue;
	const last = parts.length > 1 ? parts.pop() : 0;
	const before = parts.map(text).join('');
	const composed = codes(before.normalize('NFC'));
	const first = composed.length === 1 ? composed[0] : byParts.get(before);
	if (first === undefined)
		throw new Error(`U+${cp.toString(16)} has too many parts`);
	const whole = text(cp).normalize('NFC') === text(cp);
	steps.push({ cp, first, last, whole });
}
steps.forEach((s, i) => s.i = i);
const pairs = steps.filter(s => s.whole && s.last !== 0).sort((a, b) =>
	a.first - b.first || a.last - b.last);

// ---- the order of marks: a rank for each combining class ----

// Two marks swap if the first one's class is the higher.
const swaps = (a, b) => {
	const s = text(a) + text(b);
	return s.normalize('NFD') !== s && codes(s.normalize('NFD'))[0] === b;
};
const low = 0x334, high = 0x345; // classes 1 and 240
const single = cp => text(cp).normalize('NFD') === text(cp);
const marks = all.filter(cp => single(cp) &&
	(cp === low || swaps(cp, low) || swaps(high, cp) || cp === high));
const ranks = []; // one mark of each class, in order
for (const cp of marks) {
	if (ranks.some(r => !swaps(r, cp) && !swaps(cp, r)))
		continue;
	const at = ranks.findIndex(r => swaps(r, cp));
	ranks.splice(at < 0 ? ranks.length : at, 0, cp);
}
const rankOf = cp => 1 + ranks.findIndex(r => !swaps(r, cp) && !swaps(cp, r));

function ranges(list, value) {
	const out = [];
	for (const cp of list) {
		const v = value(cp), r = out[out.length - 1];
		if (r !== undefined && r.to === cp - 1 && r.v === v)
			r.to = cp;
		else
			out.push({ from: cp, to: cp, v });
	}
	return out;
}

// ---- what NFC may change ----

const maybe = new Set([...marks, ...pairs.map(p => p.last),
	...steps.filter(s => !s.whole).map(s => s.cp)]);
for (let cp = 0x1161; cp < 0x1176; cp++)
	maybe.add(cp);
for (let cp = 0x11a8; cp < 0x11c3; cp++)
	maybe.add(cp);
const maybes = ranges([...maybe].sort((a, b) => a - b), () => 1);

const hex = n => `0x${n.toString(16)}`;
function rows(list, each, many) {
	let out = '';
	for (let i = 0; i < list.length; i += many)
		out += '\t' + list.slice(i, i + many).map(each).join(' ') + '\n';
	return out;
}
process.stdout.write(`\
/* Made by tools/make-normal.mjs, for Unicode 9.0.0; do not edit. */

/* A code point is first and last, or, where last is 0, first; in order. */
static const struct {
	uint32_t cp, first, last;
} normal_steps[${steps.length}] = {
${rows(steps, s => `{${hex(s.cp)},${hex(s.first)},${hex(s.last)}},`, 5)}};

/* Which of them are put together again, in the order of first and last. */
static const uint16_t normal_pairs[${pairs.length}] = {
${rows(pairs, p => `${p.i},`, 20)}};

/* Marks, by the rank of their combining class; all others have rank 0. */
#define NORMAL_RANKS ${ranks.length + 1}
static const struct {
	uint32_t from, to, rank;
} normal_ranks[] = {
${rows(ranges(marks, rankOf), r => `{${hex(r.from)},${hex(r.to)},${r.v}},`, 5)}};

/* All that NFC may change, alone or behind something. */
static const struct {
	uint32_t from, to;
} normal_maybe[] = {
${rows(maybes, r => `{${hex(r.from)},${hex(r.to)}},`, 6)}};
`);
