#!/usr/bin/env node
// make-entities.mjs: writes lib/common/text/entity-table.h from the list of
// named character references of the HTML standard, a JSON object whose keys
// are "&amp;" and the like ("codepoints": [...]).
//
//	node tools/make-entities.mjs entities.json >lib/common/text/entity-table.h
import { readFileSync } from 'node:fs';

const all = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const rows = new Map();
for (const [key, { codepoints: [a, b] }] of Object.entries(all)) {
	const bare = !key.endsWith(';'), name = key.replace(/^&|;$/g, '');
	const row = rows.get(name) ?? { a, b: b ?? 0, bare };
	row.bare ||= bare;
	rows.set(name, row);
}
const names = [...rows.keys()].sort((x, y) => x < y ? -1 : 1);
console.log(`/* entity-table.h: the named characters of HTML, sorted; made by
 * tools/make-entities.mjs.  bare: it needs no semicolon. */
static const struct {
	char name[32];
	uint32_t a, b; /* b: a second code point, or 0 */
	bool bare;
} entities[] = {`);
for (let i = 0; i < names.length; i += 3)
	console.log('\t' + names.slice(i, i + 3).map(name => {
		const { a, b, bare } = rows.get(name);
		return `{ "${name}", ${a}, ${b}, ${Number(bare)} },`;
	}).join(' '));
console.log('};');
