// mcp-http.mjs DIR [MODE]: an MCP server over HTTP on 127.0.0.1, whose port is in
// DIR/port and whose requests are in DIR/log, a line each. MODE is what it
// speaks: legacy (sessions, answers as streams, a stream of its own), json
// (legacy, without streams), modern (2026-07-28), events (modern, answers as
// streams), old (2024-11-05), or a fault of all of it. Its tools: echo {text},
// bad {how}: does the thing in the middle of a call.
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [dir, mode = 'legacy'] = process.argv.slice(2);
const modern = mode === 'modern' || mode === 'events';
const MODERN = '2026-07-28';

const object = (properties = {}, more) => ({ type: 'object', properties,
	...more });
const tools = [
	{ name: 'echo', description: 'says it', inputSchema: object({ text: {
		type: 'string', 'x-mcp-header': 'Text' } }) },
	{ name: 'bad', description: 'does it', inputSchema: object({ how: {
		type: 'string' } }) },
];
const more = { name: 'more', description: 'is new', inputSchema: object() };
const text = (s, m) => ({ resultType: 'complete', content: [{ type: 'text',
	text: s }], ...m });
const elicit = { message: 'Who is it?', requestedSchema: object({
	name: { type: 'string' }, age: { type: 'integer', default: 7 } },
	{ required: ['name'] }) };

let session = 0, ended = false, listed = 0, streams = [], pending = null,
	oldStream = null, events = 0, asked = null, deaf = false,
	busy = 0, last = {};

const message = (m) => JSON.stringify({ jsonrpc: '2.0', ...m });
const event = (m, id) => (id ? `id: ${id}\n` : '') +
	`event: message\ndata: ${message(m)}\n\n`;

function json(res, m, status = 200, headers = {}) {
	res.writeHead(status, { 'Content-Type': 'application/json', ...headers });
	res.end(message(m));
}

function stream(res, headers = {}) {
	res.writeHead(200, { 'Content-Type': 'text/event-stream', ...headers });
	return res;
}

// The answer, in the way of the mode.
function answer(res, id, result, headers) {
	if (mode === 'old') {
		res.writeHead(202).end('Accepted');
		oldStream.write(event({ id, result }));
	} else if (mode === 'legacy' || mode === 'events') {
		stream(res, headers).end(event({ id, result }));
	} else {
		json(res, { id, result }, 200, headers);
	}
}

const own = (m) => (streams.length > 0 ? streams : [oldStream])
	.forEach((s) => s?.write(event(m)));

const hows = {
	huge: (res, id) => json(res, { id, result: text('h'.repeat(20 << 20)) }),
	hugeevent: (res, id) => stream(res).end(event({ id, result:
		text('h'.repeat(20 << 20)) })),
	endless: (res) => {
		const one = event({ method: 'notifications/message', params: {
			level: 'info', data: 'z'.repeat(4096) } }).repeat(16);
		stream(res);
		const go = () => res.destroyed || res.write(one, go);
		go();
	},
	dots: (res) => {
		stream(res);
		const timer = setInterval(() => res.write(': still here\n\n'), 20);
		res.on('close', () => clearInterval(timer));
	},
	cut: (res) => stream(res).end(': nothing\n\n'),
	broken: (res) => {
		stream(res).write('data: {"jsonrpc"');
		setTimeout(() => res.destroy(), 50);
	},
	resume: (res, id) => {
		pending = { id, result: text('resumed') };
		stream(res).end('id: e1\nretry: 200\ndata: \n\n');
	},
	// Breaks off three times before it answers.
	resume3: (res, id) => {
		pending = { id, result: text('resumed'), breaks: 3 };
		stream(res).end('id: f0\nretry: 50\ndata: \n\n');
	},
	never: (res) => {
		pending = { breaks: Infinity };
		stream(res).end('id: g0\nretry: 0\ndata: \n\n');
	},
	wrongid: (res, id) => stream(res).end(event({ id: id + 1000, result:
		text('not this') }) + event({ id: String(id), result:
		text('nor this') }) + event({ id, result: text('this') })),
	twice: (res, id) => stream(res).end(event({ id, result: text('one') }) +
		event({ id, result: text('two') })),
	onlywrong: (res, id) => json(res, { id: id + 1000, result: text('no') }),
	garbage: (res, id) => stream(res).end('data: {oops\n\ndata: [1,2\n\n' +
		event({ id, result: text('after it') })),
	badjson: (res) => {
		res.writeHead(200, { 'Content-Type': 'application/json' });
		res.end('{"jsonrpc":');
	},
	deep: (res, id) => {
		res.writeHead(200, { 'Content-Type': 'application/json' });
		res.end(`{"jsonrpc":"2.0","id":${id},"result":${'['.repeat(9000)}`);
	},
	batch: (res, id) => {
		res.writeHead(200, { 'Content-Type': 'application/json' });
		res.end(`[${message({ method: 'notifications/message', params: {
			data: 'x' } })},${message({ id, result: text('in it') })}]`);
	},
	utf8: (res, id) => stream(res).end(Buffer.concat([
		Buffer.from(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"a`),
		Buffer.from([0xff]), Buffer.from('b"}]}}\n\n')])),
	html: (res) => {
		res.writeHead(200, { 'Content-Type': 'text/html' });
		res.end('<h1>Welcome</h1>');
	},
	nothing: (res) => res.writeHead(202).end(),
	empty: (res) => {
		res.writeHead(200, { 'Content-Type': 'application/json' });
		res.end();
	},
	s500: (res) => res.writeHead(500).end('it is on fire'),
	s429: (res) => res.writeHead(429, { 'Retry-After': '60' }).end('slowly'),
	// Twice; then it is done.
	busy429: (res, id) => busy++ < 2
		? res.writeHead(429, { 'Retry-After-Ms': '200' }).end('slowly')
		: answer(res, id, text(`done after ${busy}`)),
	busy503: (res, id) => busy++ < 2
		? res.writeHead(503, { 'Retry-After-Ms': '200' }).end('full')
		: answer(res, id, text(`done after ${busy}`)),
	full: (res) => res.writeHead(429).end(),
	e400: (res, id) => json(res, { id, error: { code: -32602,
		message: 'no such place' } }, 400),
	e400null: (res) => json(res, { id: null, error: { code: -32600,
		message: 'not so' } }, 400),
	tells401: (res) => res.writeHead(401, { 'Content-Type':
		'application/json' }).end(JSON.stringify({ error: {
			code: 401, message: last.authorization } })),
	tells500: (res) => res.writeHead(500).end('x'.repeat(140) +
		last.authorization),
	tells: (res, id) => answer(res, id, text(`${last.authorization} ${
		last['x-plain']}`)),
	tellserror: (res, id) => json(res, { id, error: { code: -1,
		message: last.authorization } }),
	tellsnoise: (res, id) => stream(res).end(`data: ${
		last.authorization}\n\n${event({ id, result: text('told') })}`),
	hugeerror: (res) => res.writeHead(500).end('e'.repeat(8 << 20)),
	redirect: (res) => res.writeHead(307, { Location:
		'http://127.0.0.1:9/' }).end(),
	drop: (res) => res.socket.destroy(),
	slow: (res, id) => setTimeout(() => json(res, { id, result: text('slow') }),
		1500),
	notify: (res, id) => {
		own({ method: 'notifications/tools/list_changed' });
		own({ method: 'notifications/resources/list_changed' });
		listed = 1;
		answer(res, id, text('said'));
	},
	progress: (res, id, params) => {
		const token = params._meta?.progressToken;
		stream(res).write(event({ method: 'notifications/progress',
			params: { progressToken: token, progress: 1, total: 4,
				message: 'a quarter' } }));
		res.write(event({ method: 'notifications/progress', params: {
			progressToken: 99999, progress: 2 } }));
		res.end(event({ id, result: text(`token ${typeof token}`) }));
	},
	ask: (res, id) => {
		asked = (m) => res.end(event({ id, result: text(JSON.stringify(
			m.result ?? m.error.code)) }));
		stream(res).write(event({ id: 'q1', method: 'elicitation/create',
			params: elicit }));
	},
	ping: (res, id) => {
		asked = (m) => res.end(event({ id, result: text(JSON.stringify(
			m.result)) }));
		stream(res).write(event({ id: 'q2', method: 'ping' }));
	},
	escapes: (res, id) => answer(res, id, text('red \u001b[31m\u001b]0;t\u0007\ngo')),
	// Asks on and on, and takes none of the answers.
	storm: (res) => {
		let n = 0;
		deaf = true;
		stream(res);
		const go = () => {
			if (res.destroyed || n >= 20000)
				return;
			let s = '';
			for (let i = 0; i < 100; i++)
				s += event({ id: `p${n++}`, method: 'ping' });
			res.write(s, go);
		};
		go();
	},
	forget: (res, id) => {
		ended = true;
		answer(res, id, text('goodbye'));
	},
	// 2026-07-28 asks so.
	input: (res, id, params) => {
		if (params.inputResponses === undefined)
			answer(res, id, { resultType: 'input_required',
				inputRequests: { who: { method:
					'elicitation/create', params: elicit },
				where: { method: 'roots/list' } },
				requestState: 's\u00e9"1' });
		else
			answer(res, id, text(JSON.stringify([params.requestState,
				params.inputResponses.who,
				params.inputResponses.where?.roots?.length])));
	},
	state: (res, id, params) => answer(res, id, params.requestState === 'go'
		? text('went') : { resultType: 'input_required',
			requestState: 'go' }),
	forever: (res, id) => answer(res, id, { resultType: 'input_required',
		requestState: 'again' }),
	sample: (res, id) => answer(res, id, { resultType: 'input_required',
		inputRequests: { a: { method: 'sampling/createMessage',
			params: {} } } }),
	othertype: (res, id) => answer(res, id, { resultType: 'later' }),
	mismatch: (res, id) => json(res, { id, error: { code: -32020,
		message: 'Header mismatch' } }, 400),
	request: (res, id) => stream(res).end(event({ id: 'r', method: 'ping' }) +
		event({ id, result: text('asked') })),
};

const capabilities = { tools: { listChanged: true }, resources: {
	listChanged: true }, prompts: {} };

const methods = {
	'server/discover': (res, id) => modern
		? answer(res, id, { resultType: 'complete', ttlMs: 0,
			cacheScope: 'private', supportedVersions: [MODERN],
			capabilities })
		: res.writeHead(400).end('Bad Request: no session'),
	initialize: (res, id, params) => {
		session++;
		ended = deaf = false;
		answer(res, id, { protocolVersion: mode === 'old' ? '2024-11-05'
			: params.protocolVersion, capabilities,
			serverInfo: { name: 'h', version: '1' } },
			mode === 'old' ? {} : { 'Mcp-Session-Id': `s-${session}` });
	},
	'tools/list': (res, id) => answer(res, id, { resultType: 'complete',
		ttlMs: 0, cacheScope: 'private',
		tools: listed ? [...tools, more] : tools }),
	'tools/call': (res, id, params) => params.name === 'bad'
		? hows[params.arguments.how](res, id, params)
		: answer(res, id, text(`${params.name} ${params.arguments.text}`)),
	'resources/list': (res, id, params) => answer(res, id, {
		resultType: 'complete', ttlMs: 0, cacheScope: 'private',
		resources: [{ uri: params.cursor ? 'n://2' : 'n://1',
			name: 'note', mimeType: 'text/plain' }],
		nextCursor: params.cursor ? undefined : 'p2' }),
	'resources/templates/list': (res, id) => mode === 'loops'
		? answer(res, id, { resourceTemplates: [{ uriTemplate: 'x',
			name: 'x' }], nextCursor: 'same' })
		: answer(res, id, {
		resultType: 'complete', ttlMs: 0, cacheScope: 'private',
		resourceTemplates: [{ uriTemplate: 'n://{n}', name: 'notes' }] }),
	'resources/read': (res, id, params) => answer(res, id, {
		resultType: 'complete', ttlMs: 0, cacheScope: 'private',
		contents: [{ uri: params.uri, text: `this is ${params.uri}` }] }),
	'prompts/list': (res, id) => answer(res, id, { resultType: 'complete',
		ttlMs: 0, cacheScope: 'private', prompts: [{ name: 'greet',
			description: 'greets', arguments: [{ name: 'who',
				required: true }] }] }),
	'prompts/get': (res, id, params) => answer(res, id, {
		resultType: 'complete', messages: [{ role: 'user', content: {
			type: 'text', text: `Greet ${params.arguments.who}` } }] }),
	'subscriptions/listen': (res, id) => {
		stream(res).write(event({ method:
			'notifications/subscriptions/acknowledged', params: {
			notifications: { toolsListChanged: true }, _meta: {
			'io.modelcontextprotocol/subscriptionId': id } } }));
		streams.push(res);
		res.on('close', () => streams = streams.filter((s) => s !== res));
	},
};

// ---- faults of all of it ------------------------------------------------------------

const faults = {
	hang: () => {},
	s401: (res) => res.writeHead(401, { 'WWW-Authenticate': 'Bearer' })
		.end('who are you?'),
	s500: (res) => res.writeHead(500).end('no'),
	html: (res) => {
		res.writeHead(200, { 'Content-Type': 'text/html' });
		res.end('<h1>Welcome</h1>');
	},
	redirect: (res) => res.writeHead(302, { Location:
		'http://127.0.0.1:9/' }).end(),
	hugediscover: (res, id) => json(res, { id, result: { x:
		'y'.repeat(20 << 20) } }),
	future: (res, id) => json(res, { id, error: { code: -32022,
		message: 'Unsupported protocol version', data: { supported:
			['2099-01-01'] } } }, 400),
	again: (res, id) => json(res, { id, error: { code: -32022,
		message: 'Unsupported protocol version', data: { supported:
			[MODERN] } } }, 400),
	headers: (res, id) => json(res, { id, error: { code: -32020,
		message: 'Header mismatch' } }, 400),
	longsession: (res, id, m) => m.method === 'initialize'
		? json(res, { id, result: { protocolVersion: '2025-11-25',
			capabilities: {} } }, 200, { 'Mcp-Session-Id':
			's'.repeat(600) }) : res.writeHead(400).end(),
	elsewhere: () => {},
};

// ---- requests --------------------------------------------------------------------------

function onGet(req, res) {
	const last = req.headers['last-event-id'];

	if (mode === 'old' || mode === 'elsewhere') {
		oldStream = stream(res);
		res.write(`event: endpoint\ndata: ${mode === 'old' ? '/post?x=1'
			: 'http://example.com/steal'}\n\n`);
	} else if (mode === 'json' || modern || faults[mode]) {
		res.writeHead(405).end();
	} else if (mode === 'closing') {
		stream(res).end('retry: 1\ndata: \n\n');
	} else if (mode === 'fullget' && busy++ === 0) {
		res.writeHead(503, { 'Retry-After-Ms': '100' }).end();
	} else if (last === undefined) {
		streams.push(stream(res));
		res.on('close', () => streams = streams.filter((s) => s !== res));
	} else if (pending?.breaks > 0) {
		pending.breaks--;
		stream(res).end(`id: ${last}+\ndata: \n\n`);
	} else {
		stream(res).end(event({ id: pending.id, result: pending.result },
			'e2'));
	}
}

function onPost(req, res, m) {
	const given = req.headers['mcp-session-id'];

	if (faults[mode] !== undefined)
		return faults[mode](res, m.id, m);
	if (mode === 'old' && !req.url.startsWith('/post'))
		return res.writeHead(405).end();
	if (m.method === undefined) {
		if (deaf)
			return undefined;
		res.writeHead(202).end();
		asked?.(m);
		return undefined;
	}
	if (!modern && mode !== 'old' && m.method !== 'initialize' &&
	    m.method !== 'server/discover' && (ended || given !== `s-${session}`))
		return res.writeHead(404).end('no such session');
	if (mode === 'useless' && m.method === 'tools/call')
		return res.writeHead(404).end('no such session');
	if (m.id === undefined)
		return res.writeHead(202).end();
	if (methods[m.method] === undefined)
		return json(res, { id: m.id, error: { code: -32601,
			message: 'Method not found' } }, modern ? 404 : 200);
	return methods[m.method](res, m.id, m.params ?? {});
}

createServer((req, res) => {
	let body = '';
	req.on('data', (d) => body += d);
	req.on('end', () => {
		last = req.headers;
		const m = req.method === 'POST' ? JSON.parse(body) : {};
		appendFileSync(`${dir}/log`, JSON.stringify({ http: req.method,
			url: req.url, headers: req.headers, body: m, at: Date.now()
		}) + '\n');
		if (req.method === 'GET')
			onGet(req, res);
		else if (req.method === 'DELETE')
			res.writeHead(200).end();
		else
			onPost(req, res, m);
	});
}).listen(0, '127.0.0.1', function () {
	writeFileSync(`${dir}/port`, String(this.address().port));
});
