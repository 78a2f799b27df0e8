// vectors-usearch.mjs MODULES ROWS N DIM FILE: makes usearch's index of rows,
// with its own prebuilt library, in one thread; prints CPU seconds.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [modules, rows, n, dim, file] = process.argv.slice(2)
const usearch = createRequire(`${modules}/`)('usearch')
const bytes = readFileSync(rows)
const floats = new Float32Array(bytes.buffer, bytes.byteOffset, n * dim)
const index = new usearch.Index({
	metric: 'cos', quantization: 'f32', dimensions: Number(dim),
	connectivity: 16, expansion_add: 128, expansion_search: 64,
})
const keys = new BigUint64Array(Number(n)).map((_, i) => BigInt(i + 1))
const before = process.cpuUsage()
index.add(keys, floats, 1)
index.save(file)
const { user, system } = process.cpuUsage(before)
console.log(((user + system) / 1e6).toFixed(1))
