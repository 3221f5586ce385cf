/** What the scripted server has recorded, as messages: read here anew, by nothing that the client is made of. */

const COMMAND = /^(EHLO|STARTTLS|AUTH|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT)( |$)/i;

/** What a client said on one connection, outside TLS and under it; a character for each octet. */
export function saidOn(events) {
  const of = (secure) =>
    events
      .filter((event) => event.who === 'client' && event.secure === secure)
      .map(({ text }) => text)
      .join('');
  return { plain: of(false), secured: of(true) };
}

/**
 * The commands on a connection, and its messages. A message is complete where its last octet was read; content without
 * the dots of transparency.
 */
export function dialogueOf(octets) {
  const commands = [];
  const messages = [];
  let message;
  let place = 0;
  const take = (end) => {
    const taken = octets.slice(place, end);
    place = end;
    return taken;
  };
  while (place < octets.length) {
    const end = octets.indexOf('\r\n', place);
    const line = take(end < 0 ? octets.length : end + 2).replace(/\r\n$/, '');
    // What is no command answers a challenge.
    if (!COMMAND.test(line)) continue;
    commands.push(line);
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'MAIL') message = { envelope: [line], content: '', complete: false };
    else if (verb === 'RCPT') message.envelope.push(line);
    else if (verb === 'DATA') {
      // The content's first line begins behind a line end too.
      const dot = octets.indexOf('\r\n.\r\n', place - 2);
      message.complete = dot >= 0;
      message.content = take(dot < 0 ? octets.length : dot + 5)
        .replace(/\.\r\n$/, '')
        .replace(/^\./gm, '');
      messages.push(message);
    } else if (verb === 'BDAT') {
      const [, count, last] = /^BDAT (\d+)( LAST)?$/i.exec(line);
      const chunk = take(place + Number(count));
      message.content += chunk;
      if (!messages.includes(message)) messages.push(message);
      message.complete = Boolean(last) && chunk.length === Number(count);
    }
  }
  return { commands, messages };
}
