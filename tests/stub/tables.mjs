// tables.mjs PROGRAM TABLE DAY SEED COUNT: bills of what was imported against
// exact rationals.
//
// TABLE, LiteLLM's or that of genai-prices, is read here once more, as text,
// from what its keys say in words; nothing is taken from our own reading of it.
// PROGRAM (tests/stub/ai-prices) bills COUNT random usages over all of its
// models, with every unit that the model has a price for, at random tiers and
// at the edges of bands. It was imported at DAY, with everything accepted. A
// line of summary; exit 1 and the first differences on stderr if there are any.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const [program, tablePath, DAY, seedText, countText] = process.argv.slice(2);
const COUNT = Number(countText);

let state = BigInt(seedText) * 2n + 1n;
function random() {
	state = (state * 6364136223846793005n + 1442695040888963407n) &
		0xFFFFFFFFFFFFFFFFn;
	return Number(state >> 11n) / 2 ** 53;
}
const below = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const pick = (list) => list[below(list.length)];
const size = (bits) => below(2 ** below(bits + 1));

// ---- JSON with its numbers as they are written ------------------------------------

class Num { constructor(text) { this.text = text; } }
function parse(text) {
	let at = 0;
	const blank = () => { while (' \t\r\n'.includes(text[at])) at++; };
	function value() {
		blank();
		if (text[at] === '{' || text[at] === '[') {
			const list = text[at++] === '[';
			const out = list ? [] : {};
			for (blank(); text[at] !== (list ? ']' : '}'); blank()) {
				if (list) { out.push(value()); } else {
					const k = string();
					blank();
					at++;
					out[k] = value();
				}
				blank();
				if (text[at] === ',') at++;
				blank();
			}
			at++;
			return out;
		}
		if (text[at] === '"') return string();
		const [word] = /[^\s,\]}]+/.exec(text.slice(at, at + 80));
		at += word.length;
		return { true: true, false: false, null: null }[word] ??
			(word === 'null' ? null : new Num(word));
	}
	function string() {
		blank();
		const from = at++;
		while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
		return JSON.parse(text.slice(from, ++at));
	}
	return value();
}

// ---- pico-dollars, rounded up where a table has more decimals ------------------------

// The number's text / 10^power dollars.
function pico(num, power) {
	const [, whole, part = '', exp = '0'] =
		/^(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(num.text);
	const shift = Number(exp) - part.length + 12 - power;
	const n = BigInt(whole + part);
	if (shift >= 0) return n * 10n ** BigInt(shift);
	const d = 10n ** BigInt(-shift);
	return (n + d - 1n) / d;
}

// ---- LiteLLM ---------------------------------------------------------------------------

const WORDS = [ // in their words
	[/^input_cost_per_token$/, 'input'],
	[/^output_cost_per_token$/, 'output'],
	[/^cache_read_input_token_cost$|^input_cost_per_token_cache_hit$/,
		'cached'],
	[/^cache_creation_input_token_cost$/, 'cache_write'],
	[/^cache_creation_input_token_cost_above_1hr$/, 'cache_write_1h'],
	[/^input_cost_per_audio_token$/, 'audio_input'],
	[/^cache_read_input_audio_token_cost$/, 'audio_cached'],
	[/^cache_creation_input_audio_token_cost$/, 'audio_cache_write'],
	[/^output_cost_per_(audio|image|video)_token$/, '$1_output'],
	[/^input_cost_per_image_token$/, 'image_input'],
	[/^output_cost_per_reasoning_token$/, 'reasoning'],
	[/^citation_cost_per_token$/, 'citation'],
	[/^input_cost_per_(request|query)$/, '$1'],
	[/^input_cost_per_(image|pixel|character|second)$/, 'per_$1_in'],
	[/^output_cost_per_(image|pixel|character|second)$/, 'per_$1_out'],
	[/^output_cost_per_second_1080p$/, 'per_second_out_1080p'],
	[/^input_cost_per_(audio|video)_per_second$/, 'per_$1_second_in'],
	[/^input_cost_per_video_per_second_above_(\d+s)_interval$/,
		'per_video_second_in_$1'],
	[/^output_cost_per_video_per_second$/, 'per_video_second_out'],
	[/^ocr_cost_per_page$/, 'per_page'],
	[/^annotation_cost_per_page$/, 'per_annotated_page'],
	[/^ocr_cost_per_credit$/, 'per_credit'],
	[/^code_interpreter_cost_per_session$/, 'per_session'],
];
function word(key) {
	for (const [re, unit] of WORDS)
		if (re.test(key)) return key.replace(re, unit);
	return null;
}
const TIERS = ['standard', 'batch', 'flex', 'priority'];
const SUFFIX = { batches: 'batch', flex: 'flex', priority: 'priority' };

class Price {
	constructor() { this.rows = {}; this.factor = {}; this.edges = [0]; }
	set(tier, above, unit, rate) {
		if (!this.edges.includes(above)) this.edges.push(above);
		this.edges.sort((a, b) => a - b);
		const row = ((this.rows[tier] ??= {})[above] ??= {});
		if (row[unit] === undefined || row[unit] < rate) row[unit] = rate;
	}
}

function litellm(entry) {
	const p = new Price();
	let priced = false;
	const put = (tier, above, unit, num) => {
		if (!(num instanceof Num)) return;
		priced = true;
		p.set(tier, above, unit, pico(num, 0));
	};
	for (const [key, v] of Object.entries(entry)) {
		let name = key;
		let above = 0;
		let tier = 'standard';
		const t = /^(.*)_(batches|flex|priority)$/.exec(name);
		if (t) { [, name] = t; tier = SUFFIX[t[2]]; }
		const b = /^(.*)_above_(\d+)k_tokens$/.exec(name);
		if (b) { [, name] = b; above = Number(b[2]) * 1000; }
		if (word(name)) put(tier, above, word(name), v);
		const f = /^regional_processing_uplift_multiplier_(..)$/.exec(key);
		if (f) p.factor[f[1]] = pico(v, 9);
	}
	const q = entry.search_context_cost_per_query ?? {};
	for (const s of ['low', 'medium', 'high']) {
		put('standard', 0, `search_${s}`, q[`search_context_size_${s}`]);
		put('standard', 0, 'search', q[`search_context_size_${s}`]);
	}
	for (const row of entry.tiered_pricing ?? []) {
		const r = row.range ?? row.max_results_range;
		let above = Number(r[0].text);
		if (row.max_results_range) {
			p.results = true;
			above = Math.max(0, above - 1);
		}
		for (const [key, v] of Object.entries(row))
			if (word(key)) put('standard', above, word(key), v);
	}
	for (const [k, v] of Object.entries(entry.provider_specific_entry ?? {}))
		if (v instanceof Num) p.factor[k] = pico(v, 9);
	return priced ? p : null;
}

// ---- genai-prices --------------------------------------------------------------------

const MTOK = { input_mtok: 'input', output_mtok: 'output',
	cache_read_mtok: 'cached', cache_write_mtok: 'cache_write',
	input_audio_mtok: 'audio_input', cache_audio_read_mtok: 'audio_cached',
	output_audio_mtok: 'audio_output' };
function genai(prices) {
	const p = new Price();
	for (const [key, v] of Object.entries(prices)) {
		if (key === 'requests_kcount') {
			p.set('standard', 0, 'request', pico(v, 3));
			continue;
		}
		p.set('standard', 0, MTOK[key], pico(v.base ?? v, 6));
		for (const t of v.tiers ?? [])
			p.set('standard', Number(t.start.text), MTOK[key],
				pico(t.price, 6));
	}
	return p;
}

// ---- names ---------------------------------------------------------------------------

const OURS = { aws: 'bedrock', google: 'gemini', 'x-ai': 'xai',
	moonshotai: 'moonshot', voyageai: 'voyage', zhipuai: 'zai',
	azure_text: 'azure', bedrock_converse: 'bedrock', cohere_chat: 'cohere',
	jina_ai: 'jina', together_ai: 'together', 'amazon-nova': 'amazon_nova',
	'text-completion-codestral': 'codestral',
	'text-completion-inception': 'inception',
	'text-completion-openai': 'openai' };
const provider = (p) => p.startsWith('vertex_ai-') ? 'vertex_ai'
	: p.startsWith('fireworks_ai') ? 'fireworks' : OURS[p] ?? p;
function nameOf(p, model) {
	const slash = model.indexOf('/');
	const rest = slash >= 0 && provider(model.slice(0, slash)) === provider(p)
		? model.slice(slash + 1) : model;
	return `${provider(p)}/${rest}`;
}

// ---- the rules of price.h ---------------------------------------------------------------

const KIN = { cached: 'input', cache_write: 'input',
	cache_write_1h: 'cache_write', audio_input: 'input',
	audio_cached: 'audio_input', audio_cache_write: 'audio_input',
	image_input: 'input', reasoning: 'output', audio_output: 'output',
	image_output: 'output', video_output: 'output', citation: 'input',
	search_low: 'search', search_medium: 'search', search_high: 'search',
	per_second_out_1080p: 'per_second_out',
	per_video_second_in_8s: 'per_video_second_in',
	per_video_second_in_15s: 'per_video_second_in' };
const FREE = ['search', 'search_low', 'search_medium', 'search_high', 'request',
	'result'];
const INPUT = ['input', 'cached', 'cache_write', 'cache_write_1h',
	'audio_input', 'audio_cached', 'audio_cache_write', 'image_input'];
const TOKENS = [...INPUT, 'output', 'reasoning', 'audio_output',
	'image_output', 'video_output', 'citation'];

const dearest = (list) => list.filter((x) => x !== undefined)
	.reduce((a, b) => (a === undefined || b > a ? b : a), undefined);
const given = (p, tier, band, unit) => p.rows[tier]?.[p.edges[band]]?.[unit];
// A row is there if the table says anything of it; bands are there for all.
function isThere(p, tier, band) {
	const t = p.rows[tier];
	const there = tier === 'standard' || (t !== undefined &&
		(band === 0 || t[p.edges[band]] !== undefined));
	return there && (plain(p, tier, band, 'input') !== undefined ||
		plain(p, tier, band, 'output') !== undefined);
}
function plain(p, tier, band, unit) {
	const own = given(p, tier, band, unit);
	if (own !== undefined) return own;
	const said = [];
	for (let b = 0; b <= band; b++) {
		said.push(given(p, 'standard', b, unit));
		if (b < band) said.push(given(p, tier, b, unit));
	}
	return dearest(said);
}
function rate(p, tier, band, unit) {
	const own = given(p, tier, band, unit);
	if (own !== undefined) return own;
	let r = plain(p, tier, band, unit);
	if (KIN[unit] && (r === undefined || isThere(p, tier, band)))
		r = dearest([r, rate(p, tier, band, KIN[unit])]);
	return r ?? (FREE.includes(unit) ? 0n : undefined);
}

// Nano-dollars, or null.
function bill(p, tier, u) {
	if (tier === 'priority' && p.rows.priority === undefined)
		return null;
	const level = p.results ? u.result ?? 0
		: INPUT.reduce((n, k) => n + (u[k] ?? 0), 0);
	const band = p.edges.reduce((best, e, b) => (level > e ? b : best), 0);
	let sum = 0n;
	let fees = 0n;
	for (const [unit, n] of Object.entries(u)) {
		if (typeof n !== 'number' || n === 0) continue;
		const r = rate(p, tier, band, unit);
		if (r === undefined) return null;
		if (TOKENS.includes(unit)) sum += BigInt(n) * r;
		else fees += BigInt(n) * r;
	}
	let unit = 1000n; // pico-dollars a nano-dollar
	for (const f of ['us', 'eu', 'fast']) {
		if (!u[f]) continue;
		if (f === 'fast' && p.factor.fast === undefined)
			return null;
		if (p.factor[f] === undefined) continue;
		sum *= p.factor[f];
		fees *= 1000n;
		unit *= 1000n;
	}
	return (sum + fees + unit - 1n) / unit;
}

// ---- usages ------------------------------------------------------------------------------

function draw(p) {
	const known = new Set(FREE);
	for (const rows of Object.values(p.rows))
		for (const row of Object.values(rows))
			for (const unit of Object.keys(row)) known.add(unit);
	const u = { request: below(3) };
	for (const unit of known)
		if (chance(0.6)) u[unit] = size(chance(0.1) ? 37 : 20);
	// Kin that is not told, and at times what has no price.
	for (const unit of Object.keys(KIN))
		if (chance(0.05)) u[unit] = size(12);
	const edge = pick(p.edges);
	if (p.results) {
		u.result = edge + below(3);
	} else if (edge > 0 && chance(0.7)) {
		const rest = INPUT.slice(1).reduce((n, k) => n + (u[k] ?? 0), 0);
		if (edge - rest > 1) u.input = edge - rest + below(3) - 1;
	}
	for (const f of Object.keys(p.factor)) if (chance(0.5)) u[f] = true;
	return u;
}

const offers = new Map(); // name and day -> the price that must hold
const sum = (p) => (rate(p, 'standard', 0, 'input') ?? -1n) / 2n +
	(rate(p, 'standard', 0, 'output') ?? -1n) / 2n;
let models = 0;
function offer(name, when, p) {
	models++;
	const key = `${when} ${name}`;
	const old = offers.get(key);
	if (old === undefined || sum(p) >= sum(old.p))
		offers.set(key, { name, when, p });
}
function readLitellm(table) {
	for (const [key, entry] of Object.entries(table)) {
		const p = key === 'sample_spec' ? null : litellm(entry);
		if (p !== null) offer(nameOf(entry.litellm_provider, key), DAY, p);
	}
}
// A list of prices by days or by hours of the day.
function readDated(name, list) {
	for (const { constraint: c, prices } of list) {
		const hourly = list.some((x) => x.constraint?.start_time);
		const when = c?.start_date ?? (c?.start_time ? `${DAY}T12:00`
			: hourly ? `${DAY}T20:00` : '1999-01-01');
		offer(name, when, genai(prices));
	}
}
function readGenai(table) {
	for (const { id, models: list } of table)
		for (const m of list)
			if (Array.isArray(m.prices))
				readDated(nameOf(id, m.id), m.prices);
			else
				offer(nameOf(id, m.id), DAY, genai(m.prices));
}
const table = parse(readFileSync(tablePath, 'utf8'));
(Array.isArray(table) ? readGenai : readLitellm)(table);

const all = [...offers.values()];
const cases = [];
for (let i = 0; cases.length < COUNT || i < all.length; i++) {
	const { name, when, p } = all[i % all.length];
	const usage = draw(p);
	const tier = pick(TIERS);
	cases.push({ line: { imported: name, when, tier, shape: 'units', usage },
		want: bill(p, tier, usage) });
}

const run = spawnSync(program, [], { maxBuffer: 1 << 28,
	input: cases.map((c) => `${JSON.stringify(c.line)}\n`).join('') });
if (run.status !== 0)
	throw new Error(`${program}: ${run.status} ${run.signal} ${run.stderr}`);
const got = run.stdout.toString().trimEnd().split('\n');
if (got.length !== cases.length)
	throw new Error(`${got.length} answers to ${cases.length} questions`);
let wrong = 0;
let refused = 0;
got.forEach((text, i) => {
	const { line, want } = cases[i];
	refused += want === null;
	// More than 9 billion dollars is no bill, either.
	const right = want === null || want >= 2n ** 63n
		? /^(configuration|invalid_answer): /.test(text) : text === String(want);
	if (!right && wrong++ < 5)
		console.error(JSON.stringify(line), 'is', text, 'not', want);
});
console.log(`${models} models, ${cases.length} bills (${refused} have none): ${
	wrong} wrong`);
process.exit(wrong === 0 ? 0 : 1);
