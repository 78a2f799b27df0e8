// through.mjs: ai-tokens beside its peers.
import { spawn } from 'node:child_process';

// Ends the comparison.
export function fail(message) {
	console.log(message);
	process.exit(1);
}

// Runs records through ai-tokens and calls back with each that comes out;
// ends it if one is an error, or the program ends otherwise than well.
export function through(records, args, take) {
	return new Promise(resolve => {
		const child = spawn('ai-tokens', ['-j', '2', ...args],
			{ stdio: ['pipe', 'pipe', 'inherit'] });
		let rest = [], n = 0;
		child.stdout.on('data', chunk => {
			let from = 0, to;
			while ((to = chunk.indexOf(10, from)) >= 0) {
				rest.push(chunk.subarray(from, to));
				const record = JSON.parse(Buffer.concat(rest));
				if (record.error !== undefined)
					fail(JSON.stringify(record.error));
				take(n++, record);
				rest = [];
				from = to + 1;
			}
			rest.push(chunk.subarray(from));
		});
		child.on('close', status => {
			if (status !== 0 || n !== records.length)
				fail(`ai-tokens ended with ${status} after ${n} ` +
					`of ${records.length} records`);
			resolve();
		});
		// Why it ended early is what it says itself.
		child.stdin.on('error', () => {});
		for (const record of records)
			child.stdin.write(JSON.stringify(record) + '\n');
		child.stdin.end();
	});
}
