// loopback.mjs: with "node --import", whatever listens on a port does so on
// 127.0.0.1 only, also what would listen on all interfaces.  With PORT_FILE, the
// port is in that file once it does: so a server may take any that is free.
import { writeFileSync } from 'node:fs';
import net from 'node:net';

// Where node binds, after names were looked up: listen() itself would make
// what has no host wait for a look-up, and callers ask for the port at once.
const listen = net.Server.prototype._listen2;

if (typeof listen !== 'function')
	throw new Error('this node listens in another way');
net.Server.prototype._listen2 = function (address, port, type, ...rest) {
	const onPort = typeof port === 'number' && port >= 0;
	const rc = onPort ? listen.call(this, '127.0.0.1', port, 4, ...rest)
		: listen.call(this, address, port, type, ...rest);
	const at = onPort ? this.address() : null;
	if (at !== null && process.env.PORT_FILE !== undefined)
		writeFileSync(process.env.PORT_FILE, String(at.port));
	return rc;
};
