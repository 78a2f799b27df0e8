// bodies.mjs: the requests of model/ against what providers publish of their
// interfaces, as npm's ajv reads it, on random requests.
//
//	node bodies.mjs AI-BODIES OPENAI-OPENAPI BEDROCK-SERVICE COUNT SEED
//
// AI-BODIES is tests/stub's program. Each body is also spoiled, member by
// member, to know that the check checks. node_modules is found beside this file
// or below AI_TEST_PEER. Prints what was compared; exits 1 if a body is not
// valid, or if a spoiled one is.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(
	join(process.env.AI_TEST_PEER ?? here, 'package.json'));
const Ajv = require('ajv/dist/2020').default;

const [program, openapi, service, count, seed] = process.argv.slice(2);

// The same numbers every time.
let state = (Number(seed) * 2654435761 + 2463534242) >>> 0 || 1;
function rnd(n) {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % n;
}

const pick = (list) => list[rnd(list.length)];

// ---- what is published ----

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

// "nullable" is of an older OpenAPI, and ajv refuses it without a type.  And
// the alternatives of a oneOf overlap: a message is of two of its kinds.
function asMeant(v) {
	if (Array.isArray(v))
		return v.map(asMeant);
	if (v === null || typeof v !== 'object')
		return v;
	const { nullable, ...rest } = Object.fromEntries(Object.entries(v)
		.map(([name, x]) => [name === 'oneOf' && Array.isArray(x) &&
			v.anyOf === undefined ? 'anyOf' : name, asMeant(x)]));
	if (nullable === true)
		return { anyOf: [rest, { type: 'null' }] };
	return nullable === undefined ? rest : { ...rest, nullable };
}

function openaiSchemas() {
	const ajv = new Ajv({ strict: false, validateFormats: false });
	ajv.addSchema(asMeant(read(openapi)), 'api');
	return (name) => ajv.compile({ $ref: `api#/components/schemas/${name}` });
}

// A shape of AWS's as a JSON schema; members that stand in the path are none
// of the body.
function shapeSchema(shape) {
	const ref = (m) => ({ $ref: `#/$defs/${m.shape}` });
	const plain = { string: 'string', blob: 'string', integer: 'integer',
		long: 'integer', float: 'number', double: 'number',
		boolean: 'boolean' };
	if (shape.document)
		return {};
	switch (shape.type) {
	case 'structure': {
		const members = Object.entries(shape.members)
			.filter(([, m]) => m.location === undefined);
		const names = members.map(([name]) => name);
		return { type: 'object', additionalProperties: false,
			properties: Object.fromEntries(
				members.map(([name, m]) => [name, ref(m)])),
			required: (shape.required ?? [])
				.filter((name) => names.includes(name)),
			...(shape.union && { minProperties: 1, maxProperties: 1 }) };
	}
	case 'list':
		return { type: 'array', items: ref(shape.member),
			minItems: shape.min ?? 0, ...(shape.max !== undefined &&
				{ maxItems: shape.max }) };
	case 'map':
		return { type: 'object', additionalProperties: ref(shape.value) };
	case 'string':
		return { type: 'string', ...(shape.enum && { enum: shape.enum }),
			...(shape.min !== undefined && { minLength: shape.min }),
			...(shape.max !== undefined && { maxLength: shape.max }) };
	default: {
		const type = plain[shape.type];
		return type === 'string' ? { type } : { type,
			...(shape.min !== undefined && { minimum: shape.min }),
			...(shape.max !== undefined && { maximum: shape.max }) };
	}
	}
}

function bedrockSchemas() {
	const ajv = new Ajv({ strict: false });
	const $defs = Object.fromEntries(Object.entries(read(service).shapes)
		.map(([name, shape]) => [name, shapeSchema(shape)]));
	return (name) => ajv.compile({ $defs, $ref: `#/$defs/${name}` });
}

const openai = openaiSchemas();
const bedrock = bedrockSchemas();
const kinds = [
	['openai', 'chat', openai('CreateChatCompletionRequest')],
	['openai', 'embed', openai('CreateEmbeddingRequest')],
	['responses', 'chat', openai('CreateResponse')],
	['responses', 'count', openai('TokenCountsBody')],
	['bedrock', 'chat', bedrock('ConverseRequest')],
	['bedrock', 'count', bedrock('CountTokensRequest')],
];

// ---- requests ----

const image = (url) => ({ type: 'image_url', image_url: { url } });
const call = (id, name, args) => ({ id, type: 'function',
	function: { name, arguments: args } });
const closed = { type: 'object', properties: { a: { type: 'string' } },
	required: ['a'], additionalProperties: false };
const tools = [
	{ type: 'function', function: { name: 'f', description: 'what it does',
		parameters: closed, strict: true } },
	{ type: 'function', function: { name: 'g', parameters: {
		type: 'object', properties: { b: { type: 'number' } } } } },
	{ type: 'function', function: { name: 'h' } },
];

function makeMessages(wire) {
	const list = [];
	if (rnd(2))
		list.push({ role: 'system', content: pick(['be brief', 'ä€😀']) });
	list.push({ role: 'user', content: rnd(2) ? 'why?' : [
		{ type: 'text', text: 'what is it?' },
		image('data:image/png;base64,QUJD'),
		...(wire === 'bedrock' ? [] : [image('https://a.example/b.png')]),
	] });
	if (rnd(2)) {
		const ids = rnd(2) ? ['1'] : ['1', '2'];
		list.push({ role: 'assistant', content: pick([null, 'I look']),
			tool_calls: ids.map((id) =>
				call(id, 'f', '{"a":"x","n":12345678901234567890}')) });
		for (const id of ids)
			list.push({ role: 'tool', tool_call_id: id, content: 'r' });
	}
	if (rnd(2))
		list.push({ role: 'assistant', content: 'so' },
			{ role: 'user', content: 'and?' });
	return list;
}

const maybe = (name, values) => rnd(2) ? { [name]: pick(values) } : {};

function makeRequest() {
	const [wire, what] = pick(kinds);
	const has = rnd(2) ? { tools: tools.slice(0, 1 + rnd(3)),
		...maybe('tool_choice', ['auto', 'required', { type: 'function',
			function: { name: 'f' } },
		...(wire === 'bedrock' ? [] : ['none'])]) } : {};
	return { wire, what, model: 'some-model-1', messages: makeMessages(wire),
		texts: ['a', 'ä\n'], dim: pick([0, 256]), ...has,
		...maybe('max_tokens', [16, 4096]),
		...maybe('temperature', [0, 0.7, 1]), ...maybe('top_p', [0.1, 1]),
		...(wire === 'openai' ? maybe('seed', [-5, 0, 2 ** 50]) : {}),
		...(wire === 'responses' ? {} : maybe('stop', [['\n'],
			['a', 'b', 'c', 'd']])),
		...maybe('effort', ['low', 'medium', 'high']),
		...maybe('schema', [closed, { type: 'object' }]),
		...maybe('stream', [true]) };
}

const requests = Array.from({ length: Number(count) }, makeRequest);
const ours = spawnSync(program, { maxBuffer: 1 << 30,
	input: requests.map((r) => JSON.stringify(r) + '\n').join('') });
if (ours.status !== 0)
	throw new Error(`${program}: ${ours.error ?? ours.stderr}`);
const bodies = ours.stdout.toString().trimEnd().split('\n');
if (bodies.length !== requests.length)
	throw new Error(`${bodies.length} bodies of ${requests.length}`);

// ---- both ----

const seen = new Map(kinds.map(([wire, what]) => [`${wire} ${what}`, 0]));
const spoilt = { all: 0, refused: 0 };
let wrong = 0;
for (const [i, text] of bodies.entries()) {
	const { wire, what } = requests[i];
	const check = kinds.find(([w, t]) => w === wire && t === what)[2];
	const body = JSON.parse(text);
	seen.set(`${wire} ${what}`, seen.get(`${wire} ${what}`) + 1);
	if (!check(body)) {
		if (wrong++ < 3)
			console.error(`${wire} ${what}: ${text}\n` + JSON.stringify(
				check.errors.slice(0, 4), null, 1));
		continue;
	}
	for (const name of Object.keys(body)) {
		spoilt.all++;
		spoilt.refused += !check({ ...body, [name]: [{ bogus: [7] }] });
	}
}
console.log(`${bodies.length} bodies (${[...seen].map(([k, n]) =>
	`${n} ${k}`).join(', ')}): ${wrong} wrong; of ${spoilt.all} spoilt ` +
	`members ${spoilt.refused} refused`);
process.exit(wrong > 0 || spoilt.refused < spoilt.all ? 1 : 0);
