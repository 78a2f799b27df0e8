// mcp-bridge.mjs DIR ALIASES COMMAND [ARG...]: an MCP server that speaks on its
// standard input and output, behind streamable HTTP on a loopback port: for
// tests that speak nothing else.
//
//   DIR/port   written once it listens
//   ALIASES    a JSON file: {"name": {"name", "arguments"}}: a call of the first
//              is one of the second, for tests that call tools by names of
//              their own
//
// What is here is the transport, and nothing else: sessions (a process each, as
// revisions before 2026-07-28 have it), one process for all requests that stand
// by themselves, headers and how they must agree with the body, statuses, event
// streams, and who may ask (loopback's names in Host and Origin).  Ids are
// changed on the way, so that clients cannot take each other's.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [dir, aliasFile, command, ...args] = process.argv.slice(2);
const aliases = JSON.parse(readFileSync(aliasFile, 'utf8'));
const modern = '2026-07-28';
const metaVersion = 'io.modelcontextprotocol/protocolVersion';

// ---- a server ----------------------------------------------------------------

let lastId = 0;

class Server {
	constructor() {
		this.asked = new Map(); // our id: {id, tell, end}
		this.child = spawn(command, args,
			{ stdio: ['pipe', 'pipe', 'inherit'] });
		this.child.stdin.on('error', () => {});
		this.child.on('exit', () => this.fail());
		createInterface({ input: this.child.stdout })
			.on('line', (l) => this.take(JSON.parse(l)));
	}

	send(message) {
		this.child.stdin.write(JSON.stringify(message) + '\n');
	}

	// tell(notification) and end(answer) are called with what comes of it.
	ask(message, tell, end) {
		const id = `b${++lastId}`;

		this.asked.set(id, { id: message.id, tell, end,
			token: message.params?._meta?.progressToken });
		this.send({ ...message, id });
		return id;
	}

	take(message) {
		if (message.method !== undefined) {
			const token = message.params?.progressToken;

			for (const a of this.asked.values())
				if (token !== undefined && a.token === token)
					a.tell(message);
			return;
		}
		const a = this.asked.get(message.id);

		this.asked.delete(message.id);
		a?.end({ ...message, id: a.id });
	}

	cancel(id) {
		if (this.asked.delete(id))
			this.send({ jsonrpc: '2.0',
				method: 'notifications/cancelled',
				params: { requestId: id } });
	}

	fail() {
		for (const a of this.asked.values())
			a.end({ jsonrpc: '2.0', id: a.id, error: { code: -32603,
				message: 'the server has ended' } });
		this.asked.clear();
	}

	stop() {
		this.child.stdin.end();
	}
}

const sessions = new Map();
let stateless;

// ---- HTTP --------------------------------------------------------------------

function answer(res, status, body, headers = {}) {
	if (body === undefined)
		res.writeHead(status, headers).end();
	else
		res.writeHead(status, { 'content-type': 'application/json',
			...headers }).end(JSON.stringify(body));
}

const refuse = (res, status, id, code, message) => answer(res, status,
	{ jsonrpc: '2.0', ...(id === undefined ? {} : { id }),
		error: { code, message } });

function isLocal(name) {
	const host = name?.replace(/^https?:\/\//, '').replace(/:\d+$/, '');

	return host === undefined ||
		['localhost', '127.0.0.1', '[::1]'].includes(host);
}

// Of the newer revision: what is wrong with a request tells its status, too.
const statuses = { '-32601': 404, '-32602': 400, '-32020': 400, '-32021': 400,
	'-32022': 400, '-32600': 400, '-32700': 400 };

function aliased(message) {
	const to = aliases[message.params?.name];

	return message.method === 'tools/call' && to !== undefined
		? { ...message, params: { ...message.params, ...to } } : message;
}

// One request to a server: its answer as JSON or, with what it tells before, as
// a stream.
function forward(req, res, server, message, isModern, headers = {}) {
	const streams = message.params?._meta?.progressToken !== undefined ||
		(req.headers.accept ?? '').startsWith('text/event-stream') ||
		(message.params?.name ?? '').includes('streaming');
	let open = false, id;
	const write = (m) => {
		if (!open)
			res.writeHead(200, { 'content-type':
				'text/event-stream', ...headers });
		open = true;
		res.write(`event: message\ndata: ${JSON.stringify(m)}\n\n`);
	};

	res.on('close', () => server.cancel(id));
	id = server.ask(aliased(message), (m) => streams && write(m), (m) => {
		const status = isModern && statuses[m.error?.code];

		if (open || (streams && !status)) {
			write(m);
			res.end();
		} else {
			answer(res, status || 200, m, headers);
		}
	});
}

function byItself(req, res, message) {
	const said = message.params?._meta?.[metaVersion];

	if (said !== undefined && said !== req.headers['mcp-protocol-version'])
		return refuse(res, 400, message.id, -32020,
			'MCP-Protocol-Version is not that of the body');
	if (req.headers['mcp-method'] !== message.method)
		return refuse(res, 400, message.id, -32020,
			'Mcp-Method is not that of the body');
	stateless ??= new Server();
	if (message.id === undefined)
		return answer(res, 202);
	return forward(req, res, stateless, message, true);
}

function inSession(req, res, message) {
	const key = req.headers['mcp-session-id'];
	let server = sessions.get(key);

	if (message.method === 'initialize') {
		const id = randomUUID();

		server = new Server();
		sessions.set(id, server);
		return forward(req, res, server, message, false,
			{ 'mcp-session-id': id });
	}
	if (server === undefined)
		return refuse(res, key === undefined ? 400 : 404, message.id,
			-32600, 'no such session');
	if (message.id === undefined || message.method === undefined) {
		server.send(message);
		return answer(res, 202);
	}
	return forward(req, res, server, message, false);
}

function onPost(req, res, text) {
	let message;

	try {
		message = JSON.parse(text);
	} catch {
		return refuse(res, 400, undefined, -32700, 'Parse error');
	}
	const version = req.headers['mcp-protocol-version'] ?? '';
	const isModern = message.params?._meta?.[metaVersion] !== undefined ||
		version >= modern;

	return isModern ? byItself(req, res, message)
		: inSession(req, res, message);
}

function onDelete(req, res) {
	const key = req.headers['mcp-session-id'];

	sessions.get(key)?.stop();
	return answer(res, sessions.delete(key) ? 200 : 404);
}

const http = createServer((req, res) => {
	let text = '';

	if (!isLocal(req.headers.host) || !isLocal(req.headers.origin))
		return refuse(res, 403, undefined, -32600, 'who are you?');
	req.on('data', (d) => { text += d; });
	req.on('end', () => {
		if (req.method === 'POST')
			onPost(req, res, text);
		else if (req.method === 'DELETE')
			onDelete(req, res);
		else
			answer(res, 405);
	});
	return undefined;
});

http.listen(0, '127.0.0.1', () => {
	writeFileSync(join(dir, 'port.new'), String(http.address().port));
	renameSync(join(dir, 'port.new'), join(dir, 'port'));
});

process.on('SIGTERM', () => {
	stateless?.stop();
	for (const s of sessions.values())
		s.stop();
	process.exit(0);
});
