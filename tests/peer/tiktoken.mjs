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
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realText } from './text.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(
	join(process.env.AI_TEST_PEER ?? here, 'package.json'));
const { get_encoding, Tiktoken } = require('tiktoken');

function fail(message) {
	console.log(message);
	process.exit(1);
}

// The same numbers every time.
let state = 2463534242;
function rnd(n) {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % n;
}

// ---- comparing ----

// Runs texts through ai-tokens, calls back with the ids of each.
function idsOf(texts, args, take) {
	return new Promise(resolve => {
		const child = spawn('ai-tokens', ['-j', '2', ...args, '--encode'],
			{ stdio: ['pipe', 'pipe', 'inherit'] });
		let rest = [], n = 0;
		child.stdout.on('data', chunk => {
			let from = 0, to;
			while ((to = chunk.indexOf(10, from)) >= 0) {
				rest.push(chunk.subarray(from, to));
				const record = JSON.parse(Buffer.concat(rest));
				if (record.error !== undefined)
					fail(JSON.stringify(record.error));
				take(n++, record.tokens.ids);
				rest = [];
				from = to + 1;
			}
			rest.push(chunk.subarray(from));
		});
		child.on('close', status => {
			if (status !== 0 || n !== texts.length)
				fail(`ai-tokens ended with ${status} after ${n} ` +
					`of ${texts.length} texts`);
			resolve();
		});
		for (const text of texts)
			child.stdin.write(JSON.stringify({ text }) + '\n');
		child.stdin.end();
	});
}

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

// Names and dates as people write them in a hundred languages: from ICU.
function manyLanguages() {
	const tags = ('af am ar as az be bg bn bs ca ckb cs cy da de dz el en es '
		+ 'et eu fa fi fil fr ga gl gu ha he hi hr hu hy id ig is it ja ka '
		+ 'kk km kn ko ky lb lo lt lv mk ml mn mr ms mt my nb ne nl or pa pl '
		+ 'ps pt ro ru sd si sk sl sq sr sv sw ta te th ti tk to tr ug uk ur '
		+ 'uz vi yo yue zh zh-Hant zu').split(' ');
	return tags.map(tag => {
		const region = new Intl.DisplayNames([tag], { type: 'region' });
		const language = new Intl.DisplayNames([tag], { type: 'language' });
		const currency = new Intl.DisplayNames([tag], { type: 'currency' });
		const date = new Intl.DateTimeFormat(tag,
			{ dateStyle: 'full', timeStyle: 'full', timeZone: 'UTC' });
		const money = new Intl.NumberFormat(tag, { style: 'currency',
			currency: 'EUR', currencyDisplay: 'name' });
		let out = tags.map(t => language.of(t)).join(', ') + '\n';
		for (let i = 0; i < 676; i++)
			out += region.of(String.fromCharCode(
				65 + Math.floor(i / 26), 65 + i % 26)) + ' ';
		for (const c of Intl.supportedValuesOf('currency'))
			out += `${currency.of(c)}; `;
		for (let i = 0; i < 60; i++)
			out += `${date.format(i * 3.2e9)}\r\n` +
				`${money.format(i * i * 1234.5)}\t`;
		return out;
	});
}

// Characters that the rules treat differently, in any order.
const pools = [' \t\n\r\u00a0\u3000\u0085\u2028  \n\n',
	'abcdefghijklmnopqrstuvwxyzABCDEFGHIJ', "'sS'tTrReEvVlLmMdD\u017f\u212a",
	'0123456789\u00bd\u2167\u0663', '!/\\.-_=<>|{}()[]*&^%$#@~`+/',
	'\u4e2d\u6587\u00aa\u1d43\u02b0\u01c5\u01c8',
	'\u0301\u0300\u0903\u20dd\u0e31', 'éÉßœÑñöÖ', 'АБВгде',
	'\u{1f600}\u{1f469}\u200d\u{1f1e9}\u{1f1ea}\ufe0f\ufeff\u200b',
	'\u0001\u007f\ue000\u{e0100}\u0000', "'ll 'S 'RE 've'd \n \r\n  x",
].map(s => [...s]);

function soup(length) {
	let out = '';
	while (out.length < length) {
		const kind = rnd(15), pool = pools[kind];
		if (pool === undefined) {
			const cp = rnd([0x3000, 0x20000, 0x110000][kind - 12]);
			out += cp >= 0xd800 && cp < 0xe000 ? '?'
				: String.fromCodePoint(cp);
			continue;
		}
		for (let n = 1 + rnd(rnd(8) > 0 ? 3 : 12); n > 0; n--)
			out += pool[rnd(pool.length)];
	}
	return out;
}

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

// tiktoken's time grows with the square of a word's length: 4 kB is what it
// can do. tests/unit/bpe.c covers longer words.
function hostileTexts() {
	const letters = ['a', 'ab', 'abc', 'etaoinshrdlu', ' ', '=-', '\n ', '_',
		'the ', '0123456789', '\u4e2d\u6587', 'aA', '\u0e01\u0e34', '\u0301',
		'\u{1f600}', '\t ', '.', "'s", '\u3042\u30a2', '\u200b'];
	const sizes = [1, 2, 3, 50, 95, 96, 97, 128, 129, 255, 500, 1023, 1024,
		1025, 2048, 4096];
	const texts = [];
	for (const some of letters) {
		const pool = [...some];
		for (const size of sizes) {
			const n = Math.ceil(size / Buffer.byteLength(some) *
				pool.length);
			texts.push(Array.from({ length: n },
				(_, i) => pool[i % pool.length]).join(''));
			texts.push(Array.from({ length: n },
				() => pool[rnd(pool.length)]).join(''));
		}
	}
	for (let i = 0; i < 60; i++) {
		const period = soup(1 + rnd(40));
		texts.push(period.repeat(Math.ceil(1000 / period.length)));
	}
	return texts;
}

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
