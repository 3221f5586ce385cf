/**
 * Import, connect, first message: `node first-message.mjs CLIENT CONNECTION`, the connection as JSON. Without a channel to
 * its parent, as start.mjs. Writes JSON.
 */
const [client, connection] = process.argv.slice(2);
const content = Buffer.from(`Subject: bench\r\n\r\n${'x'.repeat(76)}\r\n`);
const begun = performance.now();
const { open } = await import(`../clients/${client}.mjs`);
const opened = await open(JSON.parse(connection));
await opened.sender({ from: 'a@example.com', to: ['b@example.com'], content })();
const elapsed = performance.now() - begun;
await opened.close();
process.stdout.write(JSON.stringify({ elapsed, messages: 1, octets: content.length }));
