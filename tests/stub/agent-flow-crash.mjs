// agent-flow-crash.mjs TRIALS SEED [SECONDS [TRIAL]]: a workflow that is killed
// with SIGKILL at random, gone on with, killed again, and in the end compared
// with one that nobody killed: what it gives, its journal and those of all runs
// below it, files, the ledger, what the model was asked.
//
// Half of the kills come after a random time and hit the workflow, all that
// lives below it at once, the process of an agent, or its ai-complete; half come
// before a random write of an ai-agent or an ai-complete (tests/fault/shim.c,
// whose path is SHIM).  KILLS has those that are wanted, with commas between:
// flow, tree, agent, model; ai-agent, ai-complete.  SLOW: so many milliseconds
// each fourth answer takes.  It ends after SECONDS, if they are not 0.  With
// TRIAL only that one is made.
//
// A question is asked twice only where an ai-complete itself was killed: then
// nobody can know whether it was answered.  Who kills anything else gets what
// was asked for in the end, once.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, closeSync, existsSync, mkdirSync, openSync, readFileSync,
	readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [trials, seed, seconds = '0', one = ''] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const started = performance.now(), slow = Number(process.env.SLOW ?? 3);

let state = 0n;
function rand(n) {
	state = (state * 6364136223846793005n + 1442695040888963407n) &
		0xffffffffffffffffn;
	return Number((state >> 33n) % BigInt(n));
}
const pick = (list) => list[rand(list.length)];
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0,
	0, ms);

// ---- the workflow --------------------------------------------------------------

writeFileSync('script.mjs', `
const last = (s) => s.messages.filter((m) => m.role === 'user').at(-1).content;
const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
const slow = ${slow};
const say = (text) => ({ text, usage, delay_ms: text.length % 4 < 3
	? text.length % 4 : slow });
const speeches = (s) => (last(s).match(/^\\w+: \\w/gm) ?? []).length;
export default {
	say: (s) => say((/<<(.*?)>>/s.exec(last(s)) ?? ['', 'nothing'])[1]),
	list: () => say('["w","x","y","z"]'),
	better: (s) => say(/not taken/.test(last(s)) ? 'long enough' : 'short'),
	judge: (s) => say(/given for it:\\s+long/.test(last(s)) ? 'Yes.' : 'No.'),
	talk: (s) => say(/name of the one/.test(last(s))
		? ['bob', 'carl', 'ann'][speeches(s) % 3] : 'speech ' + (speeches(s) + 1)),
	hand: [{ calls: [{ name: 'hand_off_to_bob',
		arguments: { task: 'task:say <<handed>>' } }], usage }],
	file: (s) => s.turn === 0 ? { calls: [{ name: 'write_file',
		arguments: { path: /(f\\d)/.exec(last(s))[1], content: 'x\\n' } }], usage }
		: say('written'),
};
`);

const list = { type: 'array', items: { type: 'string' } };
const files = { with: ['write_file', 'calc'] };
writeFileSync('flow.json', JSON.stringify({
	agents: {
		ann: { role: 'A', handoffs: ['bob'] }, bob: { role: 'B', ...files },
		carl: { role: 'C', ...files }, dora: { role: 'D', budget: 0.05 },
	},
	tasks: {
		a: { agent: 'ann', description: 'task:say <<a {{input}}>>' },
		list: { agent: 'ann', description: 'task:list {{a}}', schema: list },
		each: { agent: 'bob', description: 'task:say <<{{index}}{{item}}>> each',
			map: { over: '{{list}}', max: 9, at_once: 2 } },
		loop: { agent: 'carl', description: 'task:say <<{{last}}{{round}}>> loop',
			loop: { max: 3, until: { value: '{{output}}', is: '12' } } },
		retry: { agent: 'ann', description: 'task:better retry', retries: 1,
			guardrail: { contains: 'long' } },
		judged: { agent: 'carl', description: 'task:better judged', retries: 1,
			guardrail: { agent: 'bob', ask: 'task:judge it' } },
		checked: { agent: 'dora', description: 'task:better checked', retries: 1,
			guardrail: { command: ['/bin/grep', 'long'] } },
		f1: { agent: 'bob', description: 'task:file f1' },
		f2: { agent: 'carl', description: 'task:file f2 {{f1}}' },
		hand: { agent: 'ann', description: 'task:hand it' },
		no: { agent: 'ann', description: 'task:say <<never>>',
			when: { value: '{{a}}', is: 'b' } },
		talk: { description: 'task:talk of {{hand}}', chat:
			{ agents: ['ann', 'bob', 'carl'], next: { agent: 'dora' }, max: 4 } },
		end: { agent: 'dora', description: 'task:say <<{{each}} {{loop}} ' +
			'{{retry}} {{judged}} {{checked}} {{f2}} {{no}} {{talk}}>>' },
	},
}));

// ---- processes --------------------------------------------------------------------

function proc(pid, file) {
	try {
		return readFileSync(`/proc/${pid}/${file}`, 'utf8').trim();
	} catch {
		return '';
	}
}
const children = (pid) => proc(pid, `task/${pid}/children`).split(' ')
	.filter((s) => s !== '').map(Number);
const below = (pid) => children(pid).flatMap((c) => [c, ...below(c)]);
const lives = (pid) => !['', 'Z', 'X'].includes(
	proc(pid, 'stat').replace(/.*\) /, '')[0] ?? '');

function kill(pid) {
	try {
		return process.kill(pid, 'SIGKILL');
	} catch {
		return false; /* it is gone */
	}
}

const kills = {
	flow: (pid) => kill(pid),
	tree: (pid) => [pid, ...below(pid)].map(kill)[0],
	agent: (pid) => killOne(pid, 'ai-agent'),
	model: (pid) => killOne(pid, 'ai-complete'),
};

// Not a warden, which is ours by name: it has a child of ours.
function killOne(pid, name) {
	const all = below(pid).filter((p) => proc(p, 'comm') === name &&
		proc(p, 'cmdline').includes(name === 'ai-agent' ? '--agent=' : ''));
	return all.length > 0 && kill(pick(all));
}

// ---- running ------------------------------------------------------------------------

mkdirSync('model');
const model = spawn('node', [join(here, 'agent-model.mjs'), 'model',
	'script.mjs'], { stdio: ['ignore', 'ignore', 'inherit'] });
process.on('exit', () => model.kill());
for (const name of ['SIGTERM', 'SIGINT'])
	process.on(name, () => process.exit(1));
while (!existsSync('model/port'))
	sleep(20);
const url = `http://127.0.0.1:${readFileSync('model/port', 'utf8').trim()}/v1`;
const env = { ...process.env, XDG_STATE_HOME: join(process.cwd(), 'home'),
	AI_PRICE: '1,2' };
const first = ['flow', 'flow.json', '-m', 'openai/stub', '--base-url', url, '-C',
	'w', '--approve', 'never', '--taint', 'off', '--mark', 'off', '--no-guard',
	'-q', '--run', 'r1', 'the', 'input'];
mkdirSync('home/aiutils', { recursive: true });
execFileSync('ai-cost', ['budget', 'set', 'all', 'day', '1000'], { env });
execFileSync('sqlite3', ['home/aiutils/ledger.db',
	'PRAGMA wal_checkpoint(truncate)']);
copyFileSync('home/aiutils/ledger.db', 'ledger0');

function setUp() {
	for (const dir of ['home', 'w'])
		rmSync(dir, { recursive: true, force: true });
	mkdirSync('w');
	mkdirSync('home/aiutils', { recursive: true });
	copyFileSync('ledger0', 'home/aiutils/ledger.db');
}

let trace = [];
async function run(args, p) {
	const out = openSync('out', 'w'), err = openSync('err', 'w');
	const child = spawn('ai-agent', args, { stdio: ['ignore', out, err],
		env: { ...env, ...p?.fault && { LD_PRELOAD: process.env.SHIM,
			AI_TEST_PROGRAM: p.program, AI_TEST_FAULT: p.fault } } });
	const ended = new Promise((done) => child.on('exit', (status, name) =>
		done({ status, killed: name === 'SIGKILL' })));
	closeSync(out);
	closeSync(err);
	let all = [];
	const watch = setInterval(() => {
		all = [...new Set([...all, ...below(child.pid)])];
	}, 10);
	let struck = false;
	if (p?.after !== undefined)
		setTimeout(() => {
			all = [...new Set([...all, ...below(child.pid)])];
			struck = kills[p.mode](child.pid);
		}, p.after);
	let hung = false;
	const hangs = setTimeout(() => {
		hung = true;
		[child.pid, ...below(child.pid)].forEach(kill);
	}, 60000);
	const r = await ended;
	clearTimeout(hangs);
	clearInterval(watch);
	if (hung)
		throw new Error(`it hangs, with ${JSON.stringify(p)}`);
	const text = readFileSync('out', 'utf8');
	r.struck = struck;
	r.record = text.endsWith('\n') ? JSON.parse(text) : null;
	r.said = r.record?.error?.message ?? readFileSync('err', 'utf8');
	trace.push(`${args[0]} ${p ? JSON.stringify(p) : ''} -> ` +
		`${r.status ?? 'killed'} ${r.said.slice(0, 300)}`);
	// What was asked for has time to come; the wardens end all that is left.
	for (let i = 0; i < 500 + slow / 10 && all.some(lives); i++)
		await new Promise((done) => setTimeout(done, 10));
	if (all.some(lives))
		throw new Error('who worked for it is still alive after 5 s: ' +
			all.filter(lives).map((p) => `${p} ${proc(p, 'cmdline')
				.replaceAll('\0', ' ').slice(0, 300)} ${proc(p, 'wchan')} ` +
				proc(p, 'stat').split(' ').slice(2, 4).join(' ')));
	if (p !== null)
		await snapshot();
	return r;
}

// ---- what the model was asked ---------------------------------------------------------

let from = 0, snapshots = [];
function readLog() {
	const lines = readFileSync('model/log', 'utf8').slice(from).split('\n')
		.slice(0, -1).map((l) => JSON.parse(l));
	const ends = new Map(lines.filter((l) => l.end).map((l) => [l.end, l.whole]));
	return lines.filter((l) => l.hash).map((l) => ({ ...l,
		whole: ends.get(l.n) ?? false }));
}

const sql = (text) => JSON.parse(execFileSync('sqlite3', ['-json',
	'home/aiutils/ledger.db', text], { encoding: 'utf8' }) || '[]');

// Answers that the ledger has, in a journal or for it.
const kept = () => sql(`SELECT (SELECT count(*) FROM answer
	WHERE value IS NOT NULL) + (SELECT count(*) FROM step s JOIN run r
	ON r.n=s.run WHERE r.status>=4 AND s.kind=1) AS n`)[0].n;

async function snapshot() {
	await fetch(new URL('/idle', url));
	const log = readLog();
	snapshots.push({ asked: log.length, kept: kept(),
		whole: new Set(log.filter((l) => l.whole).map((l) => l.hash)).size });
}

// What was asked more than once: cut off, or answered to an ai-complete that
// was killed before it could keep the answer.
function again(ref, gentle) {
	const log = readLog(), seen = new Map(), found = { cut: 0, lost: 0 };
	const left = new Map();
	for (const h of ref)
		left.set(h, (left.get(h) ?? 0) + 1);
	log.forEach((l, i) => {
		const prev = seen.get(l.hash);
		seen.set(l.hash, i);
		if (!left.has(l.hash))
			throw new Error(`the model was asked what nobody else asks: ` +
				`${l.task} ${l.turn}`);
		left.set(l.hash, left.get(l.hash) - 1);
		if (left.get(l.hash) >= 0)
			return;
		if (gentle)
			throw new Error(`asked again, and no ai-complete was killed: ` +
				`${l.task} ${l.turn}, ${JSON.stringify(log[prev])}, ` +
				`${JSON.stringify(l)}, ${JSON.stringify(snapshots)}`);
		found[log[prev].whole ? 'lost' : 'cut']++;
	});
	if ([...left.values()].some((n) => n > 0))
		throw new Error('the model was asked less than by who was not killed');
	return found;
}

// ---- what is there in the end -----------------------------------------------------------

function final(record) {
	const l = sql(`SELECT (SELECT count(*) FROM hold) AS holds,
		(SELECT count(*) FROM budget WHERE scope='run') AS budgets,
		(SELECT count(*) FROM batch) AS batches,
		(SELECT count(*) FROM answer) AS answers`)[0];
	for (const [k, n] of Object.entries(l))
		if (n !== 0)
			throw new Error(`${n} ${k} are left in the ledger`);
	const steps = sql(`SELECT r.id, s.n, s.kind, s.state, s.key, s.intent,
		s.result, s.amount FROM step s JOIN run r ON r.n=s.run`).map((s) => {
		const intent = JSON.parse(s.intent), result = JSON.parse(s.result);
		// What is left of a budget depends on who came first.
		if (intent?.reserved > 0)
			intent.reserved = intent.limits = 'some';
		const kept = result === null ? null : [result.text, result.failed,
			result.turns, result.calls, result.handoff, result.tool_calls];
		return [s.id, intent?.step ?? s.n, s.kind, s.state, s.key, intent,
			kept, s.amount];
	}).map((s) => JSON.stringify(s)).sort();
	const { seconds: _, ...run } = record.run;
	return JSON.stringify({ run, steps,
		runs: sql('SELECT id, status, note FROM run ORDER BY id'),
		files: readdirSync('w').sort().map((f) => [f,
			readFileSync(join('w', f), 'utf8')]) }, null, 1);
}

// ---- trials --------------------------------------------------------------------------------

const stats = { trials: 0, kills: 0, missed: 0, resumes: 0, cut: 0, lost: 0 };
const logEnd = () => existsSync('model/log') ? statSync('model/log').size : 0;

async function toTheEnd(kill) {
	let args = first;
	from = logEnd();
	snapshots = [];
	for (let i = 0; i < 30; i++) {
		const p = kill(i);
		const r = await run(args, p);
		if (p !== null)
			stats[r.killed || r.struck || r.status !== 0 ? 'kills'
				: 'missed']++;
		stats.resumes += i > 0;
		if (r.status === 0)
			return r.record;
		if (r.status !== null && r.said.includes('there is no run'))
			args = first;
		else if (p === null && ![69, 75, 2].includes(r.status))
			throw new Error(`it ended with ${r.status}: ${r.said}`);
		else
			args = ['resume', '-q', 'r1'];
	}
	throw new Error('it comes to no end');
}

const wanted = (process.env.KILLS ?? '').split(',').filter((s) => s !== '');
const among = (list) => wanted.length === 0 ? list :
	list.filter((s) => wanted.includes(s));
const modes = among(['flow', 'flow', 'tree', 'tree', 'agent', 'model']);
const programs = among(['ai-agent', 'ai-agent', 'ai-complete']);

function plan(ref) {
	if (programs.length === 0 || (modes.length > 0 && rand(2) === 0))
		return { after: rand(1000) / 1000 * ref.ms * 1.1,
			mode: pick(modes) };
	return { program: pick(programs),
		fault: `${pick(['write', 'write', 'fsync'])}:${1 + rand(90)}:KILL` };
}

// Whether no ai-complete is killed by it.
const spares = (p) => ['flow', 'agent'].includes(p.mode) ||
	p.program === 'ai-agent';

async function reference() {
	const ref = {};
	for (let i = 0; i < 2; i++) {
		setUp();
		const begun = performance.now();
		const record = await toTheEnd(() => null);
		ref.ms = performance.now() - begun;
		ref.hashes = readLog().map((l) => l.hash);
		const end = final(record);
		if (ref.final !== undefined && ref.final !== end)
			throw new Error(`two that nobody killed differ:\n${end}\n${ref.final}`);
		ref.final = end;
	}
	if (new Set(ref.hashes).size !== ref.hashes.length)
		throw new Error('the workflow asks the same twice');
	return ref;
}

async function trial(ref) {
	setUp();
	trace = [];
	const more = rand(10) < 3 ? 1 + rand(3) : 0;
	const plans = Array.from({ length: more + 1 }, () => plan(ref));
	const record = await toTheEnd((i) => plans[i] ?? null);
	const found = again(ref.hashes, plans.every(spares));
	const got = final(record);
	if (got !== ref.final)
		throw new Error(`it ended otherwise:\n${got}\nwanted:\n${ref.final}`);
	execFileSync('ai-cost', ['ledger', 'check'], { env, encoding: 'utf8' });
	stats.trials++;
	stats.cut += found.cut;
	stats.lost += found.lost;
}

const ref = await reference();
let failed = 0;
for (let i = one === '' ? 0 : Number(one); i < Number(trials) && failed < 5; i++) {
	if (Number(seconds) > 0 && performance.now() - started > seconds * 1e3)
		break;
	state = BigInt(seed) * 1000003n + BigInt(i);
	rand(2);
	try {
		await trial(ref);
	} catch (e) {
		failed++;
		console.log(`not so: trial ${i} of seed ${seed}: ${e.message}` +
			`${e.stdout ?? ''}\n  ${trace.join('\n  ')}`);
	}
	if (one !== '')
		break;
}
console.log(`seed ${seed}: ${stats.trials} trials, ${failed} failed, ` +
	`${stats.kills} kills, ${stats.missed} came too late, ${stats.resumes} ` +
	`resumes; asked again: ${stats.cut} that were cut off, ${stats.lost} that ` +
	`an ai-complete took with it; ${Math.round((performance.now() - started) /
		Math.max(1, stats.trials))} ms a trial`);
process.exit(failed > 0 ? 1 : 0);
