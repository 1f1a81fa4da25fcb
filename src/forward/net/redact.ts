import { escapeText } from '../../base/escape.js';

/** So many characters in a row of a secret, from anywhere in it, are masked; a shorter secret as a whole. */
const gram = 8;
/** A shorter secret is in too many words to be masked at all. */
const shortest = 4;
/** Of a longer form its two ends are known. */
const maxForm = 16 * 1024;
/** Secrets that are remembered, rotated ones included; the oldest is forgotten first. */
const maxSecrets = 256;
const mask = '[redacted]';

/** `//user:password@` of any address, whoever wrote it. */
const userInfo = /(\/\/)[^\s/?#@"'<>]*:[^\s/?#@"'<>]*@/g;

/**
 * Keeps secrets out of texts in every form in which a receiver, a proxy or a library may say them: as they are, in
 * base64 (by themselves, or anywhere in what was encoded), URL-, JSON-, HTML- or hexadecimally encoded, cut anywhere.
 * The cost of a text is a look-up a character.
 */
export class Redactor {
  readonly #secrets = new Map<string, readonly string[]>();
  /** How many secrets hold each run of `gram` characters. */
  readonly #grams = new Map<string, number>();

  /** `value`: a secret, or what was made from one. */
  add(value: string): void {
    if (value.length < shortest) return;
    const known = this.#secrets.get(value);
    if (known !== undefined) {
      // Still in use: others are forgotten before it.
      this.#secrets.delete(value);
      this.#secrets.set(value, known);
      return;
    }
    const forms = formsOf(value);
    this.#secrets.set(value, forms);
    for (const one of gramsOf(forms)) this.#grams.set(one, (this.#grams.get(one) ?? 0) + 1);
    for (const [oldest, old] of this.#secrets) {
      if (this.#secrets.size <= maxSecrets) return;
      this.#secrets.delete(oldest);
      for (const one of gramsOf(old)) {
        const left = (this.#grams.get(one) ?? 1) - 1;
        if (left === 0) this.#grams.delete(one);
        else this.#grams.set(one, left);
      }
    }
  }

  redact(text: string): string {
    let clean = this.#withoutGrams(text.replace(userInfo, `$1${mask}@`));
    for (const forms of this.#secrets.values())
      for (const form of forms) if (form.length < gram) clean = clean.replaceAll(form, mask);
    return clean;
  }

  #withoutGrams(text: string): string {
    if (this.#grams.size === 0) return text;
    let clean = '';
    let copied = 0;
    // End of the run that is being masked, and where it began.
    let begin = -1;
    let end = -1;
    for (let at = 0; at + gram <= text.length; at++) {
      if (!this.#grams.has(text.slice(at, at + gram))) continue;
      if (at > end) {
        if (end > 0) {
          clean += text.slice(copied, begin) + mask;
          copied = end;
        }
        begin = at;
      }
      end = at + gram;
    }
    return end < 0 ? text : clean + text.slice(copied, begin) + mask + text.slice(end);
  }
}

/** The secrets of this process: what one destination was given, no other's receiver may have stored either. */
export const processRedactor = new Redactor();

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  const ascii = json.replaceAll(/[^\x20-\x7e]/g, (one) => `\\u${hexOf(one.charCodeAt(0), 4)}`);
  const forms = [
    value,
    escapeText(value),
    json,
    json.replaceAll('/', '\\/'),
    ascii,
    value.replaceAll(/[&<>"']/g, (one) => htmlNames[one] as string),
    value.replaceAll(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`),
    value.replaceAll(/[<>&'"/+=]/g, (one) => `\\u${hexOf(one.charCodeAt(0), 4)}`),
    url,
    url.replaceAll(/[!'()*~]/g, (one) => `%${hexOf(one.charCodeAt(0), 2).toUpperCase()}`),
    encodeURI(value),
    new URLSearchParams({ '': value }).toString().slice(1),
    bytes.toString('hex'),
    ...[0, 1, 2].flatMap((offset) => inBase64(bytes, offset)),
  ];
  const all = forms.flatMap((form) => (/%[0-9A-F]{2}/.test(form) ? [form, lowerPercent(form)] : [form]));
  return [...new Set([...all, bytes.toString('hex').toUpperCase()])].filter(
    (form) => form.length >= shortest,
  );
}

const htmlNames: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const hexOf = (code: number, digits: number) => code.toString(16).padStart(digits, '0');

function lowerPercent(form: string): string {
  return form.replaceAll(/%[0-9A-F]{2}/g, (one) => one.toLowerCase());
}

/** What of a base64 text comes from the bytes alone when `offset` bytes, modulo 3, stand before them. */
function inBase64(bytes: Buffer, offset: number): string[] {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  const own = whole.slice(Math.ceil((8 * offset) / 6), Math.floor((8 * (offset + bytes.length)) / 6));
  return (offset === 0 ? [whole, own] : [own]).flatMap((form) => [
    form,
    form.replaceAll('+', '-').replaceAll('/', '_'),
  ]);
}

function* gramsOf(forms: readonly string[]): Generator<string> {
  for (const form of forms) {
    const parts = form.length <= maxForm ? [form] : [form.slice(0, maxForm / 2), form.slice(-maxForm / 2)];
    for (const part of parts)
      for (let at = 0; at + gram <= part.length; at++) yield part.slice(at, at + gram);
  }
}
