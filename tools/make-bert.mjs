#!/usr/bin/env node
// make-bert.mjs: writes lib/common/text/bert-table.h: what the normaliser and
// the cutter of BERT's tokenizers do with each code point beyond ASCII: which
// are marks without a width, punctuation or controls to them, and the small
// letters of capitals. HuggingFace's own library is asked, since models were
// made with it, and its tables are of several older versions of Unicode.
//
//	npm install --prefix DIR tokenizers@0.23.2
//	tools/make-bert.mjs DIR >lib/common/text/bert-table.h
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const dir = process.argv[2];
if (dir === undefined) {
	console.error('usage: make-bert.mjs DIR (holding node_modules)');
	process.exit(64);
}
const tok = createRequire(join(resolve(dir), 'x.js'))('tokenizers');
const lower = tok.lowercase();
const bert = (more) => tok.bertNormalizer({ cleanText: false,
	handleChineseChars: false, lowercase: false, stripAccents: false,
	...more });
const clean = bert({ cleanText: true }), strip = bert({ stripAccents: true });
const pre = tok.bertPreTokenizer();

function* points() {
	for (let cp = 0x80; cp < 0x110000; cp++)
		if (cp < 0xD800 || cp >= 0xE000)
			yield cp;
}

const around = (cp) => `a${String.fromCodePoint(cp)}b`;

function ranges(is) {
	const out = [];
	for (const cp of points()) {
		if (!is(around(cp)))
			continue;
		const last = out[out.length - 1];
		if (last !== undefined && last[1] === cp - 1)
			last[1] = cp;
		else
			out.push([cp, cp]);
	}
	return out;
}

// Runs of capitals that are equally far apart, and from their small letters.
function lowers() {
	const out = [];
	for (const cp of points()) {
		const c = String.fromCodePoint(cp), low = lower.normalizeString(c);
		if (low === c || [...low].length !== 1)
			continue;
		const delta = low.codePointAt(0) - cp;
		const last = out[out.length - 1];
		if (last !== undefined && last.delta === delta &&
		    (last.to === last.from ? cp - last.to <= 2
			: cp - last.to === last.step)) {
			last.step = cp - last.to;
			last.to = cp;
		} else {
			out.push({ from: cp, to: cp, step: 1, delta });
		}
	}
	return out;
}

const hex = (n) => `0x${n.toString(16).toUpperCase()}`;

function rows(cells, wide) {
	let text = '';
	for (let i = 0; i < cells.length; i += wide)
		text += '\t' + cells.slice(i, i + wide).join(' ') + '\n';
	return text;
}

function table(name, is) {
	const r = ranges(is);
	return `static const struct bert_range ${name}[${r.length}] = {\n` +
		rows(r.map(([a, b]) => `{${hex(a)},${hex(b)}},`), 4) + '};\n\n';
}

const low = lowers();
process.stdout.write(`\
/* Made by tools/make-bert.mjs from npm's tokenizers 0.23.2; do not edit. */
struct bert_range {
	uint32_t from, to;
};

${table('bert_marks', s => strip.normalizeString(s) === 'ab')}\
${table('bert_punctuation', s => pre.preTokenizeString(s).length === 3)}\
${table('bert_controls', s => clean.normalizeString(s) === 'ab')}\
/* Every step-th one from from to to is a capital; its small letter is delta
 * beyond it. */
static const struct bert_lower {
	uint32_t from, to, step;
	int32_t delta;
} bert_lowers[${low.length}] = {
${rows(low.map((l) => `{${hex(l.from)},${hex(l.to)},${l.step},${l.delta}},`), 3)}};
`);
