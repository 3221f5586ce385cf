/** What nodemailer has for Ethereal, a service that shows test messages. */
import { unsupported } from './error.ts';

/** Refuses: an account would have to be asked for over the network, and nothing is fetched here. */
export function createTestAccount(...args: readonly unknown[]): Promise<never> | undefined {
  const error = unsupported(
    'createTestAccount()',
    'nothing is fetched here; `smtp-conformance serve` shows test messages on your own machine',
  );
  const callback = args.at(-1);
  if (typeof callback !== 'function') return Promise.reject(error);
  setImmediate(() => callback(error));
  return undefined;
}

/** Where Ethereal shows a message that it has accepted; false for others. */
export function getTestMessageUrl(info: unknown): string | false {
  const [, said = ''] = /\[([^[\]]{1,500})\]$/.exec(`${Object(info).response ?? ''}`) ?? [];
  const [, id] = /(?:^| )MSGID=(\S+)/.exec(said) ?? [];
  return id && /(?:^| )STATUS=\S/.test(said) ? `https://ethereal.email/message/${id}` : false;
}
