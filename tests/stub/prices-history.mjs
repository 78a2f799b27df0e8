// prices-history.mjs SEED STEPS: random tables are imported day by day, and
// what each model costs on random days is compared with a model in this
// process: the last price that was told for that day or before it. A line of
// summary; exit 1 and the differences on stderr if there are any.
import { spawnSync } from 'node:child_process';

const [seed, steps] = process.argv.slice(2).map(Number);
let state = BigInt(seed) * 2n + 1n;
function below(n) {
	state = (state * 6364136223846793005n + 1442695040888963407n) &
		0xFFFFFFFFFFFFFFFFn;
	return Number((state >> 33n) % BigInt(n));
}
// Names of which one begins another, and sorts before and behind its slash.
const NAMES = ['a', 'a-b', 'a.b', 'ab', 'a!', 'a/b', 'a-2026-01-01', 'z'];
const DAYS = 400;
const day = (n) => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);

function cost(args, input) {
	const r = spawnSync('ai-cost', args, { input, encoding: 'utf8' });
	if (r.error) throw r.error;
	return r;
}

const told = new Map(NAMES.map((n) => [n, []])); // [day, price], by day
let today = 0;
let wrong = 0;
let asked = 0;
for (let step = 0; step < steps; step++) {
	today += below(3);
	const table = {};
	for (const name of NAMES) {
		if (below(3) === 0) continue;
		const price = 1 + below(4);
		table[`acme/${name}`] = { litellm_provider: 'acme', mode: 'chat',
			input_cost_per_token: price * 1e-6,
			output_cost_per_token: 1e-5 };
		const list = told.get(name);
		if (list.at(-1)?.[0] === today) list.pop();
		list.push([today, price]);
	}
	const r = cost(['prices', 'import', '--date', day(today)],
		JSON.stringify(table));
	if (r.status !== 0) throw new Error(r.stderr + r.stdout);
	for (let i = 0; i < 3; i++) {
		const name = NAMES[below(NAMES.length)];
		const when = below(Math.min(DAYS, today + 3));
		const list = told.get(name);
		if (list.length === 0) continue;
		const [, want] = list.findLast(([d]) => d <= when) ?? list[0];
		const s = cost(['prices', 'show', `acme/${name}`, '--date',
			day(when)]);
		const got = s.status === 0
			? JSON.parse(s.stdout).rates.standard[0].input : s.stderr;
		asked++;
		if (got !== want && wrong++ < 5)
			console.error(name, day(when), 'is', got, 'not', want,
				JSON.stringify(list));
	}
}
console.log(`${steps} imports, ${asked} prices asked: ${wrong} wrong`);
process.exit(wrong === 0 ? 0 : 1);
