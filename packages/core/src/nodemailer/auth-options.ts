/** `auth` by the options of nodemailer, as mechanisms of core. */
import type { SaslMechanism } from '../index.ts';
import { cramMd5, login, plain, xoauth2 } from '../sasl/index.ts';
import { unsupported } from './error.ts';

/** Brings an access token: told who for, and whether the last one was refused. */
export type ProvisionCallback = (
  user: string,
  renew: boolean,
  callback: (error: Error | null, accessToken?: string, expires?: number) => void,
) => void;

/** Who logs in, and by what. */
export interface AuthOptions {
  /** 'OAuth2' for an access token; else a password. */
  readonly type?: string | undefined;
  readonly user?: string | undefined;
  readonly pass?: string | undefined;
  /** `PLAIN`, `LOGIN`, `CRAM-MD5`. Default: the first of them that the server offers. */
  readonly method?: string | undefined;
  readonly accessToken?: string | undefined;
  readonly provisionCallback?: ProvisionCallback | undefined;
  readonly [more: string]: unknown;
}

/**
 * @param provision - brings tokens where the options have nothing that does
 * @param onToken - told of each token that was brought
 * @throws NodemailerError `ECONFIG` for a mechanism that there is not, and for tokens that would have to be fetched
 */
export function mechanismsOf(
  { type = '', user = '', pass = '', accessToken, ...more }: AuthOptions,
  method: string,
  provision: () => ProvisionCallback | undefined,
  onToken: (token: { user: string; accessToken: string; expires: number }) => void,
): SaslMechanism[] {
  if (/^oauth2$/i.test(type)) {
    const fetched = ['refreshToken', 'privateKey', 'serviceClient'].find((name) => more[name]);
    if (fetched && !more.provisionCallback)
      throw unsupported(
        `auth.${fetched}`,
        'no token is fetched here; give auth.provisionCallback, which brings one',
      );
    const token = ({ refresh }: { refresh: boolean }): Promise<string> | string => {
      const bring = more.provisionCallback ?? provision();
      if ((accessToken && !refresh) || !bring) return accessToken ?? '';
      return new Promise((resolve, reject) =>
        bring(user, refresh, (error, brought = '', expires = 0) => {
          if (error) return reject(error);
          onToken({ user, accessToken: brought, expires });
          resolve(brought);
        }),
      );
    };
    return [xoauth2({ user, token })];
  }
  if (type && !/^login$/i.test(type))
    throw unsupported(
      'auth.type',
      `there is OAuth2, and posthornTransport() takes any SaslMechanism`,
    );
  if (!user && !pass) return [];
  // In the order in which nodemailer tries them: CRAM-MD5 where there is nothing else.
  const all = [plain, login, cramMd5].map((make, at) => ({
    ...make({ user, pass }),
    strength: -at,
  }));
  const found = all.filter(({ name }) => !method || name === method);
  if (!found[0])
    throw unsupported('authMethod', `there is ${all.map(({ name }) => name).join(', ')}`);
  return found;
}
