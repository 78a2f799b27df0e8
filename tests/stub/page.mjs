// page.mjs: looks at pages and their pictures.
//
//	page.mjs colors FILE.png   how many colors it has, and the commonest one
//	page.mjs frame FILE.html WIDTH   a page that shows it so wide, and says
//	                           how wide it has become, and what sticks out
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';

function pixels(png) {
	const parts = [];
	let width, height, channels;
	for (let at = 8; at < png.length;) {
		const n = png.readUInt32BE(at), type = png.toString('latin1', at + 4, at + 8);
		if (type === 'IHDR') {
			width = png.readUInt32BE(at + 8);
			height = png.readUInt32BE(at + 12);
			channels = png[at + 17] === 6 ? 4 : 3;
		} else if (type === 'IDAT') {
			parts.push(png.subarray(at + 8, at + 8 + n));
		}
		at += n + 12;
	}
	const raw = inflateSync(Buffer.concat(parts)), row = width * channels;
	const out = Buffer.alloc(row * height);
	for (let y = 0; y < height; y++) {
		const filter = raw[y * (row + 1)];
		for (let x = 0; x < row; x++) {
			const v = raw[y * (row + 1) + 1 + x];
			const a = x >= channels ? out[y * row + x - channels] : 0;
			const b = y > 0 ? out[(y - 1) * row + x] : 0;
			const c = x >= channels && y > 0 ? out[(y - 1) * row + x - channels] : 0;
			const p = a + b - c;
			const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
			const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
			out[y * row + x] = v + [0, a, b, (a + b) >> 1, paeth][filter];
		}
	}
	return { out, channels };
}

const [, , what, file, width] = process.argv;
if (what === 'colors') {
	const { out, channels } = pixels(readFileSync(file));
	const count = new Map();
	for (let i = 0; i < out.length; i += channels) {
		const c = out.toString('hex', i, i + 3);
		count.set(c, (count.get(c) ?? 0) + 1);
	}
	const most = [...count].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
	console.log(JSON.stringify({ colors: count.size, most,
		blue: count.get('0072b2') ?? count.get('56b4e9') ?? 0 }));
} else {
	// Its own rules let it run nothing; here somebody measures it.
	const page = readFileSync(file, 'utf8')
		.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
	console.log(`<!DOCTYPE html><iframe id=f width=${width} height=3000
style="border:0"></iframe><pre id=said></pre><script>
f.srcdoc=${JSON.stringify(page).replaceAll('<', '\\u003c')};
f.onload=()=>{const d=f.contentDocument,w=d.documentElement;
for(const e of d.querySelectorAll('details'))e.open=true;
const out=[...d.querySelectorAll('body *')].filter(e=>e.getBoundingClientRect().right>${width}+.5);
said.textContent=JSON.stringify({width:w.scrollWidth,out:out.map(e=>e.outerHTML.slice(0,80)),
scripts:d.querySelectorAll('script').length,pictures:d.querySelectorAll('svg[role=img]').length,
untitled:[...d.querySelectorAll('svg[role=img]')].filter(s=>!s.querySelector('title')||!s.querySelector('desc')).length,
small:[...d.querySelectorAll('p,dt,dd,span,td,th')].filter(e=>parseFloat(getComputedStyle(e).fontSize)<12).length,
names:[...d.querySelectorAll('#run~ol .name bdi')].map(e=>e.textContent)})}
</script>`);
}
