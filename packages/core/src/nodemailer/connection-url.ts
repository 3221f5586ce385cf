/** `smtp://user:pass@host:port/?option=value`: the options of a transport as a URL. */
import { domainToASCII } from 'node:url';
import { decoded } from './content.ts';
import { problem } from './error.ts';

/**
 * What a URL says. Numbers, `true` and `false` are such; `tls.` begins what is for TLS.
 *
 * @throws NodemailerError `ECONFIG` where it is none; what it holds is not shown
 */
export function connectionUrl(text: string): Record<string, unknown> {
  let url: URL;
  try {
    url = new URL(text.trim().replace(/^(smtps?:)(?!\/\/)/i, '$1//'));
  } catch {
    throw problem('ECONFIG', 'Cannot use the connection URL: it is none');
  }
  const { protocol, hostname, port, username, password, searchParams } = url;
  if (!/^smtps?:$/.test(protocol))
    throw problem('ECONFIG', `Cannot use ${protocol}: a connection URL is smtp: or smtps:`);
  const tls: Record<string, unknown> = {};
  const options: Record<string, unknown> = { secure: protocol === 'smtps:' };
  if (port) options['port'] = Number(port);
  // An address of IPv6 has brackets in a URL alone.
  const host = decoded(hostname).replace(/^\[|\]$/g, '');
  if (host) options['host'] = domainToASCII(host) || host;
  if (username || password) options['auth'] = { user: decoded(username), pass: decoded(password) };
  for (const [key, value] of searchParams) {
    const [, name = key] = /^tls\.(.*)/.exec(key) ?? [];
    const target = name === key ? options : tls;
    if (!(name in target) && !/\./.test(name))
      target[name] =
        value === 'true' || (value !== 'false' && (Number.isNaN(+value) ? value : +value));
  }
  return { ...options, ...(Object.keys(tls)[0] && { tls }) };
}
