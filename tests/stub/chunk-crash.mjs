// chunk-crash.mjs MODE ROUNDS SEED [OPTION...]: a tree that changes at random,
// and ai-chunk --state, which is killed or fails at random.  A reader takes
// what comes, as an index would.  After each run that ended well it must know
// what a run without a state finds.
//
// MODE is "kill" (SIGKILL at any time), "pipe" (the reader goes), or a call of
// tests/fault/shim.c and how it fails: "write:KILL", "fsync:EIO", ...; its
// numbers go up from 1 to the last there is, again and again.
import { spawn, spawnSync, execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync,
	readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync }
	from 'node:fs';
import { dirname, join } from 'node:path';

const [mode, rounds, seed, ...options] = process.argv.slice(2);
const dedup = options.includes('--dedup');
let state = BigInt(seed);

function rand(n) {
	state = (state * 6364136223846793005n + 1442695040888963407n) &
		0xffffffffffffffffn;
	return Number((state >> 33n) % BigInt(n));
}
const pick = (list) => list[rand(list.length)];

// ---- the tree -----------------------------------------------------------------

const words = Array.from({ length: 4000 }, (_, i) => 'w' + i.toString(36));
const paragraph = () => Array.from({ length: 12 }, () => pick(words)).join(' ');
const common = Array.from({ length: 12 }, paragraph);

function text() {
	return Array.from({ length: rand(6) }, () => rand(3) === 0 ?
		pick(common) : paragraph()).join('\n\n') + '\n';
}

function files(dir = 'd') {
	return readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
		e.isDirectory() ? files(join(dir, e.name)) : [join(dir, e.name)]);
}

const fresh = () => {
	const dir = pick(['d', 'd/a', 'd/a/b', 'd/c']);
	mkdirSync(dir, { recursive: true });
	return join(dir, `f${rand(40)}`);
};

// Another text of the same length, and the old time of the last write.
function edit(path) {
	const { atime, mtime } = statSync(path);
	const old = readFileSync(path, 'utf8');
	writeFileSync(path, old.replace(/w/g, () => rand(4) === 0 ? 'v' : 'w'));
	utimesSync(path, atime, mtime);
}

// What once was is there again.
const past = [];
function back() {
	const [path, old] = pick(past) ?? [fresh(), 'w1'];
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, old);
}

const changes = [
	back, back,
	() => writeFileSync(fresh(), text()),
	() => writeFileSync(fresh(), text()),
	(f) => writeFileSync(f, text()),
	(f) => edit(f),
	(f) => rmSync(f),
	(f) => renameSync(f, fresh()),
	(f) => utimesSync(f, new Date(), new Date()),
	(f) => writeFileSync(f, Buffer.from([65, 0, 66])),
	() => rmSync(pick(['d/a/b', 'd/c']), { recursive: true, force: true }),
];

function mutate() {
	for (let i = 0, n = rand(5); i < n; i++) {
		const all = files();
		if (all.length > 0 && past.length < 500) {
			const f = pick(all);
			past.push([f, readFileSync(f)]);
		}
		if (all.length > 0)
			pick(changes)(pick(all));
		else
			writeFileSync(fresh(), text());
	}
}

// ---- the reader ---------------------------------------------------------------

const index = new Map(); // uri: its passages
const coming = new Map(); // uri: a version that is not complete

function take(out) {
	for (const line of out.toString().split('\n').slice(0, -1)) {
		const r = JSON.parse(line);
		const { uri } = r.source;
		if (r.error)
			continue;
		if (r.chunk.of === 0) {
			index.delete(uri);
			coming.delete(uri);
			continue;
		}
		const version = `${r.chunk.doc} ${r.chunk.of} ${r.chunk.cut}`;
		let c = coming.get(uri);
		if (c?.version !== version)
			coming.set(uri, c = { version, parts: new Map() });
		c.parts.set(r.chunk.n, r.text);
		if (c.parts.size < r.chunk.of)
			continue;
		index.set(uri, [...Array(r.chunk.of).keys()].map((i) =>
			c.parts.get(i)));
		coming.delete(uri);
	}
}

// ---- running it ---------------------------------------------------------------

const args = ['-q', '--by', 'paragraph', '--size', '60', '--overlap', '0',
	...options];
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0,
	0, ms);

function whole() {
	const r = spawnSync('ai-chunk', [...args, '--state', 's', 'd'],
		{ maxBuffer: 1 << 28 });
	if (r.status !== 0)
		throw new Error(`status ${r.status} ${r.signal}: ${r.stderr}`);
	take(r.stdout);
	return r.stdout.length;
}

// Through a named pipe, of which only some is read; then a kill, or nothing.
function piped(kill) {
	const child = spawn('sh', ['-c',
		`exec ai-chunk ${args.join(' ')} --state s d >fifo`]);
	const fd = openSync('fifo', 'r'), got = [];
	const wait = kill ? rand(60) / 3 : 0;
	const most = kill ? Infinity : rand(4000);
	const piece = Buffer.alloc(1 + rand(3000));
	let n, total = 0;

	if (wait > 0)
		sleep(wait);
	if (kill)
		process.kill(child.pid, 'SIGKILL');
	while (total < most && (n = readSync(fd, piece, 0,
		Math.min(piece.length, most - total))) > 0) {
		got.push(Buffer.from(piece.subarray(0, n)));
		total += n;
	}
	closeSync(fd);
	take(Buffer.concat(got));
	return new Promise((done) => child.on('exit', done));
}

let nth = 0;

function faulty(call, how) {
	const fd = openSync('out', 'w');
	rmSync('count', { force: true });
	nth++;
	const r = spawnSync('ai-chunk', [...args, '--state', 's', 'd'], {
		stdio: ['ignore', fd, 'pipe'],
		env: { ...process.env, LD_PRELOAD: process.env.SHIM,
			AI_TEST_FAULT: `${call}:${nth}:${how}`,
			AI_TEST_COUNT: 'count' },
	});
	closeSync(fd);
	if (r.status === 99)
		throw new Error('the shim does not know this fault');
	take(readFileSync('out'));
	// Beyond the last of them nothing fails.
	const [, n] = existsSync('count') ?
		readFileSync('count', 'utf8').match(`${call} (\\d+)`) : [];
	if (nth >= Number(n))
		nth = 0;
	return r.status !== 0;
}

// ---- what must be so ----------------------------------------------------------

function check(round) {
	const want = new Map();
	const plain = args.filter((a, i) => a !== '--dedup' &&
		args[i - 1] !== '--dedup');
	const out = execFileSync('ai-chunk', [...plain, 'd'],
		{ maxBuffer: 1 << 28 });
	for (const line of out.toString().split('\n').slice(0, -1)) {
		const r = JSON.parse(line);
		if (r.chunk.of > 0)
			want.set(r.source.uri, [...want.get(r.source.uri) ?? [],
				r.text]);
	}
	const flat = (m) => JSON.stringify([...m].sort());
	const texts = (m) => [...new Set([...m.values()].flat())].sort();
	// With --dedup each text is there, and only where it should be.
	const good = !dedup ? flat(index) === flat(want) :
		JSON.stringify(texts(index)) === JSON.stringify(texts(want)) &&
		[...index].every(([uri, list]) => list.every((t) =>
			want.get(uri)?.includes(t)));
	if (good)
		return;
	console.log(`round ${round}: the reader knows\n${flat(index)}\n` +
		`and should know\n${flat(want)}`);
	process.exit(1);
}

mkdirSync('d');
execFileSync('mkfifo', ['fifo']);
let failed = 0, quiet = 0;
for (let round = 0; round < Number(rounds); round++) {
	mutate();
	if (mode === 'kill' || mode === 'pipe')
		failed += await piped(mode === 'kill') !== 0;
	else
		failed += faulty(...mode.split(':'));
	if (rand(3) === 0)
		continue; // and once more, from there
	mutate();
	whole();
	check(round);
	quiet += whole() === 0;
	if (existsSync('s.new') || existsSync('s.lock'))
		throw new Error('something is left over');
}
whole();
check('last');
console.log(`${mode}: ${rounds} rounds, ${failed} ended early, ` +
	`${quiet} second runs wrote nothing`);
process.exit(failed > 0 && quiet > 0 ? 0 : 1);
