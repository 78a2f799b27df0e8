// chunk.mjs: how fast ai-chunk cuts, beside npm's @langchain/textsplitters.
//
//	PATH=bin:$PATH node tests/bench/chunk.mjs [MEGABYTES]
//
// Both cut the same real documents in the same run: ai-chunk as a process that
// reads files and writes records with places, hashes and ids, the peer by a call
// a document, which gives strings. Best of five; the CPU time of each, and only
// the ratio means anything.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realText } from '../peer/text.mjs';
import { best, cpuHere, cpuOf } from './cpu.mjs';

const peers = process.env.AI_TEST_PEER ??
	join(dirname(fileURLToPath(import.meta.url)), '../peer');
const need = createRequire(join(peers, 'package.json'));
const { RecursiveCharacterTextSplitter } = need('@langchain/textsplitters');
const { get_encoding } = need('tiktoken');
const encoding = get_encoding('o200k_base');

const texts = realText(Number(process.argv[2] ?? 16) * 1e6);
const folder = mkdtempSync(join(tmpdir(), 'chunk-'));
const names = texts.map((text, i) => {
	const name = join(folder, `${i}.txt`);
	writeFileSync(name, text);
	return name;
});
writeFileSync(join(folder, 'names'), names.join('\0'));
const megabytes = Buffer.byteLength(texts.join('')) / 1e6;

const ours = args => cpuOf('ai-chunk', [...args, '--files0-from',
	join(folder, 'names')]);

const theirs = (how, some) => cpuHere(async () => {
	const splitter = new RecursiveCharacterTextSplitter(how);
	for (const text of some)
		await splitter.splitText(text);
});

const row = (name, a, b) => console.log(name.padEnd(24), a.toFixed(0).padStart(8),
	b === undefined ? '' : b.toFixed(1).padStart(8) + (a / b).toFixed(1).padStart(8));

console.log(`${megabytes.toFixed(1)} MB, ${texts.length} documents`);
console.log('rule'.padEnd(24), '    MB/s', ' npm MB/s  times');
for (const [size, overlap] of [[1000, 200], [300, 0], [4000, 400]]) {
	const args = ['--size', size, '--overlap', overlap];
	const a = await best(5, () => ours(['--by', 'recursive', ...args]));
	const b = await best(3, () => theirs({ chunkSize: size,
		chunkOverlap: overlap }, texts));
	row(`recursive ${size}/${overlap}`, megabytes / a, megabytes / b);
}
const some = texts.slice(0, 40);
const part = Buffer.byteLength(some.join('')) / 1e6;
const a = await best(5, () => ours(['--by', 'recursive', '--unit', 'tokens',
	'--size', 256, '--overlap', 50]));
const b = await best(1, () => theirs({ chunkSize: 256, chunkOverlap: 50,
	lengthFunction: t => encoding.encode_ordinary(t).length }, some));
row('recursive 256/50 tokens', megabytes / a, part / b);
for (const by of ['prose', 'sentence', 'paragraph', 'fixed', 'markdown', 'code',
	'html', 'tokens'])
	row(by, megabytes / await best(3, () => ours(['--by', by])));
rmSync(folder, { recursive: true });
