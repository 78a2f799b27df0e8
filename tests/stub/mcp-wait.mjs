// mcp-wait.mjs COMMAND [ARG...]: starts an MCP server, shakes hands, asks for its
// tools, and prints after how many milliseconds they were there.
import { spawn } from 'node:child_process';

const [command, ...args] = process.argv.slice(2);
const begun = performance.now();
const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
const put = (o) => server.stdin.write(JSON.stringify({ jsonrpc: '2.0', ...o }) +
	'\n');
put({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25',
	capabilities: {}, clientInfo: { name: 'mcp-wait', version: '0' } } });
let text = '';
server.stdout.on('data', (d) => {
	const lines = (text + d).split('\n');
	text = lines.pop();
	for (const line of lines) {
		const m = JSON.parse(line);
		if (m.id === 1) {
			put({ method: 'notifications/initialized' });
			put({ id: 2, method: 'tools/list', params: {} });
		} else if (m.id === 2) {
			console.log((performance.now() - begun).toFixed(1));
			server.kill();
		}
	}
});
