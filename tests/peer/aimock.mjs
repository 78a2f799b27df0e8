// aimock.mjs DIR: npm's @copilotkit/aimock, an independent mock of providers,
// on a loopback port of its own. DIR/port is written once it listens.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LLMock } from '@copilotkit/aimock';

const mock = new LLMock({ port: 0, host: '127.0.0.1' });
mock.onMessage('hello', { content: 'Grüß dich, and hello!' });
mock.onMessage('weather', { toolCalls: [
	{ name: 'get_weather', arguments: '{"city":"Paris"}' }] });
mock.onMessage('limit', { error: { message: 'slow down',
	type: 'rate_limit_error' }, status: 429 });
await mock.start();
writeFileSync(join(process.argv[2], 'port.new'),
	String(new URL(mock.url).port));
const { renameSync } = await import('node:fs');
renameSync(join(process.argv[2], 'port.new'), join(process.argv[2], 'port'));
