// openai.mjs DIR: a server on a loopback port of its own that speaks OpenAI's
// /v1/chat/completions and /v1/embeddings, well or badly, as a script says;
// and makes vectors as Cohere, Gemini and Ollama do (Mistral, Voyage and Jina
// do it as OpenAI).
//
//   DIR/port     written once it listens
//   DIR/script   one JSON object a line; each request takes the first line
//                away and is answered by it, without one by {}
//   DIR/keys     a JSON object: what is such a line for a key that comes when
//                the script is empty; none for others
//   DIR/log      one JSON object a request: at_ms (when it arrived, by a clock
//                that nobody sets), method, path, headers, body
//
//   DIR/limit    optional: {"at_once": N, "delay_ms": M}: requests without a
//                line of their own take that long, and are refused by 429
//                when N others are open
//
// Members of a script line, all optional:
//   delay_ms          wait before anything else
//   status, headers, body   answer with these (body: a string, or JSON)
//   fault             "close": hang up; "reset": by a TCP reset;
//                     "headers": hang up in the middle of a header;
//                     "short": a body shorter than Content-Length says;
//                     "chunks": hang up before the last chunk of a body;
//                     "stall": half of a body, then nothing more;
//                     "hold": a body without its end;
//                     "half": the first half of a good body, well framed;
//                     "huge": bytes of body without end, up to `bytes`
//                     "gzip": a good answer, compressed
//                     "endless": an event stream of nothing but comments
//   raw               a list of what is written as it stands: strings are
//                     bytes, numbers milliseconds to wait; then the
//                     connection is closed
//   merge             members put into a good answer
//   content, finish_reason, usage   of a chat completion
//   embed             "floats", "mixed", "fewer", "more", "twice", "nan",
//                     "dims", "shuffle", "noindex", "wide" (of 8 dimensions
//                     whatever was asked for)
// Every chat request is answered with {"echo": its last message} as text; a
// text that holds BAD is refused by the embeddings with 400. With KEY in the
// environment, every other key is refused with 401, and the message says it;
// with TLS_KEY and TLS_CERT (files) it speaks https, and with TLS_CA as well
// only with clients whose certificate that one has signed.
import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync }
	from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const dir = process.argv[2];
const file = (name) => join(dir, name);
const key = process.env.KEY;

let open = 0;

function limited() {
	const { at_once, delay_ms } = JSON.parse(readFileSync(file('limit')));
	return open > at_once ? { status: 429 } : { delay_ms };
}

const bearer = (req) => (req.headers.authorization ?? '')
	.replace(/^Bearer /, '');

// Without a line of the script.
function usual(req) {
	if (existsSync(file('limit')))
		return limited();
	return existsSync(file('keys'))
		? JSON.parse(readFileSync(file('keys'), 'utf8'))[bearer(req)] ?? {}
		: {};
}

function nextStep(req) {
	if (!existsSync(file('script')))
		return usual(req);
	const lines = readFileSync(file('script'), 'utf8').split('\n')
		.filter((l) => l !== '');
	if (lines.length === 0)
		return usual(req);
	writeFileSync(file('script.new'),
		lines.slice(1).map((l) => l + '\n').join(''));
	renameSync(file('script.new'), file('script'));
	return JSON.parse(lines[0]);
}

const failure = (message, type, code, param = null) =>
	({ error: { message, type, param, code } });

// A vector that tells which text it belongs to: its length, its first code
// unit, then small numbers.
function vector(text, dim) {
	const v = Array.from({ length: dim }, (_, i) => Math.sin(i + 1));
	v[0] = text.length;
	if (dim > 1)
		v[1] = text.charCodeAt(0);
	return v;
}

const base64 = (v) => Buffer.from(new Float32Array(v).buffer)
	.toString('base64');

function embeddings(asked, step) {
	const q = { ...asked, input: asked.input ?? asked.inputs,
		dimensions: asked.dimensions ?? asked.output_dimension };
	const bad = q.input.findIndex((t) => t.includes('BAD') || t === '');
	if (bad >= 0)
		return { status: 400, body: failure(
			`input[${bad}] is not acceptable`,
			'invalid_request_error', null, 'input') };
	const how = step.embed ?? '';
	const dim = how === 'wide' ? 8 : q.dimensions ?? 8;
	let data = q.input.map((text, index) => {
		let v = vector(text, how === 'dims' && index > 0 ? dim + 1 : dim);
		if (how === 'nan')
			v[0] = NaN;
		const floats = how === 'floats' || q.encoding_format === 'float' ||
			(how === 'mixed' && index % 2);
		return { object: 'embedding', index,
			embedding: floats ? v : base64(v) };
	});
	if (how === 'fewer')
		data.pop();
	if (how === 'more')
		data.push({ ...data[0], index: data.length });
	if (how === 'twice' && data.length > 1)
		data[1].index = 0;
	if (how === 'shuffle')
		data.reverse();
	if (how === 'noindex')
		data.forEach((d) => delete d.index);
	const n = q.input.join(' ').length;
	return { status: 200, body: { object: 'list', model: q.model, data,
		usage: { prompt_tokens: n, total_tokens: n } } };
}

function chat(q, step) {
	const last = q.messages[q.messages.length - 1].content;
	const content = step.content ?? JSON.stringify({ echo: last });
	return { status: 200, body: {
		id: 'chatcmpl-1', object: 'chat.completion', created: 1,
		model: q.model + '-2026-11-22',
		choices: [{ index: 0, message: { role: 'assistant', content,
			refusal: null }, logprobs: null,
			finish_reason: step.finish_reason ?? 'stop' }],
		usage: step.usage ?? { prompt_tokens: 12, completion_tokens: 5,
			total_tokens: 17,
			prompt_tokens_details: { cached_tokens: 8 },
			completion_tokens_details: { reasoning_tokens: 2 } } } };
}

// The same vectors, as others have them.
const all = (texts, dim) => texts.map((t) => vector(t, dim ?? 8));
const bytes = (texts) => texts.join('').length;

const cohere = (q) => ({ status: 200, body: {
	embeddings: { float: all(q.texts, q.output_dimension) },
	meta: { billed_units: { input_tokens: bytes(q.texts) } } } });

const ollama = (q) => ({ status: 200, body: {
	embeddings: all(q.input, q.dimensions),
	prompt_eval_count: bytes(q.input) } });

function gemini(q) {
	const texts = q.requests.map((r) => r.content.parts[0].text);
	return { status: 200, body: {
		embeddings: all(texts, q.requests[0].outputDimensionality)
			.map((values) => ({ values })),
		usageMetadata: { promptTokenCount: bytes(texts) } } };
}

const routes = { '/v1/embeddings': embeddings, '/v1/chat/completions': chat,
	'/v2/embed': cohere, '/api/embed': ollama,
	'/v1beta/models/e-1:batchEmbedContents': gemini,
	'/openai/deployments/e-1/embeddings?api-version=2024-10-21':
		embeddings };

function answer(req, text, step) {
	const sent = bearer(req);
	if (step.status !== undefined)
		return { status: step.status, body: step.body ?? failure(
			`scripted ${step.status}`, 'scripted', null) };
	if (key !== undefined && sent !== key)
		return { status: 401, body: failure(
			`Incorrect API key provided: ${sent}.`,
			'invalid_request_error', 'invalid_api_key') };
	const route = routes[req.url];
	if (route === undefined)
		return { status: 404, body: failure(`no ${req.url}`,
			'invalid_request_error', null) };
	const good = route(JSON.parse(text), step);
	return { status: good.status, body: { ...good.body, ...step.merge } };
}

function huge(res, bytes) {
	const piece = Buffer.alloc(1 << 16, 0x78);
	let left = bytes;
	res.writeHead(200, { 'Content-Type': 'application/json' });
	const more = () => {
		while (left > 0) {
			left -= piece.length;
			if (!res.write(piece))
				return res.once('drain', more);
		}
		res.end();
	};
	more();
}

// Half of an answer as raw bytes; then the end, or silence.
function broken(socket, fault, body) {
	const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
	const half = body.slice(0, body.length / 2);
	const parts = {
		headers: `${head}Content-Le`,
		chunks: `${head}Transfer-Encoding: chunked\r\n\r\n` +
			`${half.length.toString(16)}\r\n${half}\r\n`,
		stall: `${head}Content-Length: ${body.length}\r\n\r\n${half}`,
	};
	socket.write(parts[fault],
		() => fault === 'stall' || socket.destroy());
}

function raw(socket, [piece, ...rest]) {
	if (piece === undefined)
		socket.end();
	else if (typeof piece === 'number')
		setTimeout(raw, piece, socket, rest);
	else
		socket.write(piece, 'latin1', () => raw(socket, rest));
}

function endless(res) {
	res.writeHead(200, { 'Content-Type': 'text/event-stream' });
	const timer = setInterval(() => res.write(': still here\n\n'), 20);
	res.on('close', () => clearInterval(timer));
}

function reply(req, res, text, step) {
	if (step.raw !== undefined)
		return raw(req.socket, step.raw);
	if (step.fault === 'endless')
		return endless(res);
	if (step.fault === 'close')
		return req.socket.end();
	if (step.fault === 'reset')
		return req.socket.resetAndDestroy();
	if (step.fault === 'huge')
		return huge(res, step.bytes);
	const { status, body } = answer(req, text, step);
	let out = Buffer.from(typeof body === 'string' ? body
		: JSON.stringify(body));
	if (['headers', 'chunks', 'stall'].includes(step.fault))
		return broken(req.socket, step.fault, out.toString('latin1'));
	if (step.fault === 'half')
		out = out.subarray(0, out.length / 2);
	if (step.fault === 'gzip') {
		out = gzipSync(out);
		res.setHeader('Content-Encoding', 'gzip');
	}
	const length = out.length + (step.fault === 'short' ? 100 : 0);
	res.writeHead(status, { 'Content-Type': 'application/json',
		...(step.fault !== 'hold' && { 'Content-Length': length }), 'X-Request-Id': 'req_stub',
		...step.headers });
	if (step.fault === 'hold')
		res.write(out);
	else if (step.fault === 'short')
		res.write(out, () => req.socket.destroy());
	else
		res.end(out);
}

const secure = process.env.TLS_KEY !== undefined;
const tls = secure ? { key: readFileSync(process.env.TLS_KEY),
	cert: readFileSync(process.env.TLS_CERT) } : {};
if (process.env.TLS_CA !== undefined)
	Object.assign(tls, { ca: readFileSync(process.env.TLS_CA),
		requestCert: true, rejectUnauthorized: true });
const server = (secure ? createSecure : createPlain)(tls, (req, res) => {
	const at = performance.now();
	open++;
	res.on('close', () => open--);
	const parts = [];
	req.on('data', (p) => parts.push(p));
	req.on('end', () => {
		const text = Buffer.concat(parts).toString('utf8');
		let body = text;
		try {
			body = JSON.parse(text);
		} catch { /* logged as it is */ }
		appendFileSync(file('log'), JSON.stringify({ at_ms: at,
			method: req.method, path: req.url,
			headers: req.headers, body }) + '\n');
		const step = nextStep(req);
		setTimeout(reply, step.delay_ms ?? 0, req, res, text, step);
	});
	req.on('error', () => {});
});
server.on('clientError', (_, socket) => socket.destroy());
server.listen(0, '127.0.0.1', () => {
	writeFileSync(file('port.new'), `${server.address().port}\n`);
	renameSync(file('port.new'), file('port'));
});
