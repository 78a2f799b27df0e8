// agent-limits.mjs TRIALS LIMIT_S URL [ARG...]: ai-agent with a limit of so many
// seconds, tools that defy every signal, leave their group and their session
// and fill their pipes, and a model that never answers.  Each process that it
// starts has a mark in its environment or its arguments; a second after the
// limit none of them may be alive.  The rest of the arguments are ai-agent's.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

const [trials, limit, url, ...args] = process.argv.slice(2);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// In each, $1 is the mark.
const evil = {
	deaf: 'trap "" TERM INT HUP; sleep 600 $1 & (sleep 600 $1 & sleep 600 $1) & ' +
		'while :; do sleep 600 $1; done',
	away: 'trap "" TERM; (setsid sh -c "trap \'\' TERM; setsid sleep 600 $1 & ' +
		'sleep 600 $1" &) ; (setsid setsid sleep 600 $1 &); sleep 600 $1',
	// A cage lets nobody have a session of his own.
	flood: 'trap "" TERM; (setsid yes $1 >&2 &); yes $1 >&2',
	many: 'i=0; while [ $i -lt 40 ]; do (setsid sleep 600 $1 &); i=$((i+1)); ' +
		'done; sleep 600 $1',
};
// sleep(1) takes a sum of times: the mark is one of them.
const mark = `0.${process.pid}0001`;
writeFileSync('tools.json', JSON.stringify({ tools: Object.entries(evil).map(
	([name, script]) => ({ name, description: name, effect: 'pure',
		command: ['/bin/sh', '-c', script, name, mark], timeout_s: 60 })) }));

function alive() {
	return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).map((pid) => {
		try {
			return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
		} catch {
			return '';
		}
	}).filter((line) => line.includes(mark) || line.includes(run)).length;
}

// How long it takes to begin.
let at = performance.now();
spawnSync('ai-agent', ['history']);
const begin = performance.now() - at;
let slowest = 0, run = '', late = 0, wrong = 0, seen = 0;
const names = [...Object.keys(evil), 'hang', 'inner'];
for (let i = 0; i < Number(trials); i++) {
	const name = names[i % names.length];
	run = `limits-${process.pid}-${i}`;
	const child = spawn('ai-agent', ['-m', 'openai/stub', '--base-url', url,
		'--price', 'free', '--tools', 'tools.json', '--approve', 'never', '--no-guard', '--mark',
		'off', '--delegate', '--run', run, '--limit', `seconds=${limit}`,
		...args, `task:${name}`], { stdio: ['ignore', 'pipe', 'ignore'] });
	const begun = performance.now();
	let out = '';
	child.stdout.on('data', (p) => out += p);
	const ended = new Promise((done) => child.on('exit', done));
	await sleep(limit * 700);
	let before = alive(), left = before;
	// The run's clock begins a little after its process.
	while (left > 0 && performance.now() - begun < limit * 1000 + 5000) {
		await sleep(20);
		left = alive();
		before = Math.max(before, left);
	}
	seen += before > 1;
	const gone = performance.now() - begun - limit * 1000;
	const status = await ended;
	slowest = Math.max(slowest, gone);
	if (gone > 1000 + begin) {
		late++;
		console.log(`${name}: the last of ${before} was dead ${Math.round(gone)}` +
			` ms after the limit`);
	}
	const limited = out.trim() === '' ? 'nothing' : JSON.parse(out).run?.limit;
	if (limited !== 'seconds') {
		wrong++;
		console.log(`${name}: status ${status}, limit ${limited}: ${out}`);
	}
}
console.log(`${trials - late} of ${trials} trees are dead within a second; ` +
	`the slowest after ${Math.round(slowest)} ms; ${seen} were seen alive`);
process.exit(late > 0 || wrong > 0 || seen < trials * 0.9 ? 1 : 0);
