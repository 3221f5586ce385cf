/** Whom nothing is sent to, and who may send. */
import { BOUNCE_REASONS } from '../../platform/events.ts';
import type { AddressList } from '../../platform/suppressions.ts';
import { Problem } from '../problem.ts';
import type { Site } from '../site.ts';
import { bodyOf } from './body.ts';
import { dated, done, type Route, segment } from './route.ts';
import { address, object, oneOf, optional, type Shape, sender, text } from './shape.ts';

export function listRoutes({ platform }: Site): readonly Route[] {
  const { clock } = platform;
  return [
    ...routesOf({
      path: '/api/unsubscribed',
      name: 'unsubscribed',
      list: platform.unsubscribed,
      takes: '{address, comment?}',
      shape: UNSUBSCRIBING,
      entry: ({ address: of, comment }) => ({
        address: of,
        at: clock.now(),
        source: 'api' as const,
        ...(comment !== undefined && { comment }),
      }),
      shown: dated,
    }),
    ...routesOf({
      path: '/api/hard-bounces',
      name: 'hardBounces',
      list: platform.hardBounced,
      takes: '{address, reason?}',
      shape: BOUNCING,
      entry: ({ address: of, reason = 'bad-mailbox' }) => ({
        address: of,
        at: clock.now(),
        reason,
      }),
      shown: dated,
    }),
    ...routesOf({
      path: '/api/senders',
      name: 'senders',
      list: platform.senders,
      takes: '{address}, where @domain is all of a domain',
      shape: SENDING,
      entry: ({ address: of }) => ({ address: of }),
      shown: (entry) => entry,
    }),
  ];

  function routesOf<Entry extends { readonly address: string }, Body>(of: {
    readonly path: string;
    readonly name: string;
    readonly list: AddressList<Entry>;
    readonly takes: string;
    readonly shape: Shape<Body>;
    readonly entry: (body: Body) => Entry;
    readonly shown: (entry: Entry) => unknown;
  }): readonly Route[] {
    const { path, name, list, takes, shape, entry, shown } = of;
    const changed = async (): Promise<Response> => {
      await platform.journal.flush();
      return done();
    };
    return [
      {
        method: 'GET',
        path,
        about: 'the whole list',
        answer: (context) => context.json({ [name]: list.all.map(shown) }),
      },
      {
        method: 'POST',
        path,
        about: `puts one on it: ${takes}`,
        async answer(context) {
          const made = entry(await bodyOf(context, shape));
          list.put(made);
          await changed();
          return Response.json(shown(made), { status: 201 });
        },
      },
      {
        method: 'DELETE',
        path,
        about: 'takes all off it',
        answer() {
          list.clear();
          return changed();
        },
      },
      {
        method: 'DELETE',
        path: `${path}/:address`,
        about: 'takes one off it',
        answer(context) {
          if (!list.delete(segment(context, 'address')))
            throw new Problem(404, 'Cannot find this address: it is not on the list');
          return changed();
        },
      },
    ];
  }
}

const UNSUBSCRIBING = object({ address, comment: optional(text()) });
const BOUNCING = object({ address, reason: optional(oneOf(BOUNCE_REASONS)) });
const SENDING = object({ address: sender });
