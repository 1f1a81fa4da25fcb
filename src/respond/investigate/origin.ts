import { readPlist } from '../../base/plist/index.js';
import type { Micros } from '../../base/time.js';
import type { Version } from '../../event/version.js';
import { defineStep, fact, gravest, listed, point, timeText } from './answer.js';
import { type Case, fileEventOf, isApples, type Known } from './case.js';
import { textIn } from './read.js';

/** Where a file says that it came from. */
interface Marked {
  readonly path: string;
  readonly quarantine: Known<Quarantine | undefined>;
  readonly from: Known<readonly string[]>;
  /** Identifier of the package that installed it. */
  readonly receipt: Known<string | undefined>;
}

export interface Quarantine {
  /** The program that fetched it. */
  readonly agent: string | undefined;
  readonly time: Micros | undefined;
}

interface Facts {
  readonly files: readonly Marked[];
  /** The name that the file had before. */
  readonly original: string | undefined;
}

const xattr = '/usr/bin/xattr';
const pkgutil = '/usr/sbin/pkgutil';
const quarantineName = 'com.apple.quarantine';
const whereName = 'com.apple.metadata:kMDItemWhereFroms';

export const origin = defineStep<Facts>({
  name: 'origin',
  question: 'Where did the program, the bundle and the file come from?',
  async read(from) {
    const { path, program, runs } = from.about;
    const own = [path, program, ...runs].filter(
      (one) => one?.startsWith('/') === true && !isApples(one),
    ) as string[];
    const files = await Promise.all([...new Set(own)].slice(0, 4).map((one) => markedOf(from, one)));
    return { files, original: textIn(fileEventOf(from.alert.doc), 'file.Ext.original.path') };
  },
  says({ files, original }) {
    const fetched = files.filter(({ quarantine }) => 'value' in quarantine && quarantine.value !== undefined);
    const urls = files.flatMap(({ from }) => ('value' in from ? from.value : []));
    const receipts = files.flatMap(({ receipt }) =>
      'value' in receipt && receipt.value !== undefined ? [receipt.value] : [],
    );
    const [first] = fetched;
    const mark = first !== undefined && 'value' in first.quarantine ? first.quarantine.value : undefined;
    const asked = files.some(({ quarantine, receipt }) => 'value' in quarantine || 'value' in receipt);
    const by = mark?.agent === undefined ? '' : ` by ${mark.agent}`;
    const at = mark?.time === undefined ? '' : `, on ${timeText(mark.time)}`;
    return {
      mark: gravest(
        [fetched.length > 0 ? 'notable' : undefined],
        receipts.length > 0 ? 'reassuring' : asked ? 'neutral' : 'unknown',
      ),
      says:
        first !== undefined
          ? `${first.path} was fetched from the network${by}${at}.`
          : receipts.length > 0
            ? `It was installed by the package ${listed(receipts, 2)}.`
            : original !== undefined
              ? `It was moved here from ${original}.`
              : asked
                ? 'Nothing marks it as fetched from the network or as part of a package: it was made or copied here, or the mark was taken away.'
                : 'Where it came from could not be learned.',
      points: [
        ...urls.slice(0, 6).map((url) => point('notable', `It says that it comes from ${url}.`)),
        original !== undefined && first !== undefined
          ? point('neutral', `It was moved here from ${original}.`)
          : undefined,
        receipts.length > 0 && first !== undefined
          ? point('reassuring', `It belongs to the package ${listed(receipts, 2)}.`)
          : undefined,
      ],
      facts: [
        fact('moved from', original),
        ...files.flatMap((one) => [
          fact('file', one.path),
          'value' in one.from ? fact('from', one.from.value.join(' ')) : undefined,
          'value' in one.receipt ? fact('package', one.receipt.value) : undefined,
        ]),
      ],
      unknown: [
        ...reasons(files, 'quarantine').map(
          (why) => `whether it was fetched from the network, and from where: ${why}`,
        ),
        ...reasons(files, 'receipt').map((why) => `which package it belongs to: ${why}`),
      ],
    };
  },
});

/** Why something could not be learned about the files, each reason once. */
function reasons(files: readonly Marked[], name: 'quarantine' | 'receipt'): string[] {
  return [...new Set(files.flatMap((one) => ('why' in one[name] ? [one[name].why] : [])))];
}

async function markedOf({ tools, store }: Case, path: string): Promise<Marked> {
  const kept = store.versions.newest(path);
  const read = async (name: string): Promise<Known<Uint8Array | undefined>> => {
    const known = attributeOf(kept, name);
    if (known !== undefined) return { value: known.value };
    const answer = await tools.run(xattr, ['-px', name, path]);
    if ('why' in answer) return answer;
    const { status, stdout } = answer.value;
    if (status === null) return { why: 'xattr gave no answer in time' };
    return { value: status === 0 ? Buffer.from(stdout.replace(/\s+/g, ''), 'hex') : undefined };
  };
  const [quarantine, from, receipt] = await Promise.all([
    read(quarantineName),
    read(whereName),
    receiptOf(tools, path),
  ]);
  return {
    path,
    quarantine:
      'why' in quarantine ? quarantine : { value: quarantine.value && quarantineOf(quarantine.value) },
    from: 'why' in from ? from : { value: from.value === undefined ? [] : whereFroms(from.value) },
    receipt,
  };
}

/** What a version kept; its value is undefined when the file had no such attribute. Undefined when that is not known. */
function attributeOf(
  version: Version | undefined,
  name: string,
): { readonly value: Uint8Array | undefined } | undefined {
  if (version?.xattrs === undefined) return undefined;
  return { value: version.xattrs.find((one) => one.name === name)?.value };
}

/** `0083;65a1b2c3;Safari;UUID`: flags, seconds since 1970 in hex, the program, an id. UNPROVEN on a Mac by the authors. */
export function quarantineOf(value: Uint8Array): Quarantine {
  const [, seconds = '', agent = ''] = Buffer.from(value).toString('utf8').slice(0, 1_024).split(';');
  return {
    agent: agent === '' ? undefined : agent,
    time: /^[0-9a-f]{1,10}$/i.test(seconds) ? Number.parseInt(seconds, 16) * 1e6 : undefined,
  };
}

/** A binary property list that holds addresses. */
export function whereFroms(value: Uint8Array): string[] {
  const read = readPlist(value);
  if (!read.ok || !Array.isArray(read.value)) return [];
  return read.value.filter((one): one is string => typeof one === 'string' && one !== '').slice(0, 8);
}

async function receiptOf(tools: Case['tools'], path: string): Promise<Known<string | undefined>> {
  const answer = await tools.run(pkgutil, ['--file-info', path]);
  if ('why' in answer) return answer;
  if (answer.value.status === null) return { why: 'pkgutil gave no answer in time' };
  return { value: /^pkgid: (.{1,200})$/m.exec(answer.value.stdout)?.[1] };
}
