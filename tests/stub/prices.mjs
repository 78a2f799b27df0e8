// prices.mjs PROGRAM CATALOG SEED COUNT: every rule of prices against exact
// rationals. PROGRAM is tests/stub/ai-prices; the rules here are written from
// the comments in price.h and bill.h, not from their code, and numbers are
// BigInt fractions from the catalog's text to the one rounding.
//
// For every model of the catalog, and for made-up prices that reach every
// corner, COUNT usages a tier are drawn, written as one of the providers
// would, and billed by both. A line of summary; exit 1 and the first
// differences on stderr if there are any.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const [program, catalogPath, seedText, countText] = process.argv.slice(2);
const COUNT = Number(countText);

// ---- chance, the same on every machine --------------------------------------

let state = BigInt(seedText) * 2n + 1n;
function random() { // 0 <= x < 1
	state = (state * 6364136223846793005n + 1442695040888963407n) &
		0xFFFFFFFFFFFFFFFFn;
	return Number(state >> 11n) / 2 ** 53;
}
const below = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const pick = (list) => list[below(list.length)];
// Of all sizes: as many small numbers as large ones.
const size = (bits) => below(2 ** below(bits + 1));

// ---- fractions ---------------------------------------------------------------

class Q {
	constructor(n, d = 1n) { this.n = n; this.d = d; }
	static of(text) { // a decimal
		const [whole, part = ''] = text.split('.');
		return new Q(BigInt(whole + part), 10n ** BigInt(part.length));
	}
	plus(o) { return new Q(this.n * o.d + o.n * this.d, this.d * o.d); }
	times(o) { return new Q(this.n * o.n, this.d * o.d); }
	over(k) { return new Q(this.n, this.d * k); }
	more(o) { return this.n * o.d > o.n * this.d; }
	ceil() { return (this.n + this.d - 1n) / this.d; }
}
const ZERO = new Q(0n);
const NANO = new Q(10n ** 9n);
const MOST = 2n ** 63n - 1n;
const dearest = (list) => list.reduce((a, b) => (b.more(a) ? b : a), ZERO);

// ---- the rules of price.h ------------------------------------------------------

const UNITS = ['input', 'cached', 'cache_write', 'cache_write_1h',
	'audio_input', 'audio_cached', 'output', 'reasoning', 'audio_output'];
const INPUT = UNITS.slice(0, 6);
const OUTPUT = UNITS.slice(6);
const KIN = { cached: 'input', cache_write: 'input',
	cache_write_1h: 'cache_write', audio_input: 'input',
	audio_cached: 'audio_input', reasoning: 'output', audio_output: 'output' };
const TIERS = ['standard', 'batch', 'flex', 'priority'];

const limits = (price) => [0, ...(price.above ?? []).map((r) => r.tokens)];
function row(price, tier, band) { // as written, or undefined
	const t = tier === 'standard' ? price : price[tier];
	const above = limits(price)[band];
	return band === 0 ? t : t?.above?.find((r) => r.tokens === above);
}
// Dollars a token.
function rate(price, tier, band, unit) {
	const own = row(price, tier, band);
	if (own?.[unit] !== undefined)
		return Q.of(own[unit]).over(1000000n);
	const said = [];
	for (let b = 0; b <= band; b++)
		for (const t of b < band ? ['standard', tier] : ['standard'])
			if (row(price, t, b)?.[unit] !== undefined)
				said.push(Q.of(row(price, t, b)[unit])
					.over(1000000n));
	if (unit in KIN && (own !== undefined || said.length === 0))
		said.push(rate(price, tier, band, KIN[unit]));
	return dearest(said);
}
const fee = (price, name) => (price[name] ? Q.of(price[name]) : ZERO);

const band = (price, input) => limits(price)
	.reduce((best, tokens, b) => (input > tokens ? b : best), 0);

// In dollars, or null where there is no price.
function bill(price, tier, used) {
	if (price === 'free')
		return ZERO;
	if (tier === 'priority' && !price.priority)
		return null;
	const b = band(price, INPUT.reduce((n, u) => n + used[u], 0));
	let sum = ZERO;
	for (const u of UNITS)
		sum = sum.plus(rate(price, tier, b, u)
			.times(new Q(BigInt(used[u]))));
	if (used.us && price.us)
		sum = sum.times(Q.of(price.us));
	if (used.fast) {
		if (!price.fast)
			return null;
		sum = sum.times(Q.of(price.fast));
	}
	return sum.plus(fee(price, 'search').times(new Q(BigInt(used.search))))
		.plus(fee(price, 'request'));
}

const MAY = { cache_write_1h: 1, audio_input: 2, audio_cached: 2,
	audio_output: 4 };
function worst(price, tier, ask) {
	if (price === 'free')
		return ZERO;
	if (tier === 'priority' && !price.priority)
		return null;
	const top = (units) => {
		const rates = [];
		for (let b = 0; b <= band(price, ask.input); b++)
			for (const u of units)
				if (!(u in MAY) || ask.may & MAY[u])
					rates.push(rate(price, tier, b, u));
		return dearest(rates);
	};
	let sum = top(INPUT).times(new Q(BigInt(ask.input)))
		.plus(top(OUTPUT).times(new Q(BigInt(ask.output))));
	if (ask.may & 8 && price.us)
		sum = sum.times(Q.of(price.us));
	if (ask.may & 16 && price.fast)
		sum = sum.times(Q.of(price.fast));
	return sum.plus(fee(price, 'search').times(new Q(BigInt(ask.searches))))
		.plus(fee(price, 'request'));
}

// ---- usages, and how each provider writes them ------------------------------------

// What a provider cannot say must be 0.
const CAN = {
	openai: ['input', 'cached', 'cache_write', 'audio_input',
		'audio_cached', 'output', 'reasoning', 'audio_output'],
	anthropic: ['input', 'cached', 'cache_write', 'cache_write_1h', 'output',
		'reasoning', 'search', 'us', 'fast'],
	gemini: ['input', 'cached', 'audio_input', 'audio_cached', 'output',
		'reasoning', 'audio_output'],
	bedrock: ['input', 'cached', 'cache_write', 'cache_write_1h', 'output'],
	cohere: ['input', 'output', 'search'],
	ollama: ['input', 'output'],
	embedding: ['input'],
};
CAN.responses = CAN.openai;
CAN.blind = CAN.openai;
CAN.openai_embedding = CAN.embedding;
CAN.xai = ['input', 'cached', 'output', 'reasoning'];
CAN.deepseek = ['input', 'cached', 'output'];

const add = (u, names) => names.reduce((n, k) => n + u[k], 0);
const openaiDetails = (u) => ({
	cached_tokens: u.cached + u.audio_cached,
	audio_tokens: u.audio_input + u.audio_cached,
	...(u.cache_write || chance(0.5)
		? { cache_write_tokens: u.cache_write } : {}),
	...(u.audio_cached ? { cached_tokens_details:
		{ audio_tokens: u.audio_cached } } : {}),
	text_tokens: 7,
});
const WRITE = {
	openai(u) {
		const p = add(u, INPUT);
		const c = add(u, OUTPUT);
		return { shape: 'openai', usage: { prompt_tokens: p,
			completion_tokens: c,
			...(chance(0.7) ? { total_tokens: p + c } : {}),
			prompt_tokens_details: openaiDetails(u),
			completion_tokens_details: { audio_tokens: u.audio_output,
				reasoning_tokens: u.reasoning,
				accepted_prediction_tokens: 3 } } };
	},
	responses(u) {
		return { shape: 'openai', usage: { input_tokens: add(u, INPUT),
			output_tokens: add(u, OUTPUT),
			total_tokens: add(u, UNITS),
			input_tokens_details: openaiDetails(u),
			output_tokens_details: { audio_tokens: u.audio_output,
				reasoning_tokens: u.reasoning } } };
	},
	// Which of the cached is audio is not told: as little as can be.
	blind(u) {
		const { usage } = WRITE.openai(u);
		delete usage.prompt_tokens_details.cached_tokens_details;
		return { shape: 'openai', usage };
	},
	openai_embedding: (u) => ({ shape: 'openai', usage:
		{ prompt_tokens: u.input, total_tokens: u.input } }),
	xai(u) {
		return { shape: 'reported', usage: { prompt_tokens: add(u, INPUT),
			completion_tokens: u.output, total_tokens: add(u, UNITS),
			prompt_tokens_details: { cached_tokens: u.cached },
			completion_tokens_details:
				{ reasoning_tokens: u.reasoning } } };
	},
	deepseek(u) {
		return { shape: 'openai', usage: { prompt_tokens: add(u, INPUT),
			completion_tokens: u.output,
			prompt_cache_hit_tokens: u.cached,
			prompt_cache_miss_tokens: u.input } };
	},
	anthropic(u) {
		const w = u.cache_write + u.cache_write_1h;
		return { shape: 'anthropic', usage: { input_tokens: u.input,
			cache_read_input_tokens: u.cached,
			cache_creation_input_tokens: w,
			...(u.cache_write_1h || chance(0.5) ? { cache_creation: {
				ephemeral_5m_input_tokens: u.cache_write,
				ephemeral_1h_input_tokens: u.cache_write_1h } } : {}),
			output_tokens: u.output + u.reasoning,
			output_tokens_details: { thinking_tokens: u.reasoning },
			server_tool_use: { web_search_requests: u.search },
			service_tier: 'standard',
			inference_geo: u.us ? 'us' : 'global',
			speed: u.fast ? 'fast' : 'standard' } };
	},
	gemini(u) {
		const text = u.input + u.cached;
		const tool = chance(0.3) ? below(u.input + 1) : 0;
		return { shape: 'gemini', usage: {
			promptTokenCount: add(u, INPUT) - tool,
			toolUsePromptTokenCount: tool,
			cachedContentTokenCount: u.cached + u.audio_cached,
			candidatesTokenCount: u.output + u.audio_output,
			thoughtsTokenCount: u.reasoning,
			totalTokenCount: add(u, UNITS),
			promptTokensDetails: [
				{ modality: 'TEXT', tokenCount: text - tool },
				{ modality: 'AUDIO',
					tokenCount: u.audio_input + u.audio_cached }],
			cacheTokensDetails: [
				{ modality: 'AUDIO', tokenCount: u.audio_cached },
				{ modality: 'TEXT', tokenCount: u.cached }],
			candidatesTokensDetails: [
				{ modality: 'AUDIO', tokenCount: u.audio_output }] } };
	},
	bedrock(u) {
		return { shape: 'bedrock', usage: { inputTokens: u.input,
			outputTokens: u.output, cacheReadInputTokens: u.cached,
			cacheWriteInputTokens: u.cache_write + u.cache_write_1h,
			cacheDetails: [{ ttl: '1h', inputTokens: u.cache_write_1h },
				{ ttl: '5m', inputTokens: u.cache_write }] } };
	},
	cohere: (u) => ({ shape: 'cohere', usage: { billed_units: {
		input_tokens: u.input, output_tokens: u.output,
		search_units: u.search },
	tokens: { input_tokens: u.input + 500, output_tokens: u.output + 1 } } }),
	ollama: (u) => ({ shape: 'ollama', usage: { model: 'm', done: true,
		prompt_eval_count: u.input, eval_count: u.output } }),
	embedding: (u) => ({ shape: 'embedding', usage:
		{ total_tokens: u.input } }),
};

function draw(price, who) {
	const u = { search: 0, us: false, fast: false };
	// Sums beyond the 53 bits of a double, at times.
	const bits = chance(0.2) ? 37 : 21;
	for (const unit of UNITS)
		u[unit] = CAN[who].includes(unit) && chance(0.7) ? size(bits) : 0;
	if (CAN[who].includes('search')) u.search = chance(0.2) ? below(9) : 0;
	if (CAN[who].includes('us')) u.us = chance(0.2);
	if (CAN[who].includes('fast')) u.fast = chance(0.1);
	// Audio is known to be cached only where no text is left to be.
	const bound = who === 'blind' && u.audio_cached > 0;
	if (bound)
		u.input = 0;
	// Often at the very edge of a band.
	const edge = pick(limits(price));
	if (edge > 0 && !bound && chance(0.6)) {
		const rest = add(u, INPUT) - u.input;
		const want = edge + below(3) - 1 - rest;
		if (want >= 0) u.input = want;
	}
	return u;
}

// ---- made-up prices ------------------------------------------------------------

function decimal(places, bits) {
	const text = String(size(bits)).padStart(places + 1, '0');
	return `${text.slice(0, -places)}.${text.slice(-places)}`;
}
function madeRow(extra) {
	const r = { input: decimal(6, 30), output: decimal(6, 30) };
	for (const unit of UNITS)
		if (unit in KIN && chance(0.4)) r[unit] = decimal(6, 30);
	return { ...r, ...extra };
}
function madePrice() {
	const p = madeRow({});
	if (chance(0.6)) {
		p.above = [];
		for (let n = 1 + below(3), at = 0; n > 0; n--) {
			at += 1 + below(100000);
			p.above.push(madeRow({ tokens: at }));
		}
	}
	for (const tier of TIERS.slice(1))
		if (chance(0.5)) {
			p[tier] = madeRow({});
			const bands = (p.above ?? []).filter(() => chance(0.5));
			if (bands.length > 0)
				p[tier].above = bands.map((r) =>
					madeRow({ tokens: r.tokens }));
		}
	if (chance(0.5)) p.search = decimal(12, 38);
	if (chance(0.5)) p.request = decimal(12, 38);
	if (chance(0.5)) p.us = `1.${below(1000)}`.replace(/\.0*$/, '');
	if (chance(0.5)) p.fast = String(1 + below(9));
	return p;
}

// ---- asking ----------------------------------------------------------------------

const cases = []; // { line, want (dollars or null), rule }
function ask(where, price, tier) {
	for (let i = 0; i < COUNT; i++) {
		const who = pick(Object.keys(WRITE));
		const used = draw(price, who);
		const paid = bill(price, tier, used);
		cases.push({ line: { ...where, tier, ...WRITE[who](used) },
			want: paid, rule: 'bill' });
		// A request that could have used just that, or more.
		const w = { input: add(used, INPUT) + size(8),
			output: add(used, OUTPUT) + size(8),
			searches: used.search + below(2), may: below(32) };
		const bound = worst(price, tier, w);
		cases.push({ line: { ...where, tier, worst: w }, want: bound,
			rule: 'worst' });
		if (paid !== null && bound !== null &&
			paid.more(worst(price, tier, { ...w, may: 31 })))
			throw new Error(`the worst case is none: ${
				JSON.stringify([where, tier, used, w])}`);
	}
}

const { models } = JSON.parse(readFileSync(catalogPath, 'utf8'));
for (const [model, { price }] of Object.entries(models)) {
	const name = model.replace(/\*$/, 'any');
	for (const tier of TIERS)
		ask({ model: name }, price, tier);
}
for (let i = 0; i < 400; i++) {
	const price = madePrice();
	for (const tier of TIERS)
		ask({ price }, price, tier);
}
// --price: the same rules with two or three rates, and any tier.
for (let i = 0; i < 200; i++) {
	const price = { input: decimal(6, 30), output: decimal(6, 30) };
	if (chance(0.5)) price.cached = decimal(6, 30);
	const text = [price.input, price.output, price.cached]
		.filter((x) => x !== undefined).join(',');
	ask({ text }, price, pick(TIERS.slice(0, 3)));
}

const run = spawnSync(program, [], { maxBuffer: 1 << 28,
	input: cases.map((c) => `${JSON.stringify(c.line)}\n`).join('') });
if (run.status !== 0)
	throw new Error(`${program}: ${run.status} ${run.signal} ${run.stderr}`);
const got = run.stdout.toString().trimEnd().split('\n');
if (got.length !== cases.length)
	throw new Error(`${got.length} answers to ${cases.length} questions`);

let bad = 0;
const seen = { bill: 0, worst: 0, refused: 0, rounded: 0, exact: 0 };
cases.forEach((c, i) => {
	const nano = c.want?.times(NANO);
	let want = c.want === null ? 'configuration' : String(nano.ceil());
	seen[c.rule]++;
	if (c.want !== null && nano.ceil() > MOST)
		want = c.rule === 'bill' ? 'invalid_answer' : 'configuration';
	if (/[a-z]/.test(want)) seen.refused++;
	else if (nano.n % nano.d === 0n) seen.exact++;
	else seen.rounded++;
	if (got[i].replace(/:.*/, '') !== want && bad++ < 5)
		console.error(`${JSON.stringify(c.line)}\n  ${got[i]}, not ${want}`);
});
console.log(`seed ${seedText}: ${Object.keys(models).length} models, ${
	seen.bill} bills and ${seen.worst} worst cases (${seen.rounded
} rounded up, ${seen.exact} whole, ${seen.refused} refused): ${bad} wrong`);
process.exit(bad > 0 ? 1 : 0);
