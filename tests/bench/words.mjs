// words.mjs passages N FOLDER...: N passages of the texts below these folders,
//   a line each: manuals, documentation, sources.
// words.mjs minisearch FILE QUERIES K: the same search by npm's minisearch,
//   found in AI_TEST_PEER; CPU times.
import { createReadStream, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { gunzipSync } from 'node:zlib'

const text = /\.(gz|txt|md|rst|html|py|pl|pm|pod|h|c|js|mjs|ts|json|[1-8])$|\/(README|copyright|changelog|NEWS|AUTHORS)[^/]*$/
const sizeMax = 2_000_000

// The paths of texts below a folder, sorted, without links.
function* walk(folder) {
	let names
	try {
		names = readdirSync(folder).sort()
	} catch {
		return
	}
	for (const name of names) {
		const path = join(folder, name)
		let s
		try {
			s = lstatSync(path)
		} catch {
			continue
		}
		if (s.isDirectory())
			yield* walk(path)
		else if (s.isFile() && s.size < sizeMax && text.test(path))
			yield path
	}
}

function read(path) {
	try {
		const bytes = readFileSync(path)
		return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
	} catch {
		return ''
	}
}

// About 260 bytes each, cut at a line's end; without roff's requests.
function* passages(body) {
	let piece = ''
	for (let line of body.split('\n')) {
		line = line.replace(/^[.'][A-Za-z\\"]+ ?/, '').replace(/\\f[A-Z]|\\&/g, '').replace(/\\-/g, '-').trim()
		piece += line === '' ? '' : (piece === '' ? '' : ' ') + line
		if (piece.length >= 260 || (line === '' && piece.length > 120)) {
			yield piece.slice(0, 2000)
			piece = ''
		}
	}
	if (piece.length > 40)
		yield piece.slice(0, 2000)
}

function make(count, folders) {
	const seen = new Set()
	let out = []
	const flush = () => {
		if (out.length > 0)
			process.stdout.write(out.join('\n') + '\n')
		out = []
	}
	for (const folder of folders) {
		for (const path of walk(folder)) {
			for (const p of passages(read(path))) {
				const key = p.slice(0, 80)
				if (seen.has(key) || p.includes('\u0000'))
					continue
				seen.add(key)
				out.push(p)
				if (out.length >= 20000)
					flush()
				if (--count <= 0)
					return flush()
			}
		}
	}
	flush()
}

const cpu = () => {
	const u = process.cpuUsage()
	return (u.user + u.system) / 1000
}

async function peer(file, queries, k) {
	const require = createRequire(join(process.env.AI_TEST_PEER, 'x.js'))
	const MiniSearch = require('minisearch')
	const index = new MiniSearch({ fields: ['text'] })
	let t = cpu(), id = 0
	for await (const line of createInterface({ input: createReadStream(file) }))
		index.add({ id: id++, text: line })
	t = cpu() - t
	console.log(`minisearch: ${(t / 1000).toFixed(2)} s, ${Math.round(id / t * 1000)} passages a second`)
	const ms = []
	for (const q of readFileSync(queries, 'utf8').trim().split('\n')) {
		const from = cpu()
		index.search(q).slice(0, k)
		ms.push(cpu() - from)
	}
	ms.sort((a, b) => a - b)
	const at = p => ms[Math.floor(ms.length * p)].toFixed(3).padStart(8)
	console.log(`${`minisearch, k = ${k}`.padEnd(34)} p50 ${at(.5)}  p95 ${at(.95)}  mean ${
		(ms.reduce((a, b) => a + b) / ms.length).toFixed(3).padStart(8)} ms`)
}

const [what, ...rest] = process.argv.slice(2)
if (what === 'passages')
	make(Number(rest[0]), rest.slice(1))
else
	await peer(rest[0], rest[1], Number(rest[2]))
