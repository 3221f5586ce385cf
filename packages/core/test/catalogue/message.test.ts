/** ENV-17, UTF-05 and DAT-21: what a message object must not become. The client with the messages of @posthorn/mime. */
import { attachment, compose, MimeError } from '@posthorn/mime';
import { describe, expect, test } from 'vitest';
import { deal, good, Heard, useJudgedServers } from './support.ts';

const serve = useJudgedServers();

describe('messages of @posthorn/mime', () => {
  const KEYWORDS = [[], ['PIPELINING'], ['CHUNKING', 'PIPELINING']] as const;

  test('ENV-17 Bcc is in RCPT, not in the header', async () => {
    for (const keywords of KEYWORDS) {
      const heard = new Heard();
      const message = compose({
        from: 'a@example.com',
        to: 'b@example.com',
        bcc: ['Hidden <one@example.org>', 'two@example.org'],
        text: 'Hello',
      });
      const { accepted } = await deal(await serve(good([...keywords], {}, heard)), message);
      expect(accepted).toEqual(['b@example.com', 'one@example.org', 'two@example.org']);
      expect(heard.all('RCPT')).toEqual(accepted.map((address) => `RCPT TO:<${address}>`));
      expect(heard.contents).toHaveLength(1);
      expect(heard.contents[0]).toContain('To: b@example.com');
      expect(heard.contents[0]).not.toMatch(/^Bcc|hidden|example\.org/im);
    }
  });

  test('UTF-05 a display name outside ASCII, no SMTPUTF8: an encoded-word, and a header of 7 bits', async () => {
    for (const keywords of KEYWORDS) {
      const heard = new Heard();
      const message = compose({
        from: { name: 'J\xf6rg', address: 'a@example.com' },
        to: '\u0418\u0432\u0430\u043d <b@example.com>',
        subject: '\u{1f600}',
        text: 'Gr\xfc\xdfe',
      });
      await deal(await serve(good([...keywords], {}, heard)), message);
      expect(heard.commands.filter((line) => line.includes('SMTPUTF8'))).toEqual([]);
      const [content = ''] = heard.contents;
      expect(content).toMatch(/^[\t\r\n -~]+$/);
      expect(content).toContain('From: =?utf-8?b?SsO2cmc=?= <a@example.com>\r\n');
      expect(content).toContain('To: =?utf-8?b?0JjQstCw0L0=?= <b@example.com>\r\n');
    }
  });

  test('DAT-21 CRLF in a subject, a display name or a file name makes no field: nothing is said at all', async () => {
    const evil = 'Hi\r\nX-Evil: 1';
    const plain = { from: 'a@example.com', to: 'b@example.com', text: 'Hello' };
    for (const make of [
      () => compose({ ...plain, subject: evil }),
      () => compose({ ...plain, to: { name: evil, address: 'b@example.com' } }),
      () => compose({ ...plain, attachments: [attachment(evil, 'x')] }),
      () => compose({ ...plain, headers: [['X-Good', evil]] }),
    ])
      expect(make).toThrow(MimeError);
    // What only looks like it passes, and stays within its field.
    const heard = new Heard();
    const subject = '\u760d\u760aX-Evil: 1\u2028X-Evil: 1\x85X-Evil: 1';
    await deal(await serve(good([], {}, heard)), compose({ ...plain, subject }));
    expect(heard.contents[0]).not.toMatch(/^X-Evil/m);
  });
});
