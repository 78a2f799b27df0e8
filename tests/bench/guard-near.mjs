// guard-near.mjs: how near the grammar of ai-guard's rows is to data sets.
//
//	mkguard -l N <data/guard/grammar | node guard-near.mjs DATA
//
// Nothing in the grammar may come from a row of DATA (train/ and dev/ below
// it).  Of each line of the grammar, the runs of five words that also stand in
// a row are counted: "weak" where more than two families of sets have them (so
// people write), else "near".  A line is named that has NEAR of the latter, or
// any run of LONGEST words that stands in a row.  Only numbers are printed.
// The status is 1 if a line was named.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

const WORDS = 5, LONGEST = 8, MANY = 3, NEAR = 10;
const split = text => text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
const family = set => set.replace(/\.jsonl$/, '')
	.replace(/_(train|test|dev|expanded|valid|jailbreak|code|text|ctx|conv|actas)/g, '')
	.replace(/^malignant.*/, 'malignant');
const key = (words, at, n) => words.slice(at, at + n).join(' ');

// runs of WORDS and of LONGEST words -> the families that have them
const short = new Map(), long = new Map();
const note = (map, run, who) => {
	if (!map.has(run))
		map.set(run, new Set());
	map.get(run).add(who);
};
let rows = 0;
for (const dir of ['train', 'dev'])
	for (const set of fs.readdirSync(path.join(process.argv[2], dir))) {
		const file = path.join(process.argv[2], dir, set);
		for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
			if (line === '')
				continue;
			const words = split(JSON.parse(line).text);
			rows++;
			for (let i = 0; i + WORDS <= words.length; i++)
				note(short, key(words, i, WORDS), family(set));
			for (let i = 0; i + LONGEST <= words.length; i++)
				note(long, key(words, i, LONGEST), family(set));
		}
	}

const found = new Map();
let texts = 0;
for await (const row of readline.createInterface({ input: process.stdin })) {
	const { text, line } = JSON.parse(row);
	const at = found.get(line) ??
		{ weak: new Set(), near: new Set(), long: new Set() };
	found.set(line, at);
	texts++;
	for (const part of text.split('\n')) {
		const words = split(part);
		for (let i = 0; i + WORDS <= words.length; i++) {
			const run = key(words, i, WORDS), who = short.get(run);
			if (who !== undefined)
				(who.size >= MANY ? at.weak : at.near).add(run);
			const far = key(words, i, LONGEST), whose = long.get(far);
			if (i + LONGEST <= words.length && whose?.size < MANY)
				at.long.add(far);
		}
	}
}
const named = [...found].filter(([, x]) => x.long.size > 0 ||
	x.near.size >= NEAR);
const sum = what => [...found.values()].reduce((n, x) => n + x[what].size, 0);
console.log(`${rows} rows, ${found.size} lines (${texts} texts): ` +
	`${sum('weak')} runs of ${WORDS} words that many write, ` +
	`${sum('near')} that few do, ${sum('long')} of ${LONGEST}`);
const most = [...found].filter(([, x]) => x.near.size > 0)
	.sort((a, b) => b[1].near.size - a[1].near.size || a[0] - b[0]);
console.log('lines with most: ' + most.slice(0, 60)
	.map(([n, x]) => `${n}:${x.near.size}`).join(' '));
for (const [n, x] of named)
	console.log(`line ${n}: ${x.near.size} near, ${x.weak.size} weak, ` +
		`${x.long.size} of ${LONGEST} words: write it anew`);
process.exitCode = named.length > 0 ? 1 : 0;
