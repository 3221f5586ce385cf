/** Fields of forms: each with its label, its hint, and what is wrong with what was typed. */
import type { Context } from 'hono';
import { html, type Markup } from './markup.ts';

interface Field {
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  /** Of the element around it. */
  readonly classes?: string;
}

/** A field to type in. */
export interface Input extends Field {
  readonly value?: string | undefined;
  readonly type?: 'text' | 'email' | 'url' | 'number' | 'datetime-local' | 'search';
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly longest?: number;
  readonly required?: boolean;
  readonly placeholder?: string;
}

/** A choice of one. */
export interface Choice extends Field {
  readonly value?: string | undefined;
  readonly options: readonly { readonly value: string; readonly text: string }[];
}

export function input(field: Input): Markup {
  const more = Object.entries({
    min: field.min,
    max: field.max,
    step: field.step,
    maxlength: field.longest,
    placeholder: field.placeholder,
  }).map(([name, value]) => (value === undefined ? '' : html` ${name}="${value}"`));
  return around(
    field,
    html`<input id="${idOf(field)}" name="${field.name}" type="${field.type ?? 'text'}" value="${field.value ?? ''}"${more}${
      field.required ? html` required` : ''
    }${described(field)} autocomplete="off" spellcheck="false">`,
  );
}

export function choice(field: Choice): Markup {
  const options = field.options.map(
    ({ value, text }) =>
      html`<option value="${value}"${value === field.value ? html` selected` : ''}>${text}</option>`,
  );
  return around(
    field,
    html`<select id="${idOf(field)}" name="${field.name}"${described(field)}>${options}</select>`,
  );
}

function around(field: Field, control: Markup): Markup {
  const id = idOf(field);
  return html`<div class="field ${field.classes ?? ''}"><label for="${id}">${field.label}</label>${control}${
    field.error === undefined ? '' : html`<p class="error" id="${id}-error">${field.error}</p>`
  }${field.hint === undefined ? '' : html`<p class="hint" id="${id}-hint">${field.hint}</p>`}</div>`;
}

function idOf({ name }: Field): string {
  return `field-${name}`;
}

function described(field: Field): Markup {
  const id = idOf(field);
  const by = [
    ...(field.error === undefined ? [] : [`${id}-error`]),
    ...(field.hint === undefined ? [] : [`${id}-hint`]),
  ].join(' ');
  return html`${by === '' ? '' : html` aria-describedby="${by}"`}${
    field.error === undefined ? '' : html` aria-invalid="true" autofocus`
  }`;
}

/** A button that does something to one entry of a list. */
export function action(
  path: string,
  values: Readonly<Record<string, string>>,
  text: string,
  /** What it does, to those who do not see the row that it is in. */
  label: string,
): Markup {
  return html`<form method="post" action="${path}" class="inline">${Object.entries(values).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button class="quiet" aria-label="${label}">${text}</button></form>`;
}

/** What a form sent: the texts of it. Whatever is no form is an empty one. */
export interface Sent {
  text(name: string): string;
  all(name: string): readonly string[];
  has(name: string): boolean;
}

export async function sentBy(context: Context): Promise<Sent> {
  let data: FormData;
  try {
    data = await context.req.formData();
  } catch {
    data = new FormData();
  }
  const all = (name: string): string[] =>
    data.getAll(name).filter((value): value is string => typeof value === 'string');
  return {
    all,
    text: (name) => all(name)[0]?.trim() ?? '',
    has: (name) => data.has(name),
  };
}
