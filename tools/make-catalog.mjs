#!/usr/bin/env node
// make-catalog.mjs LITELLM.json GENAI.json DATE >data/catalog.json
//
// A maintainers' generator: data/catalog.json is its output, looked through
// by hand. It takes facts from two public price tables - LiteLLM's
// model_prices_and_context_window.json (dollars a token) and pydantic's
// genai-prices (dollars a million tokens) - for the models listed below, and
// says on stderr wherever the two disagree. DATE is that of the tables.
//
// Neither table is right everywhere, so what follows also holds what was
// found wrong in them ("fix", "drop", "without", with the reason beside it).
import { readFileSync } from 'node:fs';

const [, , litellmPath, genaiPath, DATE] = process.argv;
if (!/^\d{4}-\d\d-\d\d$/.test(DATE ?? '')) {
	console.error('usage: make-catalog.mjs LITELLM.json GENAI.json DATE');
	process.exit(64);
}
const litellm = JSON.parse(readFileSync(litellmPath, 'utf8'));
const genai = new Map();
for (const p of JSON.parse(readFileSync(genaiPath, 'utf8')))
	for (const m of p.models)
		genai.set(`${p.id}:${m.id}`, m);

const warnings = [];
const warn = (name, text) => warnings.push(`${name}: ${text}`);

// ---- decimals ---------------------------------------------------------------

// Dollars a million tokens as text; at most 6 decimals, which is a
// pico-dollar a token. The tables' numbers went through doubles: 12 digits
// are what can be meant.
function decimal(x) {
	const text = Number(x.toPrecision(12)).toFixed(6);
	if (Math.abs(Number(text) - x) > 1e-9 * Math.abs(x))
		throw new Error(`${x} has more than 6 decimals`);
	return text.replace(/\.?0+$/, '');
}
const perMillion = (x) => decimal(Number((x * 1e6).toPrecision(12)));
const times = (text, factor) => decimal(Number(text) * factor);

// ---- one price out of LiteLLM's flat names ------------------------------------

const UNITS = {
	input_cost_per_token: 'input',
	cache_read_input_token_cost: 'cached',
	cache_creation_input_token_cost: 'cache_write',
	cache_creation_input_token_cost_above_1hr: 'cache_write_1h',
	output_cost_per_token: 'output',
	output_cost_per_reasoning_token: 'reasoning',
	input_cost_per_audio_token: 'audio_input',
	output_cost_per_audio_token: 'audio_output',
};
const TIERS = { batches: 'batch', flex: 'flex', priority: 'priority' };
const ORDER = ['input', 'cached', 'cache_write', 'cache_write_1h', 'output',
	'reasoning', 'audio_input', 'audio_cached', 'audio_output', 'search',
	'request'];

// name -> { unit, tier, above } or null
function place(name) {
	let above = 0;
	let tier = 'standard';
	let base = name.replace(/_above_(\d+)k_tokens/, (all, n) => {
		above = Number(n) * 1000;
		return '';
	});
	for (const [suffix, to] of Object.entries(TIERS))
		if (base.endsWith(`_${suffix}`)) {
			base = base.slice(0, -suffix.length - 1);
			tier = to;
		}
	return base in UNITS ? { unit: UNITS[base], tier, above } : null;
}

// { tier: { above: { unit: text } } }
function table(entry) {
	const t = {};
	for (const [name, value] of Object.entries(entry)) {
		const at = typeof value === 'number' ? place(name) : null;
		if (at !== null)
			((t[at.tier] ??= {})[at.above] ??= {})[at.unit] =
				perMillion(value);
	}
	for (const bands of Object.values(t))
		for (const row of Object.values(bands)) {
			// Noise: what costs as much as its kin, or nothing at all.
			if (row.reasoning === row.output)
				delete row.reasoning;
			if (row.audio_input === row.input)
				delete row.audio_input;
			for (const u of ['cache_write', 'cached'])
				if (Number(row[u]) === 0)
					delete row[u];
		}
	return t;
}

const ordered = (row) => Object.fromEntries(ORDER.filter((u) => u in row)
	.map((u) => [u, row[u]]));
const whole = (row) => row?.input !== undefined && row?.output !== undefined;

function bandsOf(bands) {
	if (!whole(bands?.[0]))
		return null;
	const out = ordered(bands[0]);
	const above = Object.keys(bands).map(Number).filter((n) => n > 0)
		.sort((a, b) => a - b).filter((n) => whole(bands[n]))
		.map((n) => ({ tokens: n, ...ordered(bands[n]) }));
	if (above.length > 0)
		out.above = above;
	return out;
}

function priceOf(t) {
	const price = bandsOf(t.standard);
	if (price === null)
		return null;
	for (const tier of ['batch', 'flex', 'priority']) {
		const p = bandsOf(t[tier]);
		if (p !== null)
			price[tier] = p;
	}
	return price;
}

// ---- what a provider says of all of its models --------------------------------

const mapRow = (row, f) => Object.fromEntries(Object.entries(row)
	.map(([k, v]) => [k, k === 'tokens' ? v
		: k === 'above' ? v.map((r) => mapRow(r, f)) : f(v)]));

const RULES = {
	// An hour's cache write is twice the input, batches cost half, and the
	// two multiply. (The older entries lack the one or have it wrong.)
	anthropic(price, e) {
		const rows = [price, ...(price.above ?? [])];
		for (const row of rows)
			row.cache_write_1h = times(row.input, 2);
		const { input, cached, cache_write, cache_write_1h, output } = price;
		const half = { input, cached, cache_write, cache_write_1h, output };
		if (price.above)
			half.above = price.above;
		price.batch = mapRow(half, (v) => times(v, 0.5));
		price.search = '0.01';
		if (e.provider_specific_entry?.us)
			price.us = decimal(e.provider_specific_entry.us);
		if (e.provider_specific_entry?.fast)
			price.fast = decimal(e.provider_specific_entry.fast);
	},
	// Flex is charged at the rates of batches: half, in long contexts too.
	openai(price) {
		if (price.flex && price.above && !price.flex.above &&
			price.flex.input === times(price.input, 0.5))
			price.flex.above = price.above.map((r) =>
				mapRow(r, (v) => times(v, 0.5)));
		if (price.flex && !price.batch?.cached)
			price.batch = price.flex;
	},
};

// ---- the two tables against each other ----------------------------------------

function genaiPrice(ref) {
	const m = genai.get(ref);
	if (m === undefined)
		return null;
	let p = m.prices;
	if (Array.isArray(p)) // dated: the last; by the hour: the dearest
		p = p.some((c) => c.constraint?.start_time !== undefined)
			? p.reduce((a, b) => (b.prices.output_mtok >
				a.prices.output_mtok ? b : a)).prices
			: p.at(-1).prices;
	const base = (x) => (x === undefined ? undefined
		: decimal(typeof x === 'object' ? x.base : x));
	const at = (x, n) => x?.tiers?.find((t) => t.start === n)?.price;
	const price = (x) => (x === undefined ? undefined : decimal(x));
	return { input: base(p.input_mtok), cached: base(p.cache_read_mtok),
		cache_write: base(p.cache_write_mtok), output: base(p.output_mtok),
		audio_cached: base(p.cache_audio_read_mtok),
		above: (p.input_mtok?.tiers ?? []).map(({ start: n }) => ({ tokens: n,
			input: price(at(p.input_mtok, n)),
			cached: price(at(p.cache_read_mtok, n)),
			cache_write: price(at(p.cache_write_mtok, n)),
			output: price(at(p.output_mtok, n)) })),
		context: m.context_window };
}

const COMPARED = ['input', 'cached', 'cache_write', 'output'];
const differing = (a, b) => COMPARED.filter((u) => a[u] !== undefined &&
	b[u] !== undefined && Number(a[u]) !== 0 && a[u] !== b[u]);
const figures = (row, units) => units.filter((u) => row[u] !== undefined)
	.map((u) => `${u} ${row[u]}`).join(', ');

// Where the tables disagree, the dearer of each stands, and a note has both.
// What one of them has in tiers does not go with the other's price.
function settle(name, price, other) {
	const units = differing(price, other);
	if (units.length === 0)
		return null;
	const tiers = ['batch', 'flex', 'priority'].filter((t) => t in price);
	const note = `the public tables disagree (litellm: ${
		figures(price, units)}${tiers.length > 0
		? `, with tiers for ${tiers.join(', ')} that genai-prices has not`
		: ''}; genai-prices: ${figures(other, units)}); ` +
		`the dearer price stands here${tiers.length > 0
			? ', without the tiers' : ''}`;
	for (const t of tiers)
		delete price[t];
	for (const u of units)
		if (Number(other[u]) > Number(price[u]))
			price[u] = other[u];
	if (price.above !== undefined)
		price.above = price.above.map((row) => dearer(row,
			other.above?.find((r) => r.tokens === row.tokens)));
	warn(name, note);
	return note;
}

function dearer(row, other) {
	for (const u of differing(row, other ?? {}))
		if (Number(other[u]) > Number(row[u]))
			row[u] = other[u];
	return row;
}

// ---- models ---------------------------------------------------------------------

const MODELS = {};
// Names without an entry of their own that cost the same, if they do.
function same(key, price) {
	const e = litellm[key];
	if (e === undefined)
		return false;
	const p = table(e).standard?.[0];
	return p !== undefined && p.input === price.input &&
		p.output === price.output &&
		(p.cached === undefined || p.cached === price.cached);
}

function modalities(e) {
	const input = ['text'];
	if (e.supports_vision) input.push('image');
	if (e.supports_pdf_input) input.push('file');
	if (e.supports_audio_input) input.push('audio');
	if (e.supports_video_input) input.push('video');
	let output = ['text'];
	if (e.mode === 'embedding') output = ['embedding'];
	else if (e.supports_audio_output) output.push('audio');
	return { input, output };
}

function add(provider, name, options = {}) {
	const key = options.key ?? name;
	const e = litellm[key];
	if (e === undefined)
		throw new Error(`LiteLLM has no ${key}`);
	const price = priceOf(table({ output_cost_per_token: 0, ...e }));
	if (price === null)
		throw new Error(`LiteLLM has no price for ${key}`);
	const other = genaiPrice(options.genai ?? `${provider}:${name}`);
	for (const tier of options.drop ?? [])
		delete price[tier];
	for (const unit of options.without ?? [])
		for (const row of [price, price.batch, price.flex, price.priority])
			delete row?.[unit];
	Object.assign(price, options.fix ?? {});
	RULES[options.rules ?? provider]?.(price, e);
	let source = options.fix ? 'by hand' : 'litellm';
	let { note } = options;
	if (other !== null) {
		if (other.audio_cached && price.audio_input)
			price.audio_cached = other.audio_cached;
		if (!options.fix) {
			source = 'litellm, genai-prices';
			note = [note, settle(`${provider}/${name}`, price, other)]
				.filter(Boolean).join('; ');
		} else if (differing(price, other).length === 0) {
			source = 'genai-prices';
		} else {
			warn(`${provider}/${name}`, 'by hand, and not as genai-prices');
		}
	}
	const context = Math.max(e.max_input_tokens ?? 0, other?.context ?? 0);
	const maxOutput = e.mode === 'embedding' || e.max_output_tokens === context
		? null : options.output ?? e.max_output_tokens ?? null;
	const full = `${provider}/${name}`;
	const aliases = [...(options.aliases ?? [])];
	for (const k of options.also ?? [])
		if (same(k, price)) aliases.push(k);
		else warn(full, `${k} costs something else, no alias`);
	for (const k of options.snapshots ?? [])
		if (same(k, price))
			aliases.push(k.includes('/') ? k
				: `${provider}/${k}`);
		else throw new Error(`${k} costs something else than ${full}`);
	MODELS[full] = {
		...(aliases.length > 0 ? { aliases } : {}),
		encoding: options.encoding ?? null,
		context: context || null,
		max_output: maxOutput,
		...modalities(e),
		price: { ...ordered(price), ...price },
		source,
		date: options.date ?? DATE,
		...(note ? { note } : {}),
	};
}

const o200k = { encoding: 'o200k_base' };
const cl100k = { encoding: 'cl100k_base' };
function openai(name, options = {}) {
	add('openai', name, { ...o200k, ...options, also: [
		...[`azure/${name}`, `openrouter/openai/${name}`]
			.filter((k) => k in litellm), ...(options.also ?? [])] });
}

add('azure', 'gpt-4o-mini', { ...o200k, key: 'azure/gpt-4o-mini' });
openai('gpt-5.6', { aliases: ['openai/gpt-5.6-sol'], genai: 'openai:gpt-5.6-sol' });
openai('gpt-5.6-terra');
openai('gpt-5.6-luna');
for (const name of ['gpt-5.5', 'gpt-5.5-pro', 'gpt-5.4', 'gpt-5.4-mini',
	'gpt-5.4-nano', 'gpt-5.4-pro', 'gpt-5.3-codex', 'gpt-5.2', 'gpt-5.2-pro',
	'gpt-5.1', 'gpt-5.1-codex', 'gpt-5.1-codex-max', 'gpt-5.1-codex-mini',
	'gpt-5', 'gpt-5-mini', 'gpt-5-nano', 'gpt-5-pro', 'gpt-5-codex',
	'gpt-5-chat-latest', 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano', 'gpt-4o',
	'gpt-4o-2024-05-13', 'gpt-4o-mini', 'o1', 'o1-pro', 'o3', 'o3-pro',
	'o3-mini', 'o4-mini', 'o3-deep-research', 'o4-mini-deep-research',
	'gpt-audio', 'gpt-audio-mini', 'gpt-4o-audio-preview'])
	openai(name);
// A snapshot of four digits is no other name of its model by a rule: that of
// gpt-3.5-turbo of November costs twice as much.
openai('gpt-4-turbo', { ...cl100k, snapshots: ['gpt-4-1106-preview',
	'gpt-4-0125-preview', 'gpt-4-turbo-preview'] });
openai('gpt-4', { ...cl100k, snapshots: ['gpt-4-0613', 'gpt-4-0314'] });
openai('gpt-3.5-turbo', { ...cl100k, snapshots: ['gpt-3.5-turbo-0125'] });
openai('gpt-3.5-turbo-1106', cl100k);
for (const name of ['text-embedding-3-small', 'text-embedding-3-large',
	'text-embedding-ada-002'])
	openai(name, cl100k);

function claude(name, options = {}) {
	const dotted = name.replace(/-(\d)-(\d)$/, '-$1.$2');
	add('anthropic', name, { ...options, also: [`vertex_ai/${name}`,
		`openrouter/anthropic/${dotted}`].filter((k) => k in litellm) });
}
claude('claude-fable-5');
claude('claude-opus-5');
claude('claude-sonnet-5', { note: 'the price since 2026-09-01, by genai-prices;'
	+ ' until then it was 2 and 10, as litellm of 2026-08-01 has it',
	fix: { input: '3', cached: '0.3', cache_write: '3.75', output: '15' } });
MODELS['anthropic/claude-sonnet-5'].source = 'genai-prices';
MODELS['anthropic/claude-sonnet-5'].aliases = ['vertex_ai/claude-sonnet-5'];
for (const name of ['claude-opus-4-8', 'claude-opus-4-7', 'claude-opus-4-6',
	'claude-opus-4-5', 'claude-opus-4-1', 'claude-sonnet-4-6',
	'claude-sonnet-4-5', 'claude-haiku-4-5'])
	claude(name);
claude('claude-opus-4', { key: 'claude-4-opus-20250514',
	genai: 'anthropic:claude-opus-4-0', aliases: ['anthropic/claude-opus-4-0'] });
claude('claude-sonnet-4', { key: 'claude-4-sonnet-20250514',
	genai: 'anthropic:claude-sonnet-4-0',
	aliases: ['anthropic/claude-sonnet-4-0'] });
claude('claude-3-haiku', { key: 'claude-3-haiku-20240307' });

// Bedrock: the global profile costs what Anthropic asks, a region a tenth
// more. Names without a profile are billed as a region's.
for (const [name, id] of [['claude-fable-5'], ['claude-opus-5'],
	['claude-sonnet-5'], ['claude-opus-4-8'], ['claude-opus-4-7'],
	['claude-opus-4-6', 'claude-opus-4-6-v1'],
	['claude-opus-4-5', 'claude-opus-4-5-20251101-v1:0'], ['claude-sonnet-4-6'],
	['claude-sonnet-4-5', 'claude-sonnet-4-5-20250929-v1:0'],
	['claude-haiku-4-5', 'claude-haiku-4-5-20251001-v1:0']]) {
	const base = MODELS[`anthropic/${name}`];
	const full = id ?? name;
	if (!(`us.anthropic.${full}` in litellm))
		throw new Error(`LiteLLM has no us.anthropic.${full}`);
	(base.aliases ??= []).push(`bedrock/global.anthropic.${name}`);
	const { batch, search, us, fast, ...price } = base.price;
	MODELS[`bedrock/us.anthropic.${name}`] = {
		aliases: ['eu', 'au', 'jp', 'apac'].map((r) =>
			`bedrock/${r}.anthropic.${name}`)
			.concat(`bedrock/anthropic.${name}`),
		...base, price: mapRow(price, (v) => times(v, 1.1)) };
	MODELS[`bedrock/us.anthropic.${name}`].aliases = ['eu', 'au', 'jp', 'apac']
		.map((r) => `bedrock/${r}.anthropic.${name}`)
		.concat(`bedrock/anthropic.${name}`);
	if (base.note)
		MODELS[`bedrock/us.anthropic.${name}`].note =
			`a tenth more than Anthropic's own: ${base.note}`;
	const theirs = litellm[`us.anthropic.${full}`].input_cost_per_token;
	const ours = MODELS[`bedrock/us.anthropic.${name}`].price.input;
	if (perMillion(theirs) !== ours)
		warn(`bedrock/us.anthropic.${name}`,
			`input is ${ours}, LiteLLM: ${perMillion(theirs)}`);
}
for (const [name, key, cached] of [
	['us.amazon.nova-micro', 'us.amazon.nova-micro-v1:0', '0.00875'],
	['us.amazon.nova-lite', 'us.amazon.nova-lite-v1:0', '0.015'],
	['us.amazon.nova-pro', 'us.amazon.nova-pro-v1:0', '0.2'],
	['us.amazon.nova-premier', 'us.amazon.nova-premier-v1:0', '0.625'],
	['global.amazon.nova-2-lite', 'global.amazon.nova-2-lite-v1:0'],
	['us.amazon.nova-2-lite', 'us.amazon.nova-2-lite-v1:0']])
	add('bedrock', name, { key, aliases: /^us.*-(micro|lite|pro)$/.test(name) &&
		!/2-lite/.test(name) ? [`bedrock/${name.slice(3)}`] : undefined,
		genai: `aws:${key.replace(/^us\.(amazon.nova-2)/, 'regional.$1')
			.replace(/^us\./, '')}`, ...(cached ? { fix: { cached } } : {}) });
add('bedrock', 'amazon.titan-embed-text-v2', { key: 'amazon.titan-embed-text-v2:0' });
add('bedrock', 'cohere.embed-english-v3');
add('bedrock', 'cohere.embed-multilingual-v3');
add('bedrock', 'cohere.embed-v4', { key: 'cohere.embed-v4:0' });

function gemini(name, options = {}) {
	add('gemini', name, { key: `gemini/${name}`, genai: `google:${name}`,
		...options, also: [`vertex_ai/${name}`, `openrouter/google/${name}`]
			.filter((k) => k in litellm),
		aliases: [`google/${name}`] });
}
gemini('gemini-3.6-flash');
// Its audio rates are below those of text: another model's.
gemini('gemini-3.5-flash', { without: ['audio_input'] });
gemini('gemini-3.5-flash-lite');
gemini('gemini-3.1-pro-preview');
gemini('gemini-3.1-flash-lite');
gemini('gemini-3-flash-preview');
// A priority tier at the standard rates is none.
gemini('gemini-2.5-pro', { drop: ['priority'] });
gemini('gemini-2.5-flash');
gemini('gemini-2.5-flash-lite');
const GONE = 'litellm has 2026-06-01 as the day it is shut down';
gemini('gemini-2.0-flash', { note: GONE,
	snapshots: ['gemini/gemini-2.0-flash-001'] });
gemini('gemini-2.0-flash-lite', { note: GONE });
gemini('gemini-embedding-001');
gemini('gemini-embedding-2');

const mistral = (name, options = {}) => add('mistral', name,
	{ key: `mistral/${name}`, ...options });
mistral('mistral-large-2512', { aliases: ['mistral/mistral-large-latest',
	'mistral/mistral-large-3'], fix: { cached: '0.05' },
	also: ['openrouter/mistralai/mistral-large-2512'] });
mistral('mistral-medium-2604', { aliases: ['mistral/mistral-medium-latest',
	'mistral/mistral-medium-3-5'] });
mistral('mistral-medium-2508', { aliases: ['mistral/mistral-medium-3-1'] });
// LiteLLM's "latest" is the release before.
mistral('mistral-small-2603', { key: 'mistral/mistral-small-latest',
	aliases: ['mistral/mistral-small-latest'],
	fix: { input: '0.15', cached: '0.015', output: '0.6' } });
mistral('codestral-2508', { aliases: ['mistral/codestral-latest'] });
mistral('devstral-2512', { aliases: ['mistral/devstral-latest',
	'mistral/devstral-medium-latest'] });
mistral('magistral-medium-2509', { aliases: ['mistral/magistral-medium-latest'] });
mistral('magistral-small-latest', { aliases: ['mistral/magistral-small-2509'] });
mistral('ministral-3b-2512', { key: 'mistral/ministral-3-3b-2512',
	aliases: ['mistral/ministral-3b-latest'] });
mistral('ministral-8b-2512', { aliases: ['mistral/ministral-8b-latest'] });
mistral('ministral-14b-2512', { key: 'mistral/ministral-3-14b-2512',
	aliases: ['mistral/ministral-14b-latest'] });
mistral('pixtral-large-2411', { aliases: ['mistral/pixtral-large-latest'],
	genai: 'mistral:pixtral-large' });
mistral('mistral-embed');
mistral('codestral-embed');

const cohere = (name, options = {}) => add('cohere', name, options);
cohere('command-a', { key: 'command-a-03-2025',
	aliases: ['cohere/command-a-03-2025'] });
cohere('command-r-plus', { key: 'command-r-plus-08-2024',
	aliases: ['cohere/command-r-plus-08-2024'] });
cohere('command-r', { key: 'command-r-08-2024',
	aliases: ['cohere/command-r-08-2024'] });
cohere('command-r7b', { key: 'command-r7b-12-2024',
	aliases: ['cohere/command-r7b-12-2024'] });
cohere('embed-v4.0', { key: 'cohere/embed-v4.0' });
for (const name of ['embed-english-v3.0', 'embed-english-light-v3.0',
	'embed-multilingual-v3.0'])
	cohere(name);
// LiteLLM has it a thousand times too dear.
cohere('embed-multilingual-light-v3.0', { fix: { input: '0.1' } });

const deepseek = (name, options = {}) => add('deepseek', name,
	{ key: `deepseek/${name}`, genai: options.genai ?? 'none', ...options });
deepseek('deepseek-v4-pro', { genai: 'deepseek:deepseek-v4-pro' });
deepseek('deepseek-v4-flash', { genai: 'deepseek:deepseek-v4-flash' });
deepseek('deepseek-chat', { genai: 'deepseek:deepseek-chat' });
deepseek('deepseek-reasoner', { genai: 'deepseek:deepseek-reasoner' });
for (const name of ['deepseek-v4-pro', 'deepseek-v4-flash']) // too low by far
	MODELS[`deepseek/${name}`].max_output = null;

const xai = (name, options = {}) => add('xai', name,
	{ key: `xai/${name}`, genai: `x-ai:${name}`, ...options });
xai('grok-4.5');
xai('grok-4.3');
xai('grok-4.20', { key: 'xai/grok-4.20-0309-reasoning',
	aliases: ['xai/grok-4.20-0309-reasoning', 'xai/grok-4.20-multi-agent'] });
xai('grok-4', { key: 'xai/grok-4-0709', genai: 'x-ai:grok-4-0709',
	aliases: ['xai/grok-4-0709', 'xai/grok-4-latest'], fix: { cached: '0.75' } });
xai('grok-4-1-fast', { genai: 'x-ai:grok-4-1-fast-reasoning',
	aliases: ['xai/grok-4-1-fast-reasoning', 'xai/grok-4-1-fast-non-reasoning'] });
xai('grok-code-fast-1');
xai('grok-3');
xai('grok-3-mini');

const groq = (name, options = {}) => add('groq', name, { key: `groq/${name}`,
	...options });
for (const name of ['llama-3.3-70b-versatile', 'llama-3.1-8b-instant',
	'meta-llama/llama-4-maverick-17b-128e-instruct',
	'meta-llama/llama-4-scout-17b-16e-instruct', 'qwen/qwen3-32b',
	'moonshotai/kimi-k2-instruct-0905'])
	groq(name);
const harmony = { encoding: 'o200k_harmony' };
groq('openai/gpt-oss-120b', harmony);
groq('openai/gpt-oss-20b', harmony);

const together = (name, options = {}) => add('together', name,
	{ key: `together_ai/${name}`, aliases: [`together_ai/${name}`], ...options });
for (const name of ['meta-llama/Llama-3.3-70B-Instruct-Turbo',
	'meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8',
	'meta-llama/Llama-4-Scout-17B-16E-Instruct',
	'meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo', 'deepseek-ai/DeepSeek-R1',
	'deepseek-ai/DeepSeek-V3.1', 'moonshotai/Kimi-K2.5', 'zai-org/GLM-4.7',
	'Qwen/Qwen3.5-397B-A17B'])
	together(name);
together('openai/gpt-oss-120b', harmony);
together('openai/gpt-oss-20b', harmony);

for (const name of ['gpt-oss-120b', 'llama-3.3-70b', 'llama3.1-8b',
	'qwen-3-32b', 'zai-glm-4.7'])
	add('cerebras', name, { key: `cerebras/${name}`,
		...(/gpt-oss/.test(name) ? harmony : {}) });
for (const name of ['deepseek-v4-pro', 'deepseek-v4-flash', 'glm-5p2',
	'kimi-k2p6', 'minimax-m3', 'gpt-oss-120b', 'gpt-oss-20b'])
	add('fireworks', name, {
		key: `fireworks_ai/accounts/fireworks/models/${name}`,
		aliases: [`fireworks_ai/${name}`,
			`fireworks/accounts/fireworks/models/${name}`],
		...(/gpt-oss/.test(name) ? harmony : {}) });
for (const name of ['kimi-k2.6', 'kimi-k2.5'])
	add('moonshot', name, { key: `moonshot/${name}`,
		genai: `moonshotai:${name}` });
// A request costs more with a larger search context: the dearest stands here
// (the answer says what was charged).
add('perplexity', 'sonar', { key: 'perplexity/sonar', fix: { request: '0.012' } });
add('perplexity', 'sonar-pro', { key: 'perplexity/sonar-pro',
	fix: { request: '0.014' } });
add('perplexity', 'sonar-reasoning-pro', { key: 'perplexity/sonar-reasoning-pro',
	fix: { request: '0.014' } });

const voyage = (name, options = {}) => add('voyage', name, {
	key: `voyage/${name}`, genai: `voyageai:${name}`, ...options });
for (const [name, input] of [['voyage-4', '0.06'], ['voyage-4-large', '0.12'],
	['voyage-4-lite', '0.02']])
	voyage(name, { key: 'voyage/voyage-3.5', fix: { input } });
for (const name of ['voyage-3.5', 'voyage-3.5-lite', 'voyage-3-large',
	'voyage-3', 'voyage-3-lite', 'voyage-code-3', 'voyage-context-3',
	'voyage-law-2', 'voyage-finance-2'])
	voyage(name);

for (const name of ['local/*', 'ollama/*', 'llamacpp/*', 'vllm/*', 'lmstudio/*'])
	MODELS[name] = { price: 'free', source: 'runs on your own machine',
		date: DATE };

// ---- output: one line a price row, so that a diff shows what changed -----------

const line = (v) => JSON.stringify(v).replace(/":/g, '": ').replace(/,"/g, ', "')
	.replace(/,\{/g, ', {');
function print(model) {
	const out = [];
	for (const [k, v] of Object.entries(model)) {
		if (k !== 'price' || typeof v === 'string') {
			out.push(`\t\t\t"${k}": ${line(v)}`);
			continue;
		}
		const { batch, flex, priority, above, ...row } = v;
		const parts = [line(row).slice(1, -1)];
		for (const [n, x] of Object.entries({ above, batch, flex, priority }))
			if (x !== undefined)
				parts.push(`"${n}": ${line(x)}`);
		out.push(`\t\t\t"price": { ${parts.join(',\n\t\t\t\t')} }`);
	}
	return out.join(',\n');
}
console.log(`{
	"version": 1,
	"date": ${JSON.stringify(DATE)},
	"sources": {
		"litellm": "https://github.com/BerriAI/litellm model_prices_and_context_window.json",
		"genai-prices": "https://github.com/pydantic/genai-prices"
	},
	"models": {
${Object.entries(MODELS).map(([n, m]) => `\t\t${JSON.stringify(n)}: {\n${print(m)}\n\t\t}`)
		.join(',\n')}
	}
}`);
for (const w of warnings)
	console.error(w);
