// static-model.mjs DIR [key=value...]: makes a small static model in the
// model2vec layout: WordPiece, random rows.
//
//	words=N       whole words beside the letters (2000)
//	dim=N         numbers of a row (32)
//	type=f32      f16, bf16, i8
//	weights=1     a weight a token
//	mapping=N     so many rows, which several tokens share
//	seed=N
//
// static-model.mjs reference DIR <TEXTS: the vectors of the lines of text, one
// JSON list a line, worked out from the files by themselves: in double
// precision, with the tokens of npm's tokenizers (below AI_TEST_PEER).
//
// static-model.mjs texts N: so many short lines of text of such words.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

let state = 1;

function random() {
	state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
	return state / 2 ** 32;
}

const rnd = (n) => Math.floor(random() * n);

function word() {
	const heads = ['b', 'br', 'c', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p',
		'r', 's', 'st', 't', 'v', 'w'];
	let out = '';
	for (let n = 1 + rnd(3); n > 0; n--)
		out += heads[rnd(heads.length)] + 'aeiou'[rnd(5)] +
			['', '', 'n', 'r', 's', 't'][rnd(6)];
	return out;
}

function vocabulary(words) {
	const vocab = new Map(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
		.map((t, i) => [t, i]));
	const put = (t) => vocab.has(t) || vocab.set(t, vocab.size);
	for (const c of 'abcdefghijklmnopqrstuvwxyz0123456789') {
		put(c);
		put(`##${c}`);
	}
	for (const c of '.,;:!?-()\'"')
		put(c);
	while (vocab.size < words + 80) {
		put(word());
		if (vocab.size % 4 === 0)
			put(`##${word()}`);
	}
	return Object.fromEntries(vocab);
}

// Of a float its nearest half, by trying: slow, and nobody else's code.
function half(v) {
	const e = Math.max(Math.floor(Math.log2(Math.abs(v) || 1e-30)), -14);
	const m = Math.round(Math.abs(v) / 2 ** (e - 10));
	const bits = v === 0 ? 0 : ((e + 15) << 10) + m - 1024;
	return m < 1024 ? m | (v < 0 ? 0x8000 : 0)
		: bits | (v < 0 ? 0x8000 : 0);
}

const fromHalf = (h) => (h & 0x8000 ? -1 : 1) * ((h >> 10 & 31) === 0
	? (h & 1023) * 2 ** -24
	: (1024 + (h & 1023)) * 2 ** ((h >> 10 & 31) - 25));

const types = {
	f32: ['F32', 4, (b, at, v) => b.writeFloatLE(v, at),
		(b, at) => b.readFloatLE(at)],
	f16: ['F16', 2, (b, at, v) => b.writeUInt16LE(half(v), at),
		(b, at) => fromHalf(b.readUInt16LE(at))],
	bf16: ['BF16', 2, (b, at, v) => {
		const f = Buffer.alloc(4);
		f.writeFloatLE(v);
		f.copy(b, at, 2, 4);
	}, (b, at) => Buffer.from([0, 0, b[at], b[at + 1]]).readFloatLE()],
	i8: ['I8', 1, (b, at, v) => b.writeInt8(Math.round(v * 100), at),
		(b, at) => b.readInt8(at)],
};

function safetensors(arrays) {
	const head = { __metadata__: { made: 'by static-model.mjs' } };
	let at = 0;
	for (const { name, dtype, shape, bytes } of arrays) {
		head[name] = { dtype, shape,
			data_offsets: [at, at + bytes.length] };
		at += bytes.length;
	}
	const json = Buffer.from(JSON.stringify(head));
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(json.length));
	return Buffer.concat([length, json, ...arrays.map((a) => a.bytes)]);
}

function make(dir, o) {
	const words = Number(o.words ?? 2000), dim = Number(o.dim ?? 32);
	state = Number(o.seed ?? 1);
	const vocab = vocabulary(words), n = Object.keys(vocab).length;
	const rows = o.mapping === undefined ? n : Number(o.mapping);
	const [dtype, width, put] = types[o.type ?? 'f32'];
	const bytes = Buffer.alloc(rows * dim * width);
	for (let i = 0; i < rows * dim; i++)
		put(bytes, i * width, random() * 2 - 1);
	const arrays = [{ name: 'embeddings', dtype, shape: [rows, dim], bytes }];
	if (o.mapping !== undefined) {
		const map = Buffer.alloc(n * 8);
		for (let i = 0; i < n; i++)
			map.writeBigInt64LE(BigInt(rnd(rows)), i * 8);
		arrays.push({ name: 'mapping', dtype: 'I64', shape: [n],
			bytes: map });
	}
	if (o.weights !== undefined) {
		const w = Buffer.alloc(n * 4);
		for (let i = 0; i < n; i++)
			w.writeFloatLE(random() + 0.1, i * 4);
		arrays.push({ name: 'weights', dtype: 'F32', shape: [n],
			bytes: w });
	}
	mkdirSync(dir, { recursive: true });
	writeFileSync(join(dir, 'model.safetensors'), safetensors(arrays));
	writeFileSync(join(dir, 'config.json'), JSON.stringify({
		model_type: 'model2vec', architectures: ['StaticModel'],
		hidden_dim: dim, normalize: true }));
	writeFileSync(join(dir, 'tokenizer.json'), JSON.stringify({
		version: '1.0', truncation: null, padding: null,
		added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map(
			(content, id) => ({ id, content, single_word: false,
				lstrip: false, rstrip: false, normalized: false,
				special: true })),
		normalizer: { type: 'BertNormalizer', clean_text: true,
			handle_chinese_chars: true, strip_accents: null,
			lowercase: true },
		pre_tokenizer: { type: 'BertPreTokenizer' },
		post_processor: null, decoder: null,
		model: { type: 'WordPiece', unk_token: '[UNK]',
			continuing_subword_prefix: '##',
			max_input_chars_per_word: 100, vocab } }));
}

// ---- the same by hand -------------------------------------------------------

function read(dir) {
	const file = readFileSync(join(dir, 'model.safetensors'));
	const n = Number(file.readBigUInt64LE());
	const head = JSON.parse(file.subarray(8, 8 + n).toString());
	const array = (name) => head[name] && { ...head[name],
		bytes: file.subarray(8 + n + head[name].data_offsets[0],
			8 + n + head[name].data_offsets[1]) };
	return { rows: array('embeddings'), map: array('mapping'),
		weights: array('weights') };
}

async function reference(dir) {
	const require = createRequire(join(process.env.AI_TEST_PEER,
		'package.json'));
	const peer = require('tokenizers').Tokenizer.fromFile(
		join(dir, 'tokenizer.json'));
	const { rows, map, weights } = read(dir);
	const [, width, , get] = Object.values(types)
		.find(([dtype]) => dtype === rows.dtype);
	const dim = rows.shape[1];
	for (const text of readFileSync(0, 'utf8').split('\n').slice(0, -1)) {
		const ids = (await peer.encode(text, null,
			{ addSpecialTokens: false })).getIds();
		const sum = new Array(dim).fill(0);
		for (const id of ids.filter((i) => i !== 1)) {
			const row = map ? Number(map.bytes.readBigInt64LE(id * 8)) : id;
			const w = weights ? weights.bytes.readFloatLE(id * 4) : 1;
			for (let i = 0; i < dim; i++)
				sum[i] += w * get(rows.bytes, (row * dim + i) * width);
		}
		const length = Math.hypot(...sum) || 1;
		console.log(JSON.stringify(sum.map((v) => v / length)));
	}
}

function texts(count) {
	state = 7;
	const lines = [];
	for (let i = 0; i < count; i++) {
		let line = word();
		for (let n = 4 + rnd(8); n > 0; n--)
			line += ' ' + word();
		lines.push(line + '.');
		if (lines.length === 10000)
			process.stdout.write(lines.splice(0).join('\n') + '\n');
	}
	if (lines.length > 0)
		process.stdout.write(lines.join('\n') + '\n');
}

const [what, ...rest] = process.argv.slice(2);
if (what === 'reference')
	await reference(rest[0]);
else if (what === 'texts')
	texts(Number(rest[0]));
else
	make(what, Object.fromEntries(rest.map((r) => r.split('='))));
