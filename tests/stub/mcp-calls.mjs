// mcp-calls.mjs N TOOL ARGUMENTS COMMAND [ARG...]: an MCP client over standard
// input and output that measures, in milliseconds: until the handshake is
// answered; a call, the first and the median and 95th of 100 of N, one after the
// other; and N calls that are all asked at once, a second.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const [n, name, args, command, ...argv] = process.argv.slice(2);
const waiting = new Map();
let id = 0;
const begun = performance.now();
const child = spawn(command, argv, { stdio: ['pipe', 'pipe', 'ignore'] });

createInterface({ input: child.stdout }).on('line', (line) => {
	const message = JSON.parse(line);

	waiting.get(message.id)?.(message);
	waiting.delete(message.id);
});

const send = (m) => child.stdin.write(JSON.stringify({ jsonrpc: '2.0', ...m }) + '\n');
const ask = (method, params) => new Promise((done) => {
	waiting.set(++id, done);
	send({ id, method, params });
});
const call = () => ask('tools/call', { name, arguments: JSON.parse(args) });

async function timed(what) {
	const from = performance.now();

	await what();
	return performance.now() - from;
}

await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {},
	clientInfo: { name: 'calls', version: '1' } });
const ready = performance.now() - begun;
send({ method: 'notifications/initialized' });
const first = await timed(call);
const each = [];
for (let i = 0; i < Number(n); i++)
	each.push(await timed(call));
each.sort((a, b) => a - b);
const all = await timed(() => Promise.all(Array.from({ length: Number(n) }, call)));
console.log([ready, first, each[Math.floor(n / 2)], each[Math.floor(n * 0.95)],
	Number(n) / all * 1000].map((x) => x.toFixed(2)).join(' '));
child.stdin.end();
