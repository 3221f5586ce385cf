/** emailjs. It takes no octets that are ready, so its message here is one whose stream gives them. */
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { Message, SMTPClient } from 'emailjs';

class Ready extends Message {
  #content;

  constructor(headers, content) {
    super(headers);
    // It writes a CRLF of its own before the dot.
    this.#content = content.subarray(0, content.length - 2);
  }

  stream() {
    const stream = new EventEmitter();
    process.nextTick(() => {
      stream.emit('data', this.#content);
      stream.emit('end');
    });
    return stream;
  }
}

export async function open({ host, port, tls, ca, auth }) {
  const client = new SMTPClient({
    host,
    port,
    ssl: tls === 'implicit' ? { ca } : false,
    tls: tls === 'starttls' ? { ca } : false,
    timeout: 60_000,
    ...(auth && { user: auth.user, password: auth.pass }),
  });
  // What the client does at its first message, done before: it connects, greets and logs in.
  const { smtp } = client;
  const step = (run) =>
    new Promise((resolve, reject) => {
      run((error) => (error ? reject(error) : resolve()));
    });
  await step((done) => smtp.connect(done));
  await step((done) => (auth ? smtp.login(done) : smtp.ehlo_or_helo_if_needed(done)));
  client.ready = true;
  return {
    sender({ from, to, content }) {
      return () => client.sendAsync(new Ready({ from, to: to.join(', '), text: '' }, content));
    },
    /** Composes and sends one message with a file from a stream. */
    async attach({ from, to, chunks }) {
      const stream = Readable.from(chunks());
      const attachment = [{ stream, name: 'large.bin', type: 'application/octet-stream' }];
      const spec = { from, to: to.join(', '), subject: 'Large', text: 'See the file.', attachment };
      await client.sendAsync(new Message(spec));
    },
    close: async () => smtp.close(true),
  };
}
