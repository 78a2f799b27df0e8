// cpu.mjs: the processor time that programs and calls take, in seconds.
import { spawnSync } from 'node:child_process';

// Of a program, as times of bash has it; said gets what it wrote.
export function cpuOf(program, args, said = () => {}) {
	const script = said.length > 0 ? '"$0" "$@" && times >&2'
		: '"$0" "$@" >/dev/null && times >&2';
	const r = spawnSync('bash', ['-c', script, program, ...args],
		{ maxBuffer: 1 << 28 });
	if (r.status !== 0)
		throw new Error(`${program}: ${r.stderr ?? r.error}`);
	said(r.stdout.toString());
	const [user, system] = r.stderr.toString().trim().split('\n').at(-1)
		.split(' ').map(t => Number(t.split('m')[0]) * 60 +
			parseFloat(t.split('m')[1]));
	return user + system;
}

// Of a call in this process.
export async function cpuHere(run) {
	const from = process.cpuUsage();
	await run();
	const used = process.cpuUsage(from);
	return (used.user + used.system) / 1e6;
}

// The least of so many times.
export async function best(times, run) {
	let least = Infinity;
	for (let i = 0; i < times; i++)
		least = Math.min(least, await run());
	return least;
}
