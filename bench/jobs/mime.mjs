/** What is measured of composing, each in a process of its own. Durations are in ms. */
import { Readable } from 'node:stream';
import { peakMemory } from './memory-use.mjs';

const plain = { from: 'shop@example.com', to: 'test@example.com', subject: 'Test' };

const SPECS = {
  textHtml: {
    ...plain,
    from: 'Отправитель <noreplay@example.com>',
    subject: 'Проверка связи',
    text: 'Привет! Это проверка.\n'.repeat(12),
    html: '<p>Привет! Это <a href="http://www.example.com">проверка</a>.</p>\n'.repeat(12),
  },
  minimal: { ...plain, text: 'Hello' },
  subject: { ...plain, text: 'Hello', subject: 'Проверка связи и всего остального '.repeat(33) },
};

const LINES = {
  cyrillic: '<p>Привет! Это <a href="http://www.example.com">проверка</a>.</p>\n',
  ascii: '<p>Hello! This is <a href="http://www.example.com">a check</a>.</p>\n',
};

const CHUNK = 65_536;

async function drain(stream) {
  let octets = 0;
  for await (const chunk of stream) octets += chunk.length;
  return octets;
}

/**
 * For each library: `whole(spec)` makes a message that is in memory, `file(chunks, encoding)` one with an attachment from a
 * stream, `held(content)` one with an attachment that is in memory. Both resolve to the octets that came out.
 */
const LIBRARIES = {
  async nodemailer() {
    const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
    const attach = (file) =>
      drain(new MailComposer({ ...plain, attachments: [file] }).compile().createReadStream());
    return {
      whole: (spec) => new MailComposer(spec).compile().build(),
      file: (chunks, contentTransferEncoding) =>
        attach({ filename: 'a.bin', content: Readable.from(chunks()), contentTransferEncoding }),
      held: (content) => attach({ filename: 'a.bin', content: Buffer.from(content.buffer) }),
    };
  },
  async emailjs() {
    const { Message } = await import('emailjs');
    const attach = (file) =>
      new Promise((resolve, reject) => {
        const type = 'application/octet-stream';
        const message = new Message({ ...plain, attachment: [{ ...file, name: 'a.bin', type }] });
        const stream = message.stream();
        let octets = 0;
        stream.on('data', (text) => {
          octets += text.length;
        });
        stream.on('error', reject);
        stream.on('end', () => resolve(octets));
      });
    return {
      whole({ html, ...spec }) {
        const attachment = html === undefined ? [] : [{ data: html, alternative: true }];
        return new Message({ ...spec, attachment }).readAsync();
      },
      file: (chunks) => attach({ stream: Readable.from(chunks()) }),
      held: (content) => attach({ data: Buffer.from(content.buffer) }),
    };
  },
  async mimetext() {
    const { createMimeMessage } = await import('mimetext');
    return {
      async whole({ from, to, subject, text, html }) {
        const message = createMimeMessage();
        message.setSender(from);
        message.setRecipient(to);
        message.setSubject(subject);
        message.addMessage({ contentType: 'text/plain', data: text });
        if (html !== undefined) message.addMessage({ contentType: 'text/html', data: html });
        return message.asRaw();
      },
    };
  },
  async posthorn() {
    const { attachment, compose, quotedPrintable } = await import('@posthorn/mime');
    const attach = (...file) =>
      drain(compose({ ...plain, attachments: [attachment('a.bin', ...file)] }));
    return {
      whole: (spec) => compose(spec).bytes(),
      file(chunks, encoding) {
        const transferEncoding = encoding === 'quoted-printable' ? quotedPrintable : undefined;
        const stream = async function* () {
          yield* chunks();
        };
        return attach({ stream }, transferEncoding && { transferEncoding });
      },
      held: (content) => attach(content),
    };
  },
};

/** Messages that are in memory, as many as fit into a time. */
export async function messages({ library, what, warm, minimum }) {
  const { whole } = await LIBRARIES[library]();
  const spec = SPECS[what];
  const built = async (ms) => {
    const begun = performance.now();
    let count = 0;
    while (performance.now() - begun < ms) {
      for (let at = 0; at < 50; at += 1) await whole(spec);
      count += 50;
    }
    return { count, elapsed: performance.now() - begun };
  };
  await built(warm);
  const cpu = process.cpuUsage();
  const { count, elapsed } = await built(minimum);
  const { user, system } = process.cpuUsage(cpu);
  return { rate: (count / elapsed) * 1_000, cpu: (user + system) / count, rss: peakMemory() };
}

/** Chunks of a file of so many MB, made before: binary ones, or a text. */
function fileOf(what, megabytes) {
  if (what === 'base64') {
    const chunk = Uint8Array.from({ length: CHUNK }, (_, at) => (at * 7) % 256);
    return Array(Math.ceil((megabytes * 1e6) / CHUNK)).fill(chunk);
  }
  const line = new TextEncoder().encode(LINES[what]);
  const text = Buffer.alloc(Math.ceil((megabytes * 1e6) / line.length) * line.length, line);
  return Array.from(
    { length: Math.ceil(text.length / CHUNK) },
    (_, at) => new Uint8Array(text.subarray(at * CHUNK, (at + 1) * CHUNK)),
  );
}

/** An attachment from a stream, again and again until the time is over. */
export async function file({ library, what, megabytes, minimum }) {
  const { file: attach } = await LIBRARIES[library]();
  const chunks = fileOf(what, megabytes);
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const encoding = what === 'base64' ? 'base64' : 'quoted-printable';
  const warm = chunks.slice(0, Math.ceil(chunks.length / 10));
  const warming = performance.now();
  while (performance.now() - warming < minimum / 4) await attach(() => warm, encoding);
  const begun = performance.now();
  let done = 0;
  while (performance.now() - begun < minimum) {
    const octets = await attach(() => chunks, encoding);
    if (octets < size) throw new Error(`${size} octets went in, ${octets} came out`);
    done += size;
  }
  return { megabytes: done / (performance.now() - begun) / 1_000, rss: peakMemory() };
}

/** One large attachment, composed and thrown away. */
export async function memory({ library, kind, megabytes }) {
  const { file: attach, held } = await LIBRARIES[library]();
  const size = megabytes * 1e6;
  const content = kind === 'memory' ? new Uint8Array(size).fill(1) : undefined;
  const chunk = new Uint8Array(CHUNK).fill(1);
  const chunks = function* () {
    for (let at = 0; at < size; at += CHUNK) yield chunk;
  };
  const before = process.memoryUsage.rss() / 2 ** 20;
  const begun = performance.now();
  await (content ? held(content) : attach(chunks, 'base64'));
  const elapsed = performance.now() - begun;
  const rss = peakMemory();
  return { rss, more: rss - before, megabytes: size / elapsed / 1_000 };
}
