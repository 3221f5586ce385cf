/** createTransport(): which transport is meant by what was given. */
import type { Readable } from 'node:stream';
import { connectionUrl } from './connection-url.ts';
import {
  type JsonTransportOptions,
  jsonTransport,
  type LocalInfo,
  type StreamTransportOptions,
  streamTransport,
} from './local-transport.ts';
import type { SendMailOptions } from './message-data.ts';
import { PosthornTransport } from './transport.ts';
import { poolOptions, type SmtpTransportOptions, words } from './transport-options.ts';
import { type Transport, Transporter } from './transporter.ts';

/**
 * A transporter, as nodemailer makes it of the same: options of SMTP, a connection URL, or a plugin. Without TLS nothing is
 * sent unless `ignoreTLS` or `opportunisticTLS` say so. Nothing is fetched, and files are opened only where a message names them.
 *
 * @param options - without any, the server is `localhost:587`
 * @param defaults - what messages have that do not say otherwise
 * @throws NodemailerError `ECONFIG` for options that this does not have, TypeError for what no connection can be made with
 *
 * @example
 * ```ts
 * import { createTransport } from '@posthorn/core/nodemailer';
 *
 * const transporter = createTransport({ host, port, tls: { ca }, auth: { user, pass } });
 * const info = await transporter.sendMail({
 *   from: '"Devino" <noreplay@devinotele.com>',
 *   to: 'test@devinotele.com',
 *   subject: 'Test from smtp',
 *   html: 'Привет! <a href="http://www.devinotele.com">Кликни меня</a>',
 * });
 * console.log(info.accepted, info.rejected); // [ 'test@devinotele.com' ] []
 * ```
 */
export function createTransport(
  options: JsonTransportOptions,
  defaults?: SendMailOptions,
): Transporter<LocalInfo<string>>;
export function createTransport(
  options: StreamTransportOptions & { readonly buffer: true },
  defaults?: SendMailOptions,
): Transporter<LocalInfo<Buffer>>;
export function createTransport(
  options: StreamTransportOptions,
  defaults?: SendMailOptions,
): Transporter<LocalInfo<Readable>>;
export function createTransport<Info>(
  transport: Transport<Info>,
  defaults?: SendMailOptions,
): Transporter<Info>;
export function createTransport(
  options?: SmtpTransportOptions | string,
  defaults?: SendMailOptions,
): Transporter;
export function createTransport(
  given: SmtpTransportOptions | Transport<unknown> | string = {},
  defaults: SendMailOptions = {},
): Transporter<unknown> {
  if (typeof (given as Transport).send === 'function')
    return new Transporter(given as Transport<unknown>, {}, defaults);
  const url = typeof given === 'string' ? given : (given as SmtpTransportOptions).url;
  const options = {
    ...(typeof given === 'object' && given),
    ...(url && connectionUrl(url)),
  } as SmtpTransportOptions;
  const transporter: Transporter<unknown> = new Transporter(
    transportOf(options, () => transporter),
    options,
    defaults,
  );
  return transporter;
}

function transportOf(
  options: SmtpTransportOptions,
  transporter: () => Transporter<unknown>,
): Transport<unknown> {
  if (!options.pool && options['streamTransport'])
    return streamTransport(options as StreamTransportOptions);
  if (!options.pool && options['jsonTransport'])
    return jsonTransport(options as JsonTransportOptions);
  return new PosthornTransport(
    poolOptions(
      options,
      () => transporter().get('oauth2_provision_cb'),
      (token) => transporter().emit('token', token),
    ),
    words,
    !options.pool,
  );
}
