// search.mjs records TEXTS VECTORS DIM N: N records, each with a line of TEXTS
//   (from the first again when they are used up) and a vector of the file
//   VECTORS (32-bit floats).
// search.mjs queries TEXTS VECTORS DIM N: N queries of 2 to 6 words of a line,
//   each with a vector of the file; a file each, q0.json and so on.
import { createReadStream, openSync, readSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { once } from 'node:events'

const [what, texts, vectors, dim, count] = process.argv.slice(2)
const n = +count, bytes = dim * 4
const fd = openSync(vectors, 'r'), row = Buffer.alloc(bytes)
let state = 12345
const dice = (k) => {
	state = (Math.imul(state, 1103515245) + 12345) >>> 0
	return (state >>> 8) % k
}

function vector(i) {
	return readSync(fd, row, 0, bytes, i * bytes) === bytes
		? row.toString('base64') : undefined
}

async function* lines() {
	for (;;)
		for await (const line of createInterface(
			{ input: createReadStream(texts) }))
			yield line
}

let i = 0, out = ''
for await (const text of lines()) {
	if (i === n)
		break
	const embedding = vector(i)
	if (what === 'records') {
		out += JSON.stringify({ id: `p${i}`, text, embedding }) + '\n'
		if (out.length > 1 << 20) {
			if (!process.stdout.write(out))
				await once(process.stdout, 'drain')
			out = ''
		}
	} else {
		const words = text.match(/[A-Za-z]{3,}/g) ?? []
		if (dice(50) > 0 || words.length < 8)
			continue
		const query = Array.from({ length: 2 + dice(5) },
			() => words[dice(words.length)]).join(' ')
		writeFileSync(`q${i}.json`, JSON.stringify({ query, embedding }) + '\n')
	}
	i++
}
process.stdout.write(out)
