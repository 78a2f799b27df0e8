// dedup.mjs PAIRS: near copies of many similarities, made at random; which of
// them ai-chunk --dedup finds.  Prints a table, and fails unless all at or above
// the threshold are found and none below it.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const pairs = Number(process.argv[2] ?? 3000);
let state = 1n;
function rand(n) {
	state = (state * 6364136223846793005n + 1442695040888963407n) &
		0xffffffffffffffffn;
	return Number((state >> 33n) % BigInt(n));
}

const word = () => 'w' + rand(20000);
const text = () => Array.from({ length: 60 + rand(140) }, word);

// Words replaced, dropped, added and swapped, in this many places.
function edited(words, edits) {
	const copy = [...words];
	for (let i = 0; i < edits; i++) {
		const at = rand(copy.length), how = rand(4);
		copy.splice(at, how === 2 ? 0 : 1, ...how === 1 ? [] : [word()]);
		if (how === 3 && at > 0)
			[copy[at], copy[at - 1]] = [copy[at - 1], copy[at]];
	}
	return copy;
}

const shingles = (w) => new Set(w.slice(2).map((x, i) =>
	`${w[i]} ${w[i + 1]} ${x}`));

function similarity(a, b) {
	const x = shingles(a), y = shingles(b);
	const both = [...x].filter((s) => y.has(s)).length;
	return both / (x.size + y.size - both);
}

const all = Array.from({ length: pairs }, (_, i) => {
	const a = text(), b = edited(a, rand(30));
	writeFileSync(`${i}a`, a.join(' '));
	writeFileSync(`${i}b`, b.join(i % 2 ? ' ' : ',\n'));
	return similarity(a, b);
});
writeFileSync('names', all.map((_, i) => `${i}a\0${i}b\0`).join(''));

const rows = [[0, .5], [.5, .6], [.6, .7], [.7, .8], [.8, .9], [.9, .95],
	[.95, 1.01]];
const thresholds = [.5, .7, .8, .9];
let bad = 0;
const found = thresholds.map((t) => {
	const r = spawnSync('ai-chunk', ['--size', '100000', '--dedup', String(t),
		'--copies', 'mark', '--files0-from', 'names'],
	{ maxBuffer: 1 << 30 });
	const is = new Set();
	for (const line of r.stdout.toString().split('\n').slice(0, -1)) {
		const c = JSON.parse(line);
		if (c.duplicate_of)
			is.add(parseInt(c.source.uri, 10));
	}
	return is;
});
console.log('similarity     pairs' + thresholds.map((t) =>
	`  found, T=${t}`).join(''));
for (const [from, to] of rows) {
	const those = all.flatMap((s, i) => s >= from && s < to ? [i] : []);
	console.log(`${from.toFixed(2)} to ${Math.min(to, 1).toFixed(2)}` +
		String(those.length).padStart(8) + thresholds.map((_, k) =>
		String(those.filter((i) => found[k].has(i)).length).padStart(14))
		.join(''));
}
for (const [k, t] of thresholds.entries()) {
	const near = all.flatMap((s, i) => s >= t ? [i] : []);
	const right = near.filter((i) => found[k].has(i)).length;
	console.log(`T=${t}: recall ${(right / near.length).toFixed(4)}, ` +
		`precision ${(right / found[k].size).toFixed(4)}`);
	bad += right < near.length || right < found[k].size;
}
process.exit(bad > 0 ? 1 : 0);
