// tiktoken.mjs: ai-tokens against npm's tiktoken, id by id.
//
//	node tiktoken.mjs classes <CLASSES   all code points, as the unit test
//	                                     bpe prints them with "classes"
//	node tiktoken.mjs text MEGABYTES     real and generated text
//	node tiktoken.mjs hostile            words that are hard to merge
//	node tiktoken.mjs special            with --special
//
// ai-tokens is found along PATH, node_modules beside this file or below
// AI_TEST_PEER. Prints what was compared; exits 1 at the first difference.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostileTexts, manyLanguages, realText, rnd, soup } from './text.mjs';
import { fail, through } from './through.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(
	join(process.env.AI_TEST_PEER ?? here, 'package.json'));
const { get_encoding, Tiktoken } = require('tiktoken');

// ---- comparing ----

// Calls back with the ids of each text.
const idsOf = (texts, args, take) => through(texts.map(text => ({ text })),
	[...args, '--encode'], (n, record) => take(n, record.tokens.ids));

function difference(peer, encoding, text, want, got) {
	let i = 0;
	while (want[i] === got[i])
		i++;
	const around = ids => JSON.stringify(Buffer.from(peer.decode(
		Uint32Array.from(ids.slice(Math.max(0, i - 3), i + 5))))
		.toString());
	fail(`${encoding}: a text of ${text.length} characters differs at ` +
		`token ${i}:\n  wanted ${want.slice(i, i + 8)} ${around(want)}` +
		`\n  got    ${got.slice(i, i + 8)} ${around(got)}`);
}

async function compare(what, encoding, texts, args, encode) {
	const peer = get_encoding(encoding);
	let bytes = 0, tokens = 0;
	await idsOf(texts, ['--encoding', encoding, ...args], (n, got) => {
		const want = encode(peer, texts[n]);
		if (want.length !== got.length ||
			want.some((id, i) => id !== got[i]))
			difference(peer, encoding, texts[n], Array.from(want), got);
		bytes += Buffer.byteLength(texts[n]);
		tokens += got.length;
	});
	peer.free();
	console.log(`${encoding}: ${what}: ${texts.length} texts, ` +
		`${(bytes / 1e6).toFixed(1)} MB, ${tokens} tokens: the same`);
	return bytes;
}

const ordinary = (peer, text) => peer.encode_ordinary(text);

// ---- classes ----

// With a vocabulary of bytes and a pattern for one character, what is encoded
// of a text that has every character are those the pattern matches.
function classes() {
	const bytes = Array.from({ length: 256 },
		(_, i) => Buffer.from([i]).toString('base64')).join(' ');
	const digits = readFileSync(0, 'latin1').trim();
	const patterns = {
		1: '[\\p{Lu}\\p{Lt}]', 2: '\\p{Ll}', 3: '[\\p{Lm}\\p{Lo}]',
		4: '\\p{M}', 5: '\\p{N}', 6: '[^\\S\\r\\n]', 7: '[\\r\\n]',
	};
	// Surrogates are no text.
	const isText = cp => cp < 0xd800 || cp > 0xdfff;
	const all = Array.from({ length: 0x110000 }, (_, cp) => cp)
		.filter(isText).map(cp => String.fromCodePoint(cp));
	if (digits.length !== 0x110000)
		fail(`${digits.length} classes instead of ${0x110000}`);
	for (const [digit, pattern] of Object.entries(patterns)) {
		const peer = new Tiktoken(`! 0 ${bytes}`, {}, pattern);
		const theirs = new Set(new TextDecoder('utf-8',
			{ ignoreBOM: true }).decode(
			peer.decode(peer.encode_ordinary(all.join('')))));
		for (const c of all)
			if (theirs.has(c) !==
				(digits[c.codePointAt(0)] === digit))
				fail(`U+${c.codePointAt(0).toString(16)} is of ` +
					`class ${digits[c.codePointAt(0)]}; ` +
					`${pattern}: ${theirs.has(c)}`);
		peer.free();
		console.log(`${pattern}: ${theirs.size} code points: the same`);
	}
}

// ---- text ----

async function text(megabytes) {
	const real = realText(megabytes * 1e6);
	const made = [...manyLanguages(),
		...Array.from({ length: 3000 }, () => soup(1 + rnd(400)))];
	for (const encoding of ['o200k_base', 'cl100k_base']) {
		const n = await compare('real text', encoding, real, [], ordinary);
		if (n < megabytes * 1e6)
			fail(`this machine has only ${n} bytes of text`);
		await compare('generated text', encoding, made, [], ordinary);
	}
	const fewer = real.filter((_, i) => i % 4 === 0);
	for (const encoding of ['p50k_base', 'r50k_base']) {
		await compare('real text', encoding, fewer, [], ordinary);
		await compare('generated text', encoding, made, [], ordinary);
	}
}

// ---- hostile ----

async function hostile() {
	const texts = hostileTexts();
	for (const encoding of ['o200k_base', 'cl100k_base', 'p50k_base',
		'r50k_base'])
		await compare('hostile text', encoding, texts, [], ordinary);
}

// ---- special ----

async function special() {
	const parts = ['<|endoftext|>', '<|endofprompt|>', '<|fim_prefix|>', '<|',
		'|>', '<|endof', 'text|>', ' ', '  ', '\n', 'words', "'s", '<', '|'];
	const texts = Array.from({ length: 2000 }, () =>
		Array.from({ length: rnd(12) }, () => parts[rnd(parts.length)])
			.join(''));
	for (const encoding of ['o200k_base', 'cl100k_base', 'p50k_base',
		'p50k_edit', 'r50k_base', 'gpt2']) {
		await compare('special tokens', encoding, texts, ['--special'],
			(peer, t) => peer.encode(t, 'all', []));
		await compare('no special tokens', encoding, texts, [], ordinary);
	}
}

const [what, number] = process.argv.slice(2);
const tests = { classes, text: () => text(Number(number)), hostile, special };
if (tests[what] === undefined)
	fail('usage: tiktoken.mjs classes|text MEGABYTES|hostile|special');
await tests[what]();
