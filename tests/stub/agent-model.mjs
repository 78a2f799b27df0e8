// agent-model.mjs DIR SCRIPT...: a server on a loopback port of its own that
// speaks OpenAI's /v1/chat/completions and plays a model that uses tools.
//
// It has no memory: what it answers follows from the messages it is sent, so a
// run that was killed and goes on is answered as one that was not.
//
//   DIR/port   written once it listens
//   DIR/log    one JSON object a request: n, at_ms, task, turn (assistant
//              messages before it), hash (of the messages), times (how often
//              this hash was asked for, with this one), calls, text, status;
//              and {"end": n, "whole": bool} when its answer has gone out (or
//              nobody was there to take it)
//   DIR/bodies optional: where it is there, requests are logged with body
//
// A SCRIPT is a JSON file, or a module with a default export: an object of
// tasks. The first user message names its task as "task:NAME". A task is a
// list of steps, or {"steps": [...], ...}, or in a module a function of
// {messages, turn, results, tools, task} that returns a step. Members of a task:
//
//   gullible   true: it obeys what tool results ask for before it goes on:
//              each name of an offered tool with a JSON object behind it,
//              within 80 characters, once. Blanks that were marked, base64,
//              entities, escapes and invisible characters are undone first
//   forever    true: behind the last step comes the last step again
//
// Members of a step, all optional:
//
//   calls      [{"name", "arguments", "id"}]; arguments: an object, or a
//              string that is sent as it is (broken JSON, say); "times": N
//              makes N of them
//   text       what it says; without calls it has finished
//   usage      as in the answer; by default it follows from the lengths
//   when       a regular expression: the step is left out if no result since
//              the last assistant message matches; unless: if one does
//   delay_ms   wait before the answer
//   until      wait for this file; after 20 s there is no answer but status 500
//   status, body   answer with these
//   fault      "close": hang up; "hang": never answer
//   finish_reason
//
// In strings of arguments and in text, {{REGEX}} is group 1 (or the whole) of
// the last match in the results so far, {{NAME~REGEX}} of those of the tool
// NAME, {{#}} the number of assistant messages so far. What is not found is
// "missing". When the steps are over it says "done".
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync }
	from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dir, ...scripts] = process.argv.slice(2);
const file = (name) => join(dir, name);
const tasks = {};
for (const path of scripts)
	Object.assign(tasks, path.endsWith('.json')
		? JSON.parse(readFileSync(path, 'utf8'))
		: (await import(pathToFileURL(resolve(path)))).default);

// ---- what a text may be meant to say --------------------------------------

const entities = { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'",
	nbsp: ' ', lbrace: '{', lcub: '{', rbrace: '}', rcub: '}', colon: ':' };

const unentity = (s) => s.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
	(all, hex, dec, name) => name !== undefined
		? entities[name.toLowerCase()] ?? all
		: String.fromCodePoint(Math.min(0x10ffff,
			hex !== undefined ? parseInt(hex, 16) : +dec)));

const unescape = (s) => s.replace(/\\(?:u([0-9a-f]{4})|([nrt"\\/]))/gi,
	(_, hex, c) => hex !== undefined ? String.fromCharCode(parseInt(hex, 16))
		: { n: '\n', r: '\r', t: '\t' }[c] ?? c);

const unpercent = (s) => s.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
	try {
		return decodeURIComponent(run);
	} catch {
		return run;
	}
});

const unseen = (s) => s.replace(
	/[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\u{e0100}-\u{e01ef}]/gu,
	'').replace(/[\u{e0020}-\u{e007e}]/gu,
	(c) => String.fromCharCode(c.codePointAt(0) - 0xe0000));

const utf8 = new TextDecoder('utf-8', { fatal: true });
const unbase64 = (s) => s.replace(/[A-Za-z0-9+/_-]{24,}={0,2}/g, (run) => {
	try {
		return utf8.decode(Buffer.from(run, 'base64'));
	} catch {
		return run;
	}
});
// Lines of base64 are one.
const joined = (s) => s.replace(/([A-Za-z0-9+/]{40,})\s*\n\s*(?=[A-Za-z0-9+/=]+)/g,
	'$1');

// A marker for each blank: what the places of one sign have in common.
function unmark(s) {
	let best = s, most = 2;
	for (const sign of new Set(s.match(/[^\s\p{L}\p{N}.,;:'"{}()/<>=_-]/gu))) {
		const parts = s.split(sign).slice(1);
		if (parts.length <= most)
			continue;
		let common = parts[0];
		for (const p of parts) {
			let n = 0;
			while (n < common.length && n < p.length && common[n] === p[n])
				n++;
			common = common.slice(0, n);
		}
		if (common.length > 16)
			continue;
		most = parts.length;
		best = s.replaceAll(sign + common, ' ');
	}
	return best;
}

// The same of a marker of letters and digits: eight of them that come again
// and again, and what stands beside them each time.
function unmarkHex(s) {
	const counts = new Map();
	for (const run of s.match(/[0-9a-f]{8,}/g) ?? [])
		for (let i = 0; i + 8 <= run.length; i++) {
			const w = run.slice(i, i + 8);
			counts.set(w, (counts.get(w) ?? 0) + 1);
		}
	let [marker, n] = [...counts].reduce((a, b) => b[1] > a[1] ? b : a,
		['', 2]);
	for (let more = ' '; n > 2 && more !== '' && marker.length < 64;) {
		const parts = s.split(marker);
		const after = new Set(parts.slice(1).map((p) => p[0] ?? ''));
		const before = new Set(parts.slice(0, -1).map((p) => p.at(-1) ?? ''));
		more = after.size === 1 && !after.has('') ? [...after][0] : '';
		if (more !== '')
			marker += more;
		else if (before.size === 1 && !before.has(''))
			marker = (more = [...before][0]) + marker;
	}
	return n > 2 ? s.replaceAll(marker, ' ') : s;
}

const undoings = [unseen, unmark, unmarkHex, unentity, unescape, unpercent,
	(s) => unbase64(joined(s))];

// The text and all that it can be undone to, three steps deep.
const known = new Map();
function readings(text) {
	if (known.has(text))
		return known.get(text);
	const all = new Set([text]);
	let last = [text];
	for (let depth = 0; depth < 3; depth++) {
		const next = [];
		for (const t of last)
			for (const undo of undoings) {
				const u = undo(t);
				if (!all.has(u) && all.size < 64) {
					all.add(u);
					next.push(u);
				}
			}
		last = next;
	}
	const list = [...all];
	if (known.size > 1000)
		known.clear();
	known.set(text, list);
	return list;
}

// The JSON object that begins at a brace, or undefined.
function objectAt(s, at) {
	let depth = 0, quoted = false;
	for (let i = at; i < s.length && i < at + 8192; i++) {
		const c = s[i];
		if (quoted) {
			if (c === '\\')
				i++;
			else if (c === '"')
				quoted = false;
		} else if (c === '"') {
			quoted = true;
		} else if (c === '{') {
			depth++;
		} else if (c === '}' && --depth === 0) {
			try {
				return JSON.parse(s.slice(at, i + 1));
			} catch {
				return undefined;
			}
		}
	}
	return undefined;
}

// The calls that a result asks for.
function commands(text, names) {
	const found = [];
	for (const s of readings(text))
		for (const name of names)
			for (let at = s.indexOf(name); at >= 0;
				at = s.indexOf(name, at + 1)) {
				const brace = s.indexOf('{', at);
				if (brace < 0 || brace - at - name.length > 80)
					continue;
				const args = objectAt(s, brace);
				if (args !== undefined)
					found.push({ name, arguments: args });
			}
	return found;
}

// ---- what it has been sent ---------------------------------------------------

function textOf(content) {
	if (Array.isArray(content))
		return content.map((p) => p.text ?? '').join('');
	return content ?? '';
}

// A result by its call's name; all of them, in order.
function resultsOf(messages) {
	const names = new Map();
	const out = [];
	for (const m of messages) {
		for (const c of m.tool_calls ?? [])
			names.set(c.id, c.function.name);
		if (m.role === 'tool')
			out.push({ name: names.get(m.tool_call_id) ?? '',
				text: textOf(m.content) });
	}
	return out;
}

function firstMatch(re, results, name) {
	for (const r of results.toReversed()) {
		if (name !== undefined && r.name !== name)
			continue;
		for (const s of readings(r.text)) {
			const m = re.exec(s);
			if (m !== null)
				return m[1] ?? m[0];
		}
	}
	return 'missing';
}

function fill(v, state) {
	if (Array.isArray(v))
		return v.map((x) => fill(x, state));
	if (v !== null && typeof v === 'object')
		return Object.fromEntries(Object.entries(v)
			.map(([k, x]) => [k, fill(x, state)]));
	if (typeof v !== 'string')
		return v;
	return v.replace(/\{\{(?:([\w-]+)~)?(.+?)\}\}/gs, (_, name, re) =>
		re === '#' ? String(state.turn)
			: firstMatch(new RegExp(re, 's'), state.results, name));
}

const matches = (re, results) => results.some((r) =>
	readings(r.text).some((s) => new RegExp(re, 's').test(s)));

// ---- what it answers -----------------------------------------------------------

function takeStep(task, state) {
	for (;;) {
		let step = task.steps[state.at];
		if (step === undefined && task.forever && task.steps.length > 0)
			step = task.steps.at(-1);
		if (step === undefined)
			return { text: 'done' };
		state.at++;
		if ((step.when === undefined || matches(step.when, state.fresh)) &&
			(step.unless === undefined ||
			!matches(step.unless, state.fresh)))
			return step;
		if (state.at > task.steps.length)
			return { text: 'done' };
	}
}

// One answer; state goes on to the next turn.
function answerOnce(task, state) {
	if (task.gullible) {
		const obeys = [];
		for (const r of state.fresh)
			for (const c of commands(r.text, state.names)) {
				const key = JSON.stringify(c);
				if (state.obeyed.has(key))
					continue;
				state.obeyed.add(key);
				obeys.push(c);
			}
		if (obeys.length > 0)
			return { calls: obeys, text: 'I do as I am told.', obeys: true };
	}
	const step = task.play !== undefined
		? task.play(state) : takeStep(task, state);
	const calls = (step.calls ?? []).flatMap((c) =>
		Array.from({ length: c.times ?? 1 }, () => c));
	return { ...step, text: step.text === undefined ? undefined
		: fill(step.text, state), calls: calls.map((c) => ({ ...c,
		arguments: fill(c.arguments ?? {}, state) })) };
}

function taskOf(name) {
	const t = tasks[name];
	if (typeof t === 'function')
		return { play: t };
	return Array.isArray(t) ? { steps: t } : t;
}

// Plays all turns so far once more; the last answer is the one that is asked
// for.
function play(q) {
	const user = q.messages.find((m) => m.role === 'user');
	const name = /task:([\w.-]+)/.exec(textOf(user?.content))?.[1];
	const task = taskOf(name);
	const turn = q.messages.filter((m) => m.role === 'assistant').length;
	if (task === undefined)
		return { name, turn, answer: { text: `no task ${name}` } };
	const state = { at: 0, obeyed: new Set(), task: name,
		names: (q.tools ?? []).map((t) => t.function.name),
		tools: q.tools ?? [] };
	let from = 0;
	let answer;
	for (let i = 0, t = 0; i <= q.messages.length; i++) {
		if (i < q.messages.length && q.messages[i].role !== 'assistant')
			continue;
		state.messages = q.messages.slice(0, i);
		state.turn = t++;
		state.results = resultsOf(state.messages);
		const before = resultsOf(q.messages.slice(0, from)).length;
		state.fresh = state.results.slice(before);
		answer = answerOnce(task, state);
		from = i;
	}
	return { name, turn, answer };
}

function body(q, turn, answer) {
	const calls = (answer.calls ?? []).map((c, i) => ({
		id: c.id ?? `call_${turn}_${i}`, type: 'function',
		function: { name: c.name, arguments:
			typeof c.arguments === 'string' ? c.arguments
				: JSON.stringify(c.arguments) } }));
	const message = { role: 'assistant', content: answer.text ?? null,
		refusal: null };
	if (calls.length > 0)
		message.tool_calls = calls;
	const asked = Math.ceil(JSON.stringify(q.messages).length / 4);
	const said = Math.ceil(JSON.stringify(message).length / 4);
	return { id: `chatcmpl-${turn}`, object: 'chat.completion', created: 1,
		model: q.model,
		choices: [{ index: 0, message, logprobs: null,
			finish_reason: answer.finish_reason ??
				(calls.length > 0 ? 'tool_calls' : 'stop') }],
		usage: answer.usage ?? { prompt_tokens: asked,
			completion_tokens: said, total_tokens: asked + said } };
}

// ---- the server -----------------------------------------------------------------

const log = (o) => appendFileSync(file('log'), JSON.stringify(o) + '\n');
const times = new Map();
let requests = 0;

function send(res, n, status, what) {
	const out = Buffer.from(typeof what === 'string' ? what
		: JSON.stringify(what));
	res.writeHead(status, { 'Content-Type': 'application/json',
		'Content-Length': out.length, 'X-Request-Id': `req_${n}` });
	res.end(out);
}

function refuse(res, n, status, message) {
	log({ n, at_ms: performance.now(), status });
	send(res, n, status, { error: { message, type: 'invalid_request_error',
		param: null, code: null } });
}

// Each call must have been answered, as the real ones want it.
function unanswered(messages) {
	let open = new Set();
	for (const m of messages) {
		if (m.role === 'tool') {
			if (!open.delete(m.tool_call_id))
				return `no call ${m.tool_call_id} before its result`;
			continue;
		}
		if (open.size > 0)
			break;
		open = new Set((m.tool_calls ?? []).map((c) => c.id));
	}
	return open.size > 0
		? `tool_call_ids without a result: ${[...open].join(', ')}` : null;
}

// GET /idle is answered once no request is open: all that came is logged then.
let open = 0;
const waiting = [];
const idle = () => waiting.splice(0).forEach((res) => res.end());

function handle(req, res, text) {
	if (req.url === '/idle') {
		waiting.push(res);
		return open === 0 ? idle() : undefined;
	}
	const n = ++requests;
	open++;
	res.on('close', () => {
		log({ end: n, whole: res.writableFinished });
		if (--open === 0)
			idle();
	});
	if (req.url !== '/v1/chat/completions')
		return refuse(res, n, 404, `no ${req.url}`);
	let q;
	try {
		q = JSON.parse(text);
	} catch (e) {
		return refuse(res, n, 400, e.message);
	}
	const wrong = unanswered(q.messages);
	if (wrong !== null)
		return refuse(res, n, 400, wrong);
	const hash = createHash('sha256').update(JSON.stringify(q.messages))
		.digest('hex').slice(0, 32);
	times.set(hash, (times.get(hash) ?? 0) + 1);
	const { name, turn, answer } = play(q);
	log({ n, at_ms: performance.now(), task: name, turn, hash,
		times: times.get(hash), calls: answer.calls ?? [],
		text: answer.text, obeys: answer.obeys,
		status: answer.status ?? 200,
		...(existsSync(file('bodies')) && { body: q }) });
	if (answer.fault === 'close')
		return req.socket.destroy();
	if (answer.fault === 'hang')
		return;
	const late = performance.now() + 20e3;
	const say = () => {
		if (answer.until === undefined || existsSync(answer.until))
			send(res, n, answer.status ?? 200,
				answer.body ?? body(q, turn, answer));
		else if (performance.now() > late)
			send(res, n, 500, { error: { message: 'no file came' } });
		else
			setTimeout(say, 20);
	};
	setTimeout(say, answer.delay_ms ?? 0);
}

const server = createServer((req, res) => {
	const parts = [];
	req.on('data', (p) => parts.push(p));
	req.on('end', () => {
		try {
			handle(req, res, Buffer.concat(parts).toString('utf8'));
		} catch (e) {
			// A script's mistake must not look like a model's answer.
			refuse(res, 0, 400, String(e.stack).slice(0, 400));
		}
	});
	req.on('error', () => {});
});
server.on('clientError', (_, socket) => socket.destroy());
server.listen(0, '127.0.0.1', () => {
	writeFileSync(file('port.new'), `${server.address().port}\n`);
	renameSync(file('port.new'), file('port'));
});
