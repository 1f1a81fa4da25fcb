/** What a label imitates, and how. */
export interface LookAlike {
  /** The label or vendor that it looks like. */
  readonly of: string;
  /**
   * `letters`: other characters of the same look. `spelling`: a letter too many, too few, wrong or swapped. `form`: the
   * vendor's name in another order, under another top-level name, or with something joined to it.
   */
  readonly by: 'letters' | 'spelling' | 'form';
}

/** Longer labels are no label of a vendor; what is compared is bounded. */
const maxLabel = 128;
const maxInstalled = 10_000;
/** Shorter names than this are a letter away from too many others. */
const leastName = 6;
/** Of shorter ones neighbours that are swapped make another name. */
const leastTransposed = 4;

/** Vendors whose launch items stand on many Macs: what their labels begin with. */
const vendors: readonly string[] = [
  ...[
    'com.apple',
    'com.google',
    'com.microsoft',
    'com.adobe',
    'com.dropbox',
    'com.docker',
    'com.oracle',
    'com.github',
  ],
  ...[
    'org.mozilla',
    'com.spotify',
    'com.cisco',
    'com.vmware',
    'com.parallels',
    'com.logitech',
    'com.logi',
    'us.zoom',
  ],
  ...[
    'com.avast',
    'com.kaspersky',
    'com.malwarebytes',
    'com.crowdstrike',
    'com.sentinelone',
    'com.jamf',
    'com.jamfsoftware',
  ],
  ...[
    'com.paloaltonetworks',
    'com.bitdefender',
    'com.sophos',
    'com.symantec',
    'com.teamviewer',
    'com.citrix',
    'com.webex',
  ],
  ...[
    'com.skype',
    'com.valvesoftware',
    'com.nvidia',
    'com.openvpn',
    'com.nordvpn',
    'com.expressvpn',
    'com.wireguard',
  ],
  ...[
    'com.backblaze',
    'com.agilebits',
    'com.1password',
    'com.lastpass',
    'com.objective-see',
    'at.obdev',
    'com.macpaw',
  ],
  ...[
    'com.setapp',
    'co.elastic',
    'com.wazuh',
    'com.fleetdm',
    'com.kandji',
    'com.mosyle',
    'com.addigy',
    'com.googlecode',
  ],
];

/** Characters that look like another one, each before that one: of other scripts, and digits. */
const looksLike: ReadonlyMap<string, string> = new Map(
  [
    'аa вb еe іi јj кk мm нh оo рp сc тt уy хx ѕs ԁd ԛq ԝw һh ӏl ьb гr пn ѵv գq օo',
    'αa βb εe ηn ιi κk νv οo ρp τt υu χx γy ωw ıi ɑa ɡg ɩi ʟl ᴏo ƅb ℓl 0o 1l 3e 5s |l',
  ].flatMap((pairs) => pairs.split(' ').map((pair) => [pair[0] ?? '', pair[1] ?? ''] as const)),
);

const known: ReadonlySet<string> = new Set(vendors);
const skeletons: ReadonlyMap<string, string> = new Map(vendors.map((one) => [skeletonOf(one), one]));

/**
 * Whether a label looks like one of Apple's, of a well-known vendor's, or of one that is installed, and is none of them.
 * `installed`: labels of this Mac that are trusted.
 */
export function lookAlike(
  label: string,
  installed: Iterable<string> | InstalledLabels = [],
): LookAlike | undefined {
  if (label.length > maxLabel || label === '') return undefined;
  const plain = plainOf(label);
  const labels = installed instanceof InstalledLabels ? installed : new InstalledLabels(installed);
  return ofVendor(label, plain) ?? labels.like(label);
}

function plainOf(label: string): string {
  return label.normalize('NFC').toLowerCase();
}

function ofVendor(label: string, plain: string): LookAlike | undefined {
  const [top = '', name = ''] = plain.split('.');
  const vendor = `${top}.${name}`;
  if (known.has(vendor)) return ofItself(label);
  const [skeletonTop = '', skeletonName = ''] = skeletonOf(label).split('.');
  const same = skeletons.get(`${skeletonTop}.${skeletonName}`);
  if (same !== undefined) return { of: same, by: 'letters' };
  if (imitatesApple(plain)) return { of: 'com.apple', by: 'form' };
  for (const one of vendors) {
    const [oneTop, oneName = ''] = one.split('.');
    if (name.length >= leastTransposed && isTransposed(vendor, one)) return { of: one, by: 'spelling' };
    if (oneName.length < leastName && oneName !== 'apple') continue;
    if (oneTop === top && isOneEditAway(name, oneName)) return { of: one, by: 'spelling' };
  }
  return ofItself(label);
}

/** A label with a character that nobody sees, or a blank at an end, beside the one without. */
function ofItself(label: string): LookAlike | undefined {
  const visible = label.replace(invisible, '').trim();
  return visible !== label && /^[a-z][\w-]*(?:\.[\w-]+)+$/i.test(visible)
    ? { of: visible, by: 'letters' }
    : undefined;
}

const invisible = /[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** `apple.com.x`, `com-apple.x`, `org.apple.x`, `com.apple-update`, `com.appleupdate`. */
function imitatesApple(plain: string): boolean {
  return (
    /^(?:apple[._-]com|com[_-]apple|apple)(?:[._-]|$)/.test(plain) ||
    /^(?:org|net|co|io|us|app|dev|macos|mac|osx)\.apple(?:\.|$)/.test(plain) ||
    /^com\.apple(?:[-_]|inc|software|update|security|support|system|store|service|cloud|os)/.test(plain)
  );
}

/** Labels that are shorter are a letter away from too many others; neighbours are swapped in shorter ones too. */
const leastSwapped = leastName * 2;
const leastInstalled = 8;

/** Labels that are trusted here, so kept that the one which another imitates is found at once. */
export class InstalledLabels {
  readonly #plain = new Set<string>();
  /** What the labels begin with: the vendor. */
  readonly #vendors = new Map<string, string>();
  readonly #skeletons = new Map<string, string>();
  readonly #vendorSkeletons = new Map<string, string>();
  /** By length and by one third of the letters: a wrong letter, or two that are swapped, leave another third as it is. */
  readonly #thirds = new Map<string, string[]>();

  constructor(labels: Iterable<string> = []) {
    let count = 0;
    for (const label of labels) {
      if (++count > maxInstalled) break;
      if (label.length <= maxLabel && label !== '') this.#add(label);
    }
  }

  get size(): number {
    return this.#plain.size;
  }

  /** The label, or its vendor, that this one imitates; undefined when it imitates none, and when it is one of them. */
  like(label: string): LookAlike | undefined {
    const plain = plainOf(label);
    if (this.#plain.size === 0 || this.#plain.has(plain)) return undefined;
    const same = this.#skeletons.get(skeletonOf(label));
    if (same !== undefined) return { of: same, by: 'letters' };
    const swapped = this.#swapped(plain);
    return swapped === undefined ? this.#vendor(label, plain) : { of: swapped, by: 'spelling' };
  }

  #add(label: string): void {
    const plain = plainOf(label);
    if (this.#plain.has(plain)) return;
    this.#plain.add(plain);
    this.#skeletons.set(skeletonOf(label), label);
    const vendor = vendorOf(plain);
    if (vendor !== undefined) {
      this.#vendors.set(vendor, vendor);
      this.#vendorSkeletons.set(skeletonOf(vendor), vendor);
    }
    if (plain.length >= leastInstalled)
      for (const third of thirdsOf(plain)) {
        const others = this.#thirds.get(third);
        if (others === undefined) this.#thirds.set(third, [plain]);
        else if (others.length < maxOfThird) others.push(plain);
      }
  }

  #swapped(plain: string): string | undefined {
    if (plain.length < leastInstalled) return undefined;
    const isMistaken = plain.length < leastSwapped ? isTransposed : isMistakenFor;
    for (const third of thirdsOf(plain)) {
      const found = this.#thirds.get(third)?.find((other) => isMistaken(plain, other));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #vendor(label: string, plain: string): LookAlike | undefined {
    const vendor = vendorOf(plain);
    if (vendor === undefined || this.#vendors.has(vendor) || known.has(vendor)) return undefined;
    const skeleton = vendorOf(skeletonOf(label));
    const of = skeleton === undefined ? undefined : this.#vendorSkeletons.get(skeleton);
    return of === undefined ? undefined : { of, by: 'letters' };
  }
}

/** One letter of a vendor's own labels tells its jobs apart (`agentA`, `agentB`): of those only swapped letters imitate. */
function isMistakenFor(plain: string, other: string): boolean {
  if (!isSwap(plain, other)) return false;
  const vendor = vendorOf(plain);
  return vendor === undefined || vendor !== vendorOf(other) || sorted(plain) === sorted(other);
}

function sorted(text: string): string {
  return [...text].sort().join('');
}

/** Labels that share a third: a vendor's own differ in their ends. */
const maxOfThird = 64;

function thirdsOf(plain: string): string[] {
  const [first, second] = [Math.floor(plain.length / 3), Math.floor((plain.length * 2) / 3)];
  const parts = [plain.slice(0, first), plain.slice(first, second), plain.slice(second)];
  return parts.map((part, index) => `${plain.length}:${index}:${part}`);
}

/** `com.vendor` of a label that has more than that; a short name is no name of a vendor. */
function vendorOf(plain: string): string | undefined {
  const [top = '', name = '', ...rest] = plain.split('.');
  return rest.length === 0 || top === '' || name.length < leastName ? undefined : `${top}.${name}`;
}

/** The same text for all labels that look the same. */
function skeletonOf(label: string): string {
  const letters = label
    // A capital I looks like a small l; capitals of other words do not matter.
    .replace(/(?<=[a-z0-9])I(?=[a-z0-9])/g, 'l')
    .normalize('NFKD')
    .toLowerCase()
    // Marks over letters, and characters that show nothing.
    .replace(/[\p{M}\p{Cf}\p{Z}\p{Cc}]/gu, '')
    .replace(/[․。．｡]/g, '.');
  const mapped = [...letters].map((one) => looksLike.get(one) ?? one).join('');
  return mapped.replaceAll('rn', 'm').replaceAll('vv', 'w');
}

/** One letter added, left out, another, or two swapped. */
function isOneEditAway(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  if (a.length === b.length) return isSwap(a, b);
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  let at = 0;
  while (at < short.length && short[at] === long[at]) at++;
  return short.slice(at) === long.slice(at + 1);
}

/** Of the same length: one letter is another, or two neighbours are swapped. Numbers count things and imitate nothing. */
function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length || a === b) return false;
  let at = 0;
  while (a[at] === b[at]) at++;
  const [one = '', other = ''] = [a[at], b[at]];
  if (a.slice(at + 1) === b.slice(at + 1)) return !/\d/.test(one) || !/\d/.test(other);
  return one === b[at + 1] && other === a[at + 1] && a.slice(at + 2) === b.slice(at + 2);
}

/** Two neighbours are swapped, and nothing else. */
function isTransposed(a: string, b: string): boolean {
  return a.length === b.length && isSwap(a, b) && sorted(a) === sorted(b);
}

/** A letter that looks like an ASCII one in a name, and is none. */
export interface ForeignLetter {
  readonly letter: string;
  readonly like: string;
  /** `U+0430`. */
  readonly code: string;
}

/**
 * Letters that make a word look like another one: those of other scripts among ASCII letters, a whole word of them, and
 * letters of special forms. A word of another script that looks like none of ASCII's is a name like any other.
 */
export function foreignLetters(text: string): ForeignLetter[] {
  const found = new Map<string, ForeignLetter>();
  for (const word of text.slice(0, maxText).split(/[^\p{L}\p{M}\p{N}]+/u)) {
    const others = [...word].filter((letter) => letter > '\x7f');
    if (others.length === 0) continue;
    const likes = others.map((letter) => ({ letter, like: asciiLike(letter) }));
    const ascii = /[a-z]/i.test(word);
    if (!ascii && likes.some(({ like }) => like === undefined)) continue;
    for (const { letter, like } of likes)
      if (like !== undefined) found.set(letter, { letter, like, code: codeOf(letter) });
  }
  return [...found.values()];
}

const maxText = 8_192;

function asciiLike(letter: string): string | undefined {
  const lower = letter.toLowerCase();
  const like = looksLike.get(lower) ?? looksLike.get(letter);
  if (like !== undefined) return like;
  // An accent is no disguise; full width and mathematical letters are.
  if (letter.normalize('NFD') !== letter) return undefined;
  const plain = letter.normalize('NFKD');
  return /^[\x21-\x7e]+$/.test(plain) ? plain : undefined;
}

function codeOf(letter: string): string {
  return `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
