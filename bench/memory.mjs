/**
 * Composes one large message and throws its octets away. Sends its parent the resident set size before (with the content,
 * where that is in memory) and at its highest, in MiB.
 */
import { attachment, compose } from '@posthorn/mime';

const mebibytes = (octets) => Math.round(octets / 2 ** 20);
const plain = { from: 'a@example.com', to: 'b@example.net', text: 'See the file.' };

async function* octets() {
  const chunk = new Uint8Array(65_536).fill(1);
  for (let at = 0; at < 2 ** 30 / chunk.length; at += 1) yield chunk;
}

const content =
  process.argv[2] === '200 MB in memory' ? new Uint8Array(200e6).fill(1) : { stream: octets() };
const message = compose({ ...plain, attachments: [attachment('large.bin', content)] });
const before = process.memoryUsage.rss();
const begun = performance.now();
let peak = before;
let chunks = 0;
for await (const chunk of message) {
  chunks += Math.sign(chunk.length);
  if (chunks % 16 === 0) peak = Math.max(peak, process.memoryUsage.rss());
}
process.send({
  before: mebibytes(before),
  peak: mebibytes(peak),
  seconds: (performance.now() - begun) / 1_000,
});
