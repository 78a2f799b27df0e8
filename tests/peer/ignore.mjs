// ignore.mjs ROUNDS SEED: random trees with random files of patterns; what
// ai-chunk finds in them must be what git ls-files finds.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync, existsSync, readdirSync }
	from 'node:fs';
import { join } from 'node:path';

const rounds = Number(process.argv[2] ?? 100);
let state = BigInt(process.argv[3] ?? 1);

function rand(n) {
	state = (state * 6364136223846793005n + 1442695040888963407n) &
		0xffffffffffffffffn;
	return Number((state >> 33n) % BigInt(n));
}
const pick = (list) => list[rand(list.length)];
const chance = (percent) => rand(100) < percent;

const NAMES = ['a', 'b', 'ab', 'abc', 'a.c', 'b.o', '.h', 'a b', 'x ', '!a',
	'#a', '[a]', 'a*', 'A', 'a\\b', 'foo', 'foo.c', 'bar', 'a-b', 'é', '1'];
const PARTS = ['a', 'b', 'ab', 'c', '.', 'foo', 'bar', '*', '*', '*', '**',
	'**', '?', '[ab]', '[!a]', '[^b]', '[a-c]', '[]a]', '[!]a]', '[[:alpha:]]',
	'[[:digit:]a]', '[[:nix:]]', '[a', '[\\]a]', '[a-', '[--a]', '[[:upper:]',
	'\\a', '\\*', '\\[', '\\', ' ', '\\ ', '!', '#', 'é', '***', '-', '1'];

function pattern() {
	let s = chance(25) ? '!' : chance(5) ? '#' : chance(5) ? '\\!' :
		chance(5) ? '\\#' : '';
	if (chance(15))
		s += '/';
	for (let i = 0, n = 1 + rand(3); i < n; i++) {
		if (i > 0)
			s += chance(5) ? '//' : '/';
		if (chance(60))
			s += pick([...NAMES, '*', '**', '*.c', 'a*', '*a*']);
		else
			for (let j = 0, k = 1 + rand(3); j < k; j++)
				s += pick(PARTS);
		if (chance(50))
			break;
	}
	if (chance(20))
		s += '/';
	if (chance(10))
		s += pick([' ', '  ', '\\ ', '\t']);
	return s;
}

function patterns() {
	let s = chance(5) ? '\ufeff' : '';
	for (let i = 0, n = rand(5); i < n; i++)
		s += pattern() + pick(['\n', '\n', '\n', '\r\n', '\n\n']);
	return chance(20) ? s + pattern() : s;
}

function fill(dir, depth) {
	for (let i = 0, n = 1 + rand(6); i < n; i++) {
		const path = join(dir, pick(NAMES));
		if (existsSync(path))
			continue;
		if (depth < 4 && chance(45)) {
			mkdirSync(path);
			fill(path, depth + 1);
		} else {
			writeFileSync(path, 'x');
		}
	}
	if (chance(depth === 0 ? 90 : 30))
		writeFileSync(join(dir, '.gitignore'), patterns());
}

function run(program, ...args) {
	const r = spawnSync(program, args, { encoding: 'utf8',
		maxBuffer: 1 << 28 });
	if (r.error)
		throw r.error;
	return r;
}

function ours(operand, prefix) {
	const r = run('ai-chunk', '--hidden', operand);
	if (r.status !== 0)
		throw new Error(`ai-chunk ${operand}: ${r.status} ${r.stderr}`);
	return r.stdout.split('\n').filter((l) => l !== '').map((l) =>
		JSON.parse(l).source.uri.slice(prefix));
}

function gits(...args) {
	return run('git', 'ls-files', '-z', '--others', '--cached',
		'--exclude-standard', ...args).stdout.split('\0').slice(0, -1);
}

let files = 0, ignored = 0, bad = 0, inner = 0;

function compare(what, a, b) {
	// In the order of the bytes, which is git's.
	if (JSON.stringify(a) === JSON.stringify(b))
		return;
	bad++;
	console.log(`${what}\n  only ours: ${JSON.stringify(a.filter((x) =>
		!b.includes(x)))}\n  only git's: ${JSON.stringify(b.filter((x) =>
		!a.includes(x)))}\n${run('sh', '-c',
		'find . -name .gitignore -print -exec sed -n l {} \\;').stdout}`);
}

const sorted = (list) => list.map((s) => Buffer.from(s)).sort(Buffer.compare)
	.map(String);

run('git', 'init', '-q', 'tree');
mkdirSync('config/git', { recursive: true });
process.chdir('tree');
process.env.XDG_CONFIG_HOME = join(process.cwd(), '../config');
for (let round = 0; round < rounds && bad < 5; round++) {
	for (const name of readdirSync('.'))
		if (name !== '.git')
			rmSync(name, { recursive: true });
	writeFileSync('.git/info/exclude', chance(30) ? patterns() : '');
	writeFileSync('../config/git/ignore', chance(20) ? patterns() : '');
	fill('.', 0);
	const found = ours('.', 2), all = gits();
	files += all.length;
	ignored += Number(run('sh', '-c', 'find . -name .git -prune -o ' +
		'-type f -print | wc -l').stdout) - all.length;
	compare(`round ${round}`, found, sorted(all));
	for (const name of readdirSync('.', { withFileTypes: true })) {
		if (!name.isDirectory() || name.name === '.git' ||
		    run('git', 'check-ignore', '-q', '--', name.name).status === 0)
			continue;
		inner++;
		compare(`round ${round} in ${name.name}`,
			ours('./' + name.name, 2),
			sorted(gits('--', ':(literal)' + name.name)));
		break;
	}
}
console.log(`${rounds} trees, ${files} files found, ${ignored} ignored, ` +
	`${inner} folders by themselves, ${bad} differences`);
process.exit(bad > 0 || files < rounds || ignored < rounds ? 1 : 0);
