// chunks.mjs: ai-chunk --by recursive beside npm's @langchain/textsplitters.
//
//	PATH=bin:$PATH node tests/peer/chunks.mjs recursive [TEXTS [MEGABYTES]]
//	PATH=bin:$PATH node tests/peer/chunks.mjs tokens [TEXTS [MEGABYTES]]
//
// Random texts in many settings, then real ones. The peer's own code parts and
// joins; it is given slices that know their place, so that what is compared is
// where each chunk begins and ends. That the slices change nothing is checked
// with the peer as it comes. Three things are ours: a chunk has no white space
// at its ends, none is of white space alone, and none comes twice in a row.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realText } from './text.mjs';

const peers = process.env.AI_TEST_PEER ?? dirname(fileURLToPath(import.meta.url));
const need = createRequire(join(peers, 'package.json'));
const { RecursiveCharacterTextSplitter } = need('@langchain/textsplitters');
const { get_encoding } = need('tiktoken');
const encoding = get_encoding('o200k_base');

class Slice {
	constructor(all, from, to) {
		Object.assign(this, { all, from, to });
	}
	get text() {
		return this.all.slice(this.from, this.to);
	}
	includes(s) {
		return this.text.includes(s);
	}
}

const units = {
	chars: s => s.length,
	tokens: s => encoding.encode_ordinary(s).length,
};

class Placed extends RecursiveCharacterTextSplitter {
	constructor(how) {
		const count = units[how.unit];
		super({ ...how, lengthFunction: s => count(s.text) });
	}
	splitOnSeparator(slice, separator) {
		let at = slice.from;
		return super.splitOnSeparator(slice.text, separator).map(s => {
			at = slice.all.indexOf(s, at);
			const part = new Slice(slice.all, at, at + s.length);
			at = part.to;
			return part;
		});
	}
	joinDocs(slices) {
		const first = slices[0];
		return new Slice(first.all, first.from, slices.at(-1).to);
	}
}

// Without white space at its ends.
function trimmed(s) {
	const head = s.text.length - s.text.trimStart().length;
	const n = s.text.trim().length;
	return new Slice(s.all, s.from + head, s.from + head + n);
}

async function theirs(text, how) {
	const chunks = await new Placed(how)._splitText(
		new Slice(text, 0, text.length), how.separators);
	if (how.keepSeparator && how.unit === 'chars') {
		const plain = await new RecursiveCharacterTextSplitter(how)
			.splitText(text);
		const a = chunks.map(s => s.text.trim()).filter(s => s !== '');
		const b = plain.map(s => s.trim()).filter(s => s !== '');
		if (JSON.stringify(a) !== JSON.stringify(b))
			throw new Error('the peer is another with slices');
	}
	const out = [];
	for (const c of chunks.map(trimmed))
		if (c.from < c.to && !(out.length > 0 &&
		    out.at(-1).from === c.from && out.at(-1).to === c.to))
			out.push(c);
	return out;
}

// Blanks as ai-chunk knows them; String.trim() takes more, and not U+0085.
const isBlank = s => /^[\t-\r \u0085\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]*$/
	.test(s);

const escaped = s => s.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
	.replaceAll('\t', '\\t').replaceAll('\r', '\\r');

function recursive(how) {
	const args = ['--by', 'recursive', '--size', how.chunkSize, '--overlap',
		how.chunkOverlap, '--unit', how.unit,
		how.keepSeparator ? '--keep-separator' : '--no-keep-separator'];
	for (const s of how.separators)
		args.push('--separator=' + escaped(s));
	return args;
}

function ours(texts, args) {
	const input = texts.map((text, i) =>
		JSON.stringify({ id: String(i), text }) + '\n').join('');
	const r = spawnSync('ai-chunk', args.map(String),
		{ input, maxBuffer: 1 << 30 });
	if (r.status !== 0)
		throw new Error(`ai-chunk ${args.join(' ')}: ${r.stderr ?? r.error}`);
	const out = texts.map(() => []);
	const bytes = texts.map(t => Buffer.from(t));
	for (const line of r.stdout.toString().split('\n')) {
		if (line === '')
			continue;
		const c = JSON.parse(line), i = Number(c.id.split('#')[0]);
		const [from, to] = c.source.bytes;
		if (args[1] === 'tokens' ? isBlank(c.text) : c.text.trim() === '')
			continue; // a blank record is one chunk
		if (bytes[i].subarray(from, to).toString() !== c.text)
			throw new Error(`text ${i}: ${from}-${to} is not the text`);
		out[i].push([from, to]);
	}
	return out;
}

// Offsets in UTF-16 as offsets in bytes.
function inBytes(text, slices) {
	let at = 0, bytes = 0;
	const of = i => {
		if (i < at)
			at = bytes = 0;
		bytes += Buffer.byteLength(text.slice(at, i));
		at = i;
		return bytes;
	};
	return slices.map(s => [of(s.from), of(s.to)]);
}

async function compare(texts, how) {
	const got = ours(texts, recursive(how));
	let n = 0;
	for (let i = 0; i < texts.length; i++) {
		const want = inBytes(texts[i], await theirs(texts[i], how));
		n += want.length;
		if (JSON.stringify(want) !== JSON.stringify(got[i])) {
			const k = want.findIndex((w, j) =>
				String(w) !== String(got[i][j]));
			throw new Error(`${JSON.stringify(how)}: chunk ${k} of ` +
				`${JSON.stringify(texts[i]).slice(0, 4000)} is ` +
				`${want[k]} there and ${got[i][k]} here`);
		}
	}
	return n;
}

// What TokenTextSplitter does with the ids, but that no character is cut.
function tokenSlices(text, size, overlap) {
	const bytes = Buffer.from(text), ends = [0];
	for (const id of encoding.encode_ordinary(text))
		ends.push(ends.at(-1) + encoding.decode_single_token_bytes(id).length);
	const floor = at => {
		while (at < bytes.length && (bytes[at] & 0xc0) === 0x80)
			at--;
		return at;
	};
	const out = [], n = ends.length - 1;
	for (let start = 0; start < n;) {
		if (start > 0)
			start -= overlap;
		const end = Math.min(start + size, n);
		const from = floor(ends[start]), to = floor(ends[end]);
		if (to > (out.at(-1)?.[1] ?? 0) &&
		    !isBlank(bytes.subarray(from, to).toString()))
			out.push([from, to]);
		start = end;
	}
	return out;
}

function compareTokens(all) {
	// A byte order mark at the start is in no chunk.
	const texts = all.map(t => t.replace(/^\ufeff+/, ''));
	const size = 1 + rnd(pick([2, 50, 400])), overlap = rnd(size);
	const got = ours(texts, ['--by', 'tokens', '--size', size,
		'--overlap', overlap]);
	let n = 0;
	for (let i = 0; i < texts.length; i++) {
		const want = tokenSlices(texts[i], size, overlap);
		n += want.length;
		if (JSON.stringify(want) !== JSON.stringify(got[i]))
			throw new Error(`tokens, size ${size}, overlap ${overlap}: ` +
				`${JSON.stringify(texts[i]).slice(0, 2000)}: ` +
				`${JSON.stringify(want).slice(0, 500)} and ` +
				`${JSON.stringify(got[i]).slice(0, 500)}`);
	}
	return n;
}

// ---- what is compared -------------------------------------------------------

let seed = 1;
function rnd(n) {
	seed = Math.imul(seed, 1664525) + 1013904223 >>> 0;
	return (seed >>> 8) % n;
}
const pick = list => list[rnd(list.length)];

const words = ['a', 'word', 'Longer,', 'sentence.', 'üb', '今日。', '\n', '\n\n',
	'\n\n\n', ' ', '  ', '\t', '\r\n', '\u00a0', '\u3000', '\ufeff', '##', '---',
	'supercalifragilisticexpialidocious', '.*', '(', '\u2028', '\u0085', '# H'];

function randomText() {
	let text = '';
	const n = rnd(4) === 0 ? rnd(10) : rnd(200);
	const glue = rnd(3);
	for (let i = 0; i < n; i++)
		text += pick(words) + (rnd(3) < glue ? ' ' : '');
	return text;
}

const lists = [
	['\n\n', '\n', ' ', ''], ['\n\n', '\n', ' ', ''], ['\n\n', '\n', ' ', ''],
	['\n\n', '\n'], [' '], ['\n', ''], ['##', '---', '\n', ' ', ''],
	['.', '(', '.*', ' ', ''], ['ab', 'zz'], ['\n\n', '', ' '], ['a', 'b', 'o', ''],
	['\r\n', '\t', '\n', ''], ['\n\n\n', '\n\n', '\n', '. ', ' ', ''],
];

function randomHow(unit) {
	const chunkSize = 1 + (unit === 'tokens' ? rnd(60)
		: rnd(pick([3, 12, 60, 400])));
	const separators = pick(lists);
	// Without one that parts characters the peer cannot drop them all.
	const keepSeparator = !separators.includes('') || rnd(3) > 0;
	return { unit, chunkSize, separators, keepSeparator,
		chunkOverlap: rnd(3) === 0 ? 0 : rnd(chunkSize) };
}

const isTokens = process.argv[2] === 'tokens';
const wanted = Number(process.argv[3] ?? 6000), atOnce = 50;
let texts = 0, chunks = 0;
for (; texts < wanted; texts += atOnce) {
	const unit = texts / atOnce % 5 === 4 ? 'tokens' : 'chars';
	const some = Array.from({ length: atOnce }, randomText);
	chunks += isTokens ? compareTokens(some)
		: await compare(some, randomHow(unit));
}
console.log(`${texts} random texts, ${chunks} chunks`);

const isBasic = t => !/[\ud800-\udfff]/.test(t);
const real = realText(Number(process.argv[4] ?? 2) * 1e6).filter(isBasic);
chunks = 0;
if (isTokens) {
	chunks += compareTokens(real);
	chunks += compareTokens([real.join('\n')]);
} else {
	for (const [chunkSize, chunkOverlap, keepSeparator] of [
		[1000, 200, true], [1000, 200, false], [300, 0, true],
		[100, 50, true], [4000, 1000, true], [20, 19, true],
		[512, 64, false]])
		chunks += await compare(real, { unit: 'chars', chunkSize,
			chunkOverlap, keepSeparator, separators: lists[0] });
	chunks += await compare(real.slice(0, 60), { unit: 'tokens',
		chunkSize: 256, chunkOverlap: 50, keepSeparator: true,
		separators: lists[0] });
}
console.log(`${real.length} real texts, ${chunks} chunks`);
