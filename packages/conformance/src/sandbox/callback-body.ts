/** What a callback says of an event, in JSON and in XML. Pure. */
import { create } from 'xmlbuilder2';
import type { MessageEvent } from './platform/events.ts';

/** What goes into the request. */
export interface CallbackBody {
  readonly contentType: string;
  readonly body: string;
}

/**
 * The provider documents the fields in the page of its HTTP interface for mail (2018, «Получение callback»), where the
 * names, their order and what is null are from: `taskId` is 0 of a single message, `dateTime` has no time zone, and
 * where the reader is was never told. Guesses: that `dateTime` is UTC, to the millisecond; that a bounce's `reason` and
 * `isHardbounce` and a reader's `comment` stand beside them, where there are any; the names in XML, which no page shows.
 */
export function callbackBody(event: MessageEvent, format: 'json' | 'xml'): CallbackBody {
  const fields = fieldsOf(event);
  return format === 'json'
    ? { contentType: 'application/json; charset=utf-8', body: JSON.stringify(fields) }
    : { contentType: 'application/xml; charset=utf-8', body: xml(fields) };
}

type Fields = { readonly [name: string]: string | number | boolean | null | Fields };

function fieldsOf(event: MessageEvent): Fields {
  const { reason, isHardbounce, comment } = event;
  return {
    messageId: event.messageId,
    taskId: 0,
    userMessageId: null,
    userCampaignId: null,
    email: event.recipient,
    event: event.type,
    url: event.url ?? null,
    dateTime: new Date(event.at).toISOString().slice(0, -1),
    ...(reason !== undefined && { reason }),
    ...(isHardbounce !== undefined && { isHardbounce }),
    ...(comment !== undefined && { comment }),
    clientInfo: {
      platform: null,
      operatingSystem: null,
      browser: null,
      userAgent: null,
      ipAddress: null,
      geolocation: { country: null, region: null, city: null },
    },
  };
}

/** Null is an empty element. Characters that XML cannot hold are left out. */
function xml(fields: Fields): string {
  const document = create({ version: '1.0', encoding: 'UTF-8', invalidCharReplacement: '' });
  const root = document.ele('callback');
  const add = (parent: typeof root, all: Fields): void => {
    for (const [name, value] of Object.entries(all)) {
      const element = parent.ele(name);
      if (typeof value === 'object') add(element, value ?? {});
      // xmlbuilder2 takes what looks like a reference for one: `&nbsp;` and `&#0;` would not be well-formed.
      else element.txt(String(value).replaceAll('&', '&amp;'));
    }
  };
  add(root, fields);
  return document.end();
}
