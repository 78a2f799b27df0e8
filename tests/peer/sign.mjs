// sign.mjs: net/sign.c against AWS's own @smithy/signature-v4, on random
// requests with odd characters in paths, queries, headers and bodies.
//
//	node sign.mjs AI-SIGN COUNT SEED [s3]
//
// AI-SIGN is tests/stub's program. With "s3" the peer encodes paths once, as
// only S3 wants it: then it must differ. node_modules is found beside this
// file or below AI_TEST_PEER. Prints what was compared; exits 1 if anything
// differs.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(
	join(process.env.AI_TEST_PEER ?? here, 'package.json'));
const { SignatureV4 } = require('@smithy/signature-v4');
const { Sha256 } = require('@aws-crypto/sha256-js');

const [program, count, seed, mode] = process.argv.slice(2);

// The same numbers every time.
let state = (Number(seed) * 2654435761 + 2463534242) >>> 0 || 1;
function rnd(n) {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % n;
}

const pick = (list) => list[rnd(list.length)];
const many = (most, make) => Array.from({ length: rnd(most + 1) }, make);

// ---- requests ----

const odd = [...'abzAZ019-._~:/?#[]@!$&\'()*+,;=%"<>\\^`{|} ',
	'ä', 'ß', '€', 'ሴ', '😀', '%2F', '%3A', '%', '  ', '..'];
const letters = [...'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789'];
const word = (most, from) => pick(from) + many(most, () => pick(from)).join('');

const escaped = (s) => encodeURIComponent(s).replace(/[!'()*]/g,
	(c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());

// As other clients encode: what need not be is left as it is.
function loosely(s, keep) {
	const code = (c) => '%' + Buffer.from(c).toString('hex')
		.match(/../g).join('%');
	return Array.from(s, (c) => keep.includes(c) && rnd(2) ? c :
		rnd(8) ? escaped(c) : code(c)).join('');
}

// A path as it is sent: model ids, anything encoded, anything not encoded.
function makePath() {
	const segments = many(5, () => pick([
		() => pick(['amazon.nova-lite-v1:0', 'a%3Ab', '.', '..', '',
			'converse-stream', '...', 'us.meta.llama3-3-70b:0']),
		() => escaped(word(8, odd)),
		() => word(8, odd.filter((c) => c !== '?' && c !== '#')),
	])());
	return '/' + segments.join('/') + pick(['', '', '/']);
}

function makeQuery() {
	const query = {};
	for (const name of many(6, () => word(3, odd)))
		query[name] = rnd(3) ? many(1, () => word(8, odd)).join('') :
			many(3, () => word(3, odd)).concat('');
	// A name that begins another one.
	if (rnd(4) === 0)
		Object.assign(query, { a: '1', 'a-': '2', 'a%': '3', A: '4' });
	return query;
}

// What is sent for it, in any order, encoded as need be or more.
function sentQuery(query) {
	const keep = '-._~:/?@!$\'()*,;abcXYZ019';
	const parts = Object.entries(query).flatMap(([name, values]) =>
		[values].flat().map((v) => v === '' && rnd(2) ?
			loosely(name, keep) :
			loosely(name, keep) + '=' + loosely(v, keep + '=')));
	for (let i = parts.length - 1; i > 0; i--) {
		const k = rnd(i + 1);
		[parts[i], parts[k]] = [parts[k], parts[i]];
	}
	return parts.join(pick(['&', '&', '&&']));
}

const tokenChars = [...letters, ...'-_.!#$%&\'*+^`|~'];
const valueChars = [...letters, ...' \t  ,;:="\'()[]{}/\\?@<>%~', 'ä', '€'];

function makeHeaders() {
	const headers = { 'Content-Type': 'application/json' };
	const seen = new Set(['content-type', 'host']);
	for (const name of many(6, () => 'X' + word(8, tokenChars))) {
		if (!seen.has(name.toLowerCase()))
			headers[name] = word(20, valueChars);
		seen.add(name.toLowerCase());
	}
	return headers;
}

function makeRequest() {
	const host = word(10, letters) + pick(['.amazonaws.com', ':8080', '']);
	return {
		method: pick(['GET', 'POST', 'PUT', 'DELETE']), host,
		path: makePath(), query: makeQuery(), headers: makeHeaders(),
		body: pick(['', word(200, odd)]),
		region: pick(['us-east-1', 'eu-central-1', word(8, letters)]),
		service: pick(['bedrock', 'service', word(8, letters)]),
		access_key: word(20, letters),
		secret: word(pick([40, 90]), [...letters, '/', '+', '=']),
		token: pick(['', word(300, [...letters, '/', '+', '='])]),
		time: rnd(2 ** 31) * pick([1, 1, 100]),
		content_sha256: rnd(2) === 0,
	};
}

// ---- both sides ----

async function theirs(r) {
	const signer = new SignatureV4({
		service: r.service, region: r.region, sha256: Sha256,
		uriEscapePath: mode !== 's3', applyChecksum: r.content_sha256,
		credentials: {
			accessKeyId: r.access_key, secretAccessKey: r.secret,
			sessionToken: r.token || undefined,
		},
	});
	const { headers } = await signer.sign({
		method: r.method, hostname: r.host, protocol: 'https:',
		path: r.path, query: r.query, body: r.body,
		headers: { host: r.host, ...r.headers },
	}, { signingDate: new Date(r.time * 1000) });
	const lines = ['Authorization', 'X-Amz-Date', 'X-Amz-Content-Sha256',
		'X-Amz-Security-Token'];
	return JSON.stringify(lines
		.filter((name) => (headers[name.toLowerCase()] ?? '') !== '')
		.map((name) => `${name}: ${headers[name.toLowerCase()]}`));
}

const requests = Array.from({ length: Number(count) }, makeRequest);
const input = requests.map((r) => JSON.stringify({
	...r, query: sentQuery(r.query),
	headers: Object.entries(r.headers).map(([n, v]) => `${n}:${pick(['',
		' ', '\t '])}${v}`),
}));
const ours = spawnSync(program, { input: input.join('\n') + '\n',
	maxBuffer: 1 << 30 });
if (ours.status !== 0)
	throw new Error(`${program}: ${ours.error ?? ours.stderr}`);
const answers = ours.stdout.toString().split('\n');

let wrong = 0;
for (const [i, r] of requests.entries()) {
	const want = await theirs(r);
	if (answers[i] === want)
		continue;
	if (wrong++ < 3)
		console.error(`${input[i]}\nours:   ${answers[i]}\n` +
			`theirs: ${want}`);
}
const odds = {
	queries: requests.filter((r) => Object.keys(r.query).length).length,
	tokens: requests.filter((r) => r.token !== '').length,
	bodies: requests.filter((r) => r.body !== '').length,
	paths: requests.filter((r) => /[^A-Za-z0-9/._~-]/.test(r.path)).length,
};
console.log(`${requests.length} requests (${odds.paths} with odd paths, ` +
	`${odds.queries} queries, ${odds.bodies} bodies, ${odds.tokens} ` +
	`tokens): ${wrong} wrong`);
process.exit(wrong > 0 ? 1 : 0);
