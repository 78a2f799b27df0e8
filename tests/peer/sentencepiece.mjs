// sentencepiece.mjs: ai-tokens with SentencePiece's .model files against the
// library itself (npm's @agnai/sentencepiece-js). The models are made here: the
// pieces that tokenizers-made.mjs trains, with each option that changes ids.
//
//	node sentencepiece.mjs
//
// Prints what was compared; exits 1 at the first difference.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manyLanguages, rnd, soup } from './text.mjs';
import { byteTokens, pieces } from './tokenizers-made.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(
	join(process.env.AI_TEST_PEER ?? here, 'package.json'));
const { SentencePieceProcessor } = require('@agnai/sentencepiece-js');

// ---- protocol buffers ----

function varint(n) {
	const out = [];
	for (; n > 127; n = Math.floor(n / 128))
		out.push(n % 128 + 128);
	return Buffer.from([...out, n]);
}
const number = (field, n) => Buffer.concat([varint(field * 8), varint(n)]);
const bytes = (field, b) => Buffer.concat([varint(field * 8 + 2),
	varint(b.length), b]);
function float(field, x) {
	const b = Buffer.alloc(4);
	b.writeFloatLE(x);
	return Buffer.concat([varint(field * 8 + 5), b]);
}

const [normal, unknown, control, user, , byte] = [1, 2, 3, 4, 5, 6];

function model(kind, list, o) {
	return Buffer.concat([
		...list.map(([text, score, type]) => bytes(1, Buffer.concat([
			bytes(1, Buffer.from(text)), float(2, score),
			number(3, type)]))),
		bytes(2, Buffer.concat([number(3, kind === 'bpe' ? 2 : 1),
			number(35, Number(o.fallback))])),
		bytes(3, Buffer.concat([bytes(1, Buffer.from('identity')),
			number(3, Number(o.dummy)), number(4, Number(o.squeeze)),
			number(5, 1)])),
	]);
}

// ---- what is in them ----

function piecesFor(kind, o) {
	const list = [['<unk>', 0, unknown], ['<s>', 0, control],
		['</s>', 0, control], ['<user>', 0, user]];
	if (o.fallback)
		list.push(...byteTokens.map(t => [t, 0, byte]));
	const rest = Object.entries(pieces.vocab).sort((a, b) => a[1] - b[1])
		.map(([t]) => t)
		.filter(t => !byteTokens.includes(t) && !/^<.*>$/.test(t));
	const long = rest.filter(t => [...t].length > 1);
	const single = rest.filter(t => [...t].length === 1);
	// Several merges of one score are done from the left.
	long.forEach((t, i) => list.push([t, kind === 'bpe'
		? -Math.floor(i / 3) : -1 - i / 50 - (i % 7) / 11, normal]));
	single.forEach((t, i) => list.push([t,
		kind === 'bpe' ? -1000 - i : -9 - i / 100, normal]));
	return list;
}

const fixed = ['  two  leading', ' one', 'trail  ', 'a<user>b', 'x<user> y',
	'the <user>', '   ', '\u2581a\u2581\u2581b', 'the end of the words'];

async function compare(dir, kind, o) {
	const name = `${kind} ${Object.keys(o).filter(k => o[k]).join(' ')}`;
	const path = join(dir, `${name.replaceAll(' ', '-')}.model`);
	writeFileSync(path, model(kind, piecesFor(kind, o), o));
	const peer = new SentencePieceProcessor();
	await peer.load(path);
	// It reads C strings, and counts newlines as spaces are not.
	const texts = [...fixed, ...Array.from({ length: 600 },
		() => soup(1 + rnd(60)).replaceAll('\0', '')),
	...manyLanguages().filter((_, i) => i % 7 === 0)
		.map(t => t.slice(0, 3000))];
	const run = spawnSync('ai-tokens', ['--encoding', path, '--encode'], {
		input: texts.map(text => JSON.stringify({ text }) + '\n').join(''),
		maxBuffer: 1 << 28 });
	if (run.status !== 0)
		throw new Error(`${name}: ${run.stderr}`);
	const lines = run.stdout.toString().trim().split('\n');
	let tokens = 0;
	texts.forEach((text, i) => {
		const got = JSON.parse(lines[i]).tokens.ids;
		const want = [...peer.encodeIds(text)];
		if (want.join() !== got.join()) {
			console.log(`${name}: ${JSON.stringify(text)}\n` +
				`  wanted ${want}\n  got    ${got}`);
			process.exit(1);
		}
		tokens += got.length;
	});
	console.log(`${name}: ${texts.length} texts, ${tokens} tokens: the same`);
}

const dir = mkdtempSync(join(tmpdir(), 'sentencepiece-'));
for (const kind of ['bpe', 'unigram'])
	for (const fallback of [false, true])
		for (const dummy of [false, true])
			for (const squeeze of [false, true])
				await compare(dir, kind, { fallback, dummy, squeeze });
rmSync(dir, { recursive: true });
