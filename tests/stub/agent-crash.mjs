// agent-crash.mjs TRIALS SEED [SECONDS [WORKFLOW [TRIAL]]]: runs of ai-agent
// that are killed with SIGKILL at random, gone on with, killed again, and in
// the end compared with one that nobody killed: files, database, effects, the
// run itself, what the model was asked, the ledger.
//
// Half of the kills come after a random time, half before a random write or
// sync of one of the programs (tests/fault/shim.c, whose path is SHIM).  They
// hit ai-agent alone, it and the other programs of ours, all that lives below
// it, or one of the other programs.  It ends after SECONDS, if they are given
// and not 0.  With TRIAL only that one is made; who is killed where is the same
// then, times are not.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, copyFileSync, cpSync, existsSync, mkdirSync, openSync,
	readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [trials, seed, seconds = '0', only = '', one = ''] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const tool = join(here, 'agent-crash-tool.sh');
const started = performance.now();

let state = 0n;
function rand(n) {
	state = (state * 6364136223846793005n + 1442695040888963407n) &
		0xffffffffffffffffn;
	return Number((state >> 33n) % BigInt(n));
}
const pick = (list) => list[rand(list.length)];
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0,
	0, ms);

// ---- the tools -----------------------------------------------------------------

const params = (...names) => ({ type: 'object', required: names,
	properties: Object.fromEntries(names.map((n) => [n, { type: 'string' }])) });
const declare = (name, effect, names, more = {}) => ({ name, description: name,
	parameters: params(...names), effect,
	command: [tool, more.how ?? name, ...names.map((n) => `{${n}}`)],
	trusted: true, sandbox: { write: ['.'] }, ...more, how: undefined });

const tools = [
	declare('look', 'pure', ['file']),
	declare('put', 'idempotent', ['file', 'text'], { writes: true }),
	declare('note', { verify: [tool, 'noted', '{file}', '{text}'] },
		['file', 'text']),
	declare('book', { transactional:
		{ database: 'book.db', table: 'ai_effects' } }, ['text'],
	{ command: [tool, 'book', 'book.db', '{text}'] }),
	declare('wal', { transactional:
		{ database: 'wal.db', table: 'ai_effects' } }, ['text'],
	{ command: [tool, 'book', 'wal.db', '{text}'] }),
	declare('pay', 'once', ['file', 'text']),
	declare('peek', 'pure', ['file'], { how: 'look', trusted: false }),
];

// ---- the workflows -------------------------------------------------------------

const call = (name, args) => ({ name, arguments: args });
const look = (file) => call('look', { file });
const put = (file, text) => call('put', { file, text });
const note = (text, file = 'notes') => call('note', { file, text });
const book = (text) => call('book', { text });
const wal = (text) => call('wal', { text });
const pay = (text) => call('pay', { file: 'paid', text });
const write = (path, content) => call('write_file', { path, content });
const patch = (path, old, text) => call('patch_file', { path, old, new: text });
const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
const turns = (...list) => [...list.map((calls) => ({ calls, usage })),
	{ text: 'It is done, and {{(a poem|stands|booked)}}.', usage }];

const tasks = {
	pure: turns([look('poem'), look('list'), look('poem')],
		[look('list'), look('poem')]),
	files: turns([write('a/new', 'one\ntwo\n')],
		[patch('a/new', 'two', 'three'), patch('poem', 'roses', 'violets')],
		[patch('a/new', 'three', 'two'), write('a/new2', 'x')],
		[write('a/new2', 'xy'), write('a/new2', 'xyz')]),
	verify: turns([note('n1'), note('n2')], [note('n3'), note('n4', 'other')]),
	book: turns([book('b1'), book('b2')], [wal('w1'), wal('w2')]),
	put: turns([put('p1', 'x'), put('p2', 'y')], [put('p1', 'z')]),
	mixed: turns([look('poem'), note('m1'), write('m', '1\n'), book('m1'),
		look('list')],
	[patch('m', '1', '2'), look('poem'), wal('m2'), put('q', '1'),
		note('m2')]),
	once: turns([pay('o1')], [look('poem'), pay('o2'), note('o3')]),
	approve: turns([put('v', '1'), note('v1')], [write('vw', 'x')]),
	nine: turns([look('poem')], [note('i1')], [patch('poem', 'blue', 'red')],
		[book('i2')], [look('list'), look('poem')], [write('i3', '1')],
		[note('i4')], [patch('i3', '1', '2')]),
	outer: turns([call('delegate', { task: 'task:inner' })], [note('d1')]),
	inner: turns([note('d0'), look('poem')], [put('d', '1')]),
	guard: turns([call('peek', { file: 'poem' }), note('g1')],
		[call('peek', { file: 'list' })]),
	fork: turns([note('f1')], [note('f2'), look('poem')], [book('f3')]),
};

const never = ['--approve', 'never'];
const flows = {
	pure: {}, files: {}, verify: {}, book: {}, put: {}, mixed: {},
	once: { loose: true }, nine: {},
	approve: { args: ['--approve', 'writes'] },
	outer: { args: [...never, '--delegate'] },
	guard: { args: [...never, '--guard', '--mark', 'delimit',
		'--taint', 'strict'], hashes: false, programs: ['ai-guard'] },
	fork: { fork: 4 },
};

// ---- a folder for each trial ------------------------------------------------------

function setUp() {
	rmSync('home', { recursive: true, force: true });
	rmSync('w', { recursive: true, force: true });
	cpSync('w0', 'w', { recursive: true });
	mkdirSync('home/aiutils', { recursive: true });
	copyFileSync('ledger0', 'home/aiutils/ledger.db');
}

function prepare() {
	mkdirSync('w0');
	writeFileSync('w0/poem', 'roses are red, a poem\nviolets are blue\n');
	writeFileSync('w0/list', 'one\ntwo\n');
	for (const [db, mode] of [['book', 'delete'], ['wal', 'wal']])
		execFileSync('sqlite3', [`w0/${db}.db`, `PRAGMA journal_mode=${mode};
			CREATE TABLE entries(text);
			CREATE TABLE ai_effects(key TEXT PRIMARY KEY, result TEXT)`]);
	writeFileSync('tools.json', JSON.stringify({ tools }));
	writeFileSync('tasks.json', JSON.stringify(tasks));
	mkdirSync('home/aiutils', { recursive: true });
	execFileSync('ai-cost', ['budget', 'set', 'all', 'day', '1000'], { env });
	execFileSync('sqlite3', ['home/aiutils/ledger.db',
		'PRAGMA wal_checkpoint(truncate)']);
	copyFileSync('home/aiutils/ledger.db', 'ledger0');
}

// ---- killing ------------------------------------------------------------------------

function proc(pid, file) {
	try {
		return readFileSync(`/proc/${pid}/${file}`, 'utf8').trim();
	} catch {
		return '';
	}
}
const children = (pid) => proc(pid, `task/${pid}/children`).split(' ')
	.filter((s) => s !== '').map(Number);

function signal(pid, name) {
	try {
		process.kill(pid, name);
	} catch { /* it is gone */ }
}

function stopTree(pid, all = []) {
	signal(pid, 'SIGSTOP');
	all.push(pid);
	children(pid).forEach((c) => stopTree(c, all));
	return all;
}

// A tree of processes, for a person.
const tell = (pid, depth = 1) => '  '.repeat(depth) + `${pid} ` +
	proc(pid, 'stat').split(' ').slice(1, 4).join(' ') + ' ' +
	proc(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 80) + ' ' +
	proc(pid, 'wchan') + '\n' +
	children(pid).map((c) => tell(c, depth + 1)).join('');

const ours = (pid, names) => children(pid).filter((c) =>
	names.includes(proc(c, 'comm')));

const kills = {
	agent: (pid) => signal(pid, 'SIGKILL'),
	run: (pid) => {
		signal(pid, 'SIGSTOP');
		ours(pid, ['ai-complete', 'ai-guard']).forEach((c) =>
			signal(c, 'SIGKILL'));
		signal(pid, 'SIGKILL');
	},
	tree: (pid) => {
		let all = stopTree(pid);
		// What forks while it is stopped is seen in the next round.
		for (let n = 0; n !== all.length;) {
			n = all.length;
			all = stopTree(pid);
		}
		all.forEach((p) => signal(p, 'SIGKILL'));
	},
	model: (pid) => ours(pid, ['ai-complete']).forEach((c) =>
		signal(c, 'SIGKILL')),
	guard: (pid) => ours(pid, ['ai-guard']).forEach((c) =>
		signal(c, 'SIGKILL')),
};

// When and whom.  ref has how long it takes, and how many calls there are.
function plan(flow, ref) {
	const modes = ['agent', 'agent', 'run', 'run', 'tree', 'tree', 'model',
		...(flow.programs ?? []).map(() => 'guard')];
	if (rand(2) === 0)
		return { after: rand(1e6) / 1e6 * ref.ms * 1.1, mode: pick(modes) };
	const program = pick(['ai-agent', 'ai-agent', 'ai-agent', 'ai-complete',
		...(flow.programs ?? [])]);
	const what = pick(['write', 'write', 'fsync']);
	const how = pick(['KILL', 'KILLRUN', 'KILLTREE']);
	return { program, mode: `${program}:${how}`,
		fault: `${what}:${1 + rand(ref.counts[program][what] + 1)}:${how}` };
}

// ---- running --------------------------------------------------------------------------

const env = { ...process.env, XDG_STATE_HOME: join(process.cwd(), 'home') };
const base = () => ['-m', 'openai/stub', '--base-url', url, '--price', '1,2',
	'--tools', 'tools.json', '-C', 'w', '--with', 'write_file',
	'--with', 'patch_file'];
const begin = (name, flow) => [...base(), '--taint', 'off', '--mark', 'off',
	'--no-guard', ...(flow.args ?? never), '--run', 'r1', `task:${name}`];

let trace = [];

// One process; killed as p says, if there is one. {status, record, killed}
async function run(args, p = null, count = null) {
	const out = openSync('out', 'w'), err = openSync('err', 'w');
	const child = spawn('ai-agent', args, { stdio: ['ignore', out, err],
		env: { ...env, ...(p?.fault || count) && { LD_PRELOAD: process.env.SHIM,
			AI_TEST_PROGRAM: p?.program ?? count },
		...p?.fault && { AI_TEST_FAULT: p.fault },
		...count && { AI_TEST_COUNT: 'count' } } });
	const ended = new Promise((done) => child.on('exit', (status, name) =>
		done({ status, killed: name === 'SIGKILL' })));
	closeSync(out);
	closeSync(err);
	if (p?.after !== undefined) {
		sleep(p.after);
		kills[p.mode](child.pid);
	}
	const hangs = setTimeout(() => {
		hung = tell(child.pid);
		stopTree(child.pid).forEach((q) => signal(q, 'SIGKILL'));
	}, 60000);
	let hung = '';
	const r = await ended;
	clearTimeout(hangs);
	if (hung !== '')
		throw new Error(`it hangs, with ${JSON.stringify(p)}:\n${hung}`);
	const text = readFileSync('out', 'utf8');
	const stderr = readFileSync('err', 'utf8');
	if (r.status !== 0 && !r.killed && r.status === null)
		throw new Error(`a signal that we did not send: ${stderr}`);
	r.record = text.endsWith('\n') ? JSON.parse(text) : null;
	r.said = r.record?.error?.message ?? stderr;
	trace.push(`${args.slice(0, 2).join(' ')} ${p ? JSON.stringify(p) : ''} -> ` +
		`${r.status ?? 'killed'} ${r.said.slice(0, 300)}`);
	if (p !== null)
		await snapshot(p);
	return r;
}

// ---- what the model was asked ------------------------------------------------------

let from = 0;
function readLog() {
	const text = readFileSync('model/log', 'utf8').slice(from);
	const lines = text.split('\n').slice(0, -1).map((l) => JSON.parse(l));
	const ends = new Map(lines.filter((l) => l.end).map((l) => [l.end, l.whole]));
	return lines.filter((l) => l.n && l.hash).map((l) => ({ ...l,
		whole: ends.get(l.n) ?? false }));
}

// What makes two requests the same: all that is said, where it is the same for
// who was killed.
const same = (l, flow) => flow.hashes === false || flow.loose
	? `${l.task} ${l.turn}` : createHash('sha256')
		.update(JSON.stringify(l.body.messages)).digest('hex');
const logEnd = () => existsSync('model/log') ? statSync('model/log').size : 0;

// The ledger as a kill has left it, for when a request comes twice.  What was
// sent before the kill may be read by the model after it: it is waited for.
let snapshots = [];
async function snapshot(p) {
	const dir = `snap${snapshots.length}`;
	rmSync(dir, { recursive: true, force: true });
	mkdirSync(dir);
	for (const f of ['ledger.db', 'ledger.db-wal'])
		if (existsSync(`home/aiutils/${f}`))
			copyFileSync(`home/aiutils/${f}`, `${dir}/${f}`);
	await fetch(new URL('/idle', url));
	snapshots.push({ dir, mode: p.mode, asked: readLog().length });
}

const sql = (file, text) => execFileSync('sqlite3', ['-json', file, text],
	{ encoding: 'utf8' });

// Answers that the ledger has, in the journal or for it.
const kept = (dir) => JSON.parse(sql(`${dir}/ledger.db`, `SELECT
	(SELECT count(*) FROM answer WHERE value IS NOT NULL) +
	(SELECT count(*) FROM step s JOIN run r ON r.n=s.run WHERE r.status>=4
		AND s.kind=1) AS n`))[0].n;

let before = 0;

// Requests that were asked more often than by who was not killed: cut off, or
// answered and lost with ai-complete before it could keep them.
function again(hashes, flow, name) {
	const log = readLog(), left = new Map(), seen = new Map();
	const found = { cut: 0, lost: 0 };
	for (const h of hashes)
		left.set(h, (left.get(h) ?? 0) + 1);
	log.forEach((l, i) => {
		const hash = same(l, flow);
		const prev = seen.get(hash);
		seen.set(hash, i);
		if (!left.has(hash))
			throw new Error(`asked for what nobody else asks, in turn ` +
				`${l.turn}: ` + JSON.stringify(l.body.messages.slice(1)));
		left.set(hash, left.get(hash) - 1);
		if (left.get(hash) >= 0)
			return;
		if (!log[prev].whole) {
			found.cut++;
			return;
		}
		const killed = snapshots.filter((s) => s.asked > prev &&
			s.asked <= i && (name === 'outer' || s.mode !== 'agent' &&
			s.mode !== 'ai-agent:KILL'));
		const distinct = new Set(log.slice(0, prev + 1).map((x) =>
			same(x, flow))).size;
		if (!killed.some((s) => kept(s.dir) - before < distinct))
			throw new Error(`asked again for an answer that was there: ` +
				`turn ${l.turn}`);
		found.lost++;
	});
	if ([...left.values()].some((n) => n > 0))
		throw new Error('it was asked for less than by who was not killed');
	return found;
}

// ---- what is there in the end --------------------------------------------------------

function files(dir) {
	return readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
		const path = join(dir, e.name);
		return e.isDirectory() ? files(path)
			: /\.db(-wal|-shm)?$/.test(e.name) ? []
				: [[path, readFileSync(path, 'utf8')]];
	}).sort();
}

const ledgerState = (loose) => JSON.parse(sql('home/aiutils/ledger.db', `
	ATTACH 'w/book.db' AS book; ATTACH 'w/wal.db' AS wal;
	SELECT (SELECT count(*) FROM hold) AS holds,
	(SELECT count(*) FROM budget WHERE scope='run') AS budgets,
	(SELECT count(*) FROM batch) AS batches,
	(SELECT count(*) FROM answer) AS answers,
	(SELECT group_concat(id||status||coalesce(note,'')) FROM
		(SELECT * FROM run ORDER BY id)) AS runs,
	(SELECT sum(amount) FROM step) AS amount,
	(SELECT sum(amount) FROM transfer WHERE kind=2) AS billed,
	(SELECT group_concat(id||' '||n||kind||state||key${loose ? '' :
		"||coalesce(intent,'')||coalesce(CASE kind WHEN 2 THEN result END,'')"},
		x'0a') FROM (SELECT r.id, s.* FROM step s JOIN run r ON r.n=s.run
		ORDER BY r.id, s.n)) AS steps,
	(SELECT group_concat(text) FROM book.entries) AS book,
	(SELECT group_concat(key||result) FROM book.ai_effects) AS effects,
	(SELECT group_concat(text) FROM wal.entries) AS wal,
	(SELECT group_concat(key||result) FROM wal.ai_effects) AS wal_effects`))[0];

function final(record, flow) {
	const l = ledgerState(flow.loose || flow.hashes === false ||
		flow.args?.includes('writes'));
	for (const k of ['holds', 'budgets', 'batches', 'answers'])
		if (l[k] !== 0)
			throw new Error(`${l[k]} ${k} are left in the ledger`);
	const { id, status, text, steps, turns: n, calls, limit } = record.run;
	return { run: { id, status, text, steps, n, calls, limit,
		...!(flow.loose || flow.hashes === false) && { cost: record.run.cost_usd,
			usage: record.run.usage } },
	files: files('w'), ...l, amount: undefined, billed: undefined,
	money: [l.amount, l.billed] };
}

// ---- a trial ----------------------------------------------------------------------------

// What a person says who looks whether it was done.
function decide(w) {
	if (!w.why?.startsWith('it was begun'))
		return [];
	if (w.tool !== 'pay')
		throw new Error(`a call of ${w.tool} is not known to be done: ${w.why}`);
	const line = ` ${w.arguments.text}\n`;
	const file = join('w', w.arguments.file);
	return [existsSync(file) && readFileSync(file, 'utf8').includes(line)
		? '--done' : '--again'];
}

const stats = { trials: 0, kills: 0, missed: 0, resumes: 0, decided: 0, cut: 0,
	lost: 0 };
const modes = {};

// From the first command to the end; kill() says of each whether it is killed.
async function toTheEnd(first, id, kill) {
	let args = first;
	for (let i = 0; i < 40; i++) {
		const p = kill(i);
		const r = await run(args, p);
		if (p !== null) {
			modes[p.mode] = (modes[p.mode] ?? 0) + 1;
			stats[r.killed || r.status !== 0 ? 'kills' : 'missed']++;
		}
		stats.resumes += i > 0;
		if (r.status === 0)
			return r.record;
		if (r.status !== null && r.said.includes('there is no run'))
			args = first;
		else if (r.record?.run?.status === 'parked') {
			const w = pick(r.record.run.waiting);
			stats.decided++;
			args = ['approve', ...decide(w), `${id}@${w.step}`];
		} else if (p === null && r.status !== 75 && r.status !== 0)
			throw new Error(`it ended with ${r.status}: ${r.said}`);
		else if (id === 'r1' && rand(4) === 0 && args !== first)
			args = first;
		else
			args = ['resume', id];
	}
	throw new Error('it comes to no end');
}

// One command and what follows it, beside what it was asked who was not killed.
async function phase(first, id, flow, name, kill, ref) {
	from = logEnd();
	snapshots = [];
	before = kept('home/aiutils');
	const record = await toTheEnd(first, id, kill);
	const hashes = readLog().map((l) => same(l, flow));
	return { record, hashes,
		found: ref === null ? {} : again(ref, flow, name) };
}

async function flowOf(name, flow, kill, ref) {
	const list = [await phase(begin(name, flow), 'r1', flow, name, kill,
		ref && ref.hashes[0])];
	if (flow.fork)
		list.push(await phase(['fork', '--run', 'r2', `r1@${flow.fork}`], 'r2',
			flow, name, kill, ref && ref.hashes[1]));
	return { record: list.at(-1).record, hashes: list.map((p) => p.hashes),
		cut: list.reduce((n, p) => n + p.found.cut, 0),
		lost: list.reduce((n, p) => n + p.found.lost, 0) };
}

async function reference(name, flow) {
	const ref = { counts: {} };
	for (const program of ['ai-agent', 'ai-complete', ...flow.programs ?? []]) {
		setUp();
		await run(begin(name, flow), null, program);
		const text = readFileSync('count', 'utf8');
		ref.counts[program] = Object.fromEntries(['write', 'fsync'].map((c) =>
			[c, Number(new RegExp(`${c} (\\d+)`).exec(text)[1])]));
	}
	ref.ms = 0;
	for (let i = 0; i < 2; i++) {
		setUp();
		const begun = performance.now();
		const r = await flowOf(name, flow, () => null, null);
		ref.ms = performance.now() - begun;
		ref.hashes = r.hashes;
		ref.final = final(r.record, flow);
		if (ref.final.money[0] !== ref.final.money[1])
			throw new Error(`${name}: steps cost ${ref.final.money[0]}, booked is ${ref.final.money[1]}`);
	}
	return ref;
}

async function trial(name, flow, ref) {
	setUp();
	trace = [];
	const more = rand(10) < 3 ? 1 + rand(3) : 0;
	const found = await flowOf(name, flow, (i) => i <= more
		? plan(flow, ref) : null, ref);
	const end = final(found.record, flow);
	if (found.cut + found.lost === 0 && end.money[0] !== end.money[1])
		throw new Error(`steps cost ${end.money[0]}, booked is ${end.money[1]}`);
	end.money = ref.final.money;
	const got = JSON.stringify(end, null, 1), want = JSON.stringify(ref.final,
		null, 1);
	if (got !== want)
		throw new Error(`it ended otherwise:\n${got}\nwanted:\n${want}`);
	execFileSync('ai-cost', ['ledger', 'check'], { env, encoding: 'utf8' });
	stats.trials++;
	stats.cut += found.cut;
	stats.lost += found.lost;
}

// ---- all of them -------------------------------------------------------------------------

mkdirSync('model');
prepare();
const model = spawn('node', [join(here, 'agent-model.mjs'), 'model',
	'tasks.json'], { stdio: ['ignore', 'ignore', 'inherit'] });
for (const name of ['SIGTERM', 'SIGINT'])
	process.on(name, () => {
		model.kill();
		process.exit(1);
	});
writeFileSync('model/bodies', '');
while (!existsSync('model/port'))
	sleep(20);
const url = `http://127.0.0.1:${readFileSync('model/port', 'utf8').trim()}/v1`;
const names = Object.keys(flows).filter((n) => only === '' || n === only);
const refs = {};
let failed = 0;

for (let i = one === '' ? 0 : Number(one); i < Number(trials) && failed < 10;
	i++) {
	if (Number(seconds) > 0 && performance.now() - started > seconds * 1e3)
		break;
	const name = names[i % names.length], flow = flows[name];
	refs[name] ??= await reference(name, flow);
	state = BigInt(seed) * 1000003n + BigInt(i);
	rand(2);
	try {
		await trial(name, flow, refs[name]);
	} catch (e) {
		failed++;
		console.log(`not so: trial ${i} of seed ${seed}, ${name}: ` +
			`${e.message}${e.stdout ?? ''}\n  ${trace.join('\n  ')}`);
		if (process.env.KEEP)
			cpSync('.', `${process.env.KEEP}/${i}`, { recursive: true });
	}
	if (process.env.VERBOSE)
		console.log(`${i} ${name} ${Math.round(performance.now() -
			started)} ms\n  ${trace.join('\n  ')}`);
	if (one !== '')
		break;
}
model.kill();
console.log(`seed ${seed}: ${stats.trials} trials, ${failed} failed, ` +
	`${stats.kills} kills, ${stats.missed} came too late, ` +
	`${stats.resumes} resumes, ${stats.decided} decisions; asked again: ` +
	`${stats.cut} that were cut off, ${stats.lost} that ai-complete took with ` +
	`it; ${Math.round((performance.now() - started) /
		Math.max(1, stats.trials))} ms a trial`);
if (process.env.VERBOSE)
	console.log(modes, Object.fromEntries(names.map((n) => [n, refs[n]?.ms])));
process.exit(failed > 0 ? 1 : 0);
