// texts.mjs DIR FILE: writes the texts of tests/bench/scan.sh to a folder, and
// the English one as records of 1 kB to a file.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manyLanguages, realText, rnd } from '../peer/text.mjs';

const dir = process.argv[2], megabytes = 8;
const letters = 'abcdefghijklmnopqrstuvwxyz';
const repeat = (text, bytes) =>
	text.repeat(Math.ceil(bytes / Buffer.byteLength(text)));

function write(name, text) {
	const bytes = Buffer.from(text);
	const wide = bytes.reduce((sum, b) => sum + (b > 127 ? 1 : 0), 0);
	writeFileSync(join(dir, name), bytes);
	console.log(`${name}: ${(bytes.length / 1e6).toFixed(1)} MB, ` +
		`${(100 * wide / bytes.length).toFixed(0)} % not ASCII`);
}

const english = realText(megabytes * 1e6, ['/usr/share/doc',
	'/usr/share/common-licenses', '/usr/share/perl']).join('\n');
write('english', english);
write('code', realText(megabytes * 1e6, ['/usr/include', '/usr/lib/python3',
	'/usr/lib/python3.11', '/usr/share/nodejs', '/usr/share/perl5'])
	.join('\n'));
write('languages', manyLanguages().join('\n'));
write('word', Array.from({ length: 4e5 }, () => letters[rnd(26)]).join(''));
write('word-twice-as-long', Array.from({ length: 8e5 },
	() => letters[rnd(26)]).join(''));
write('blanks', repeat(' ', 4e5) + 'x');
write('alternating', repeat('aB', 4e5));
write('runs', Array.from({ length: 300 }, () => ' '.repeat(1 + rnd(3000)) +
	'\n' + '='.repeat(1 + rnd(300))).join(''));

let lines = '';
for (let at = 0; at < english.length; at += 1000)
	lines += JSON.stringify({ text: english.slice(at, at + 1000) }) + '\n';
writeFileSync(process.argv[3], lines);
