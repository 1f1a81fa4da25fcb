import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { Answers } from '../../../src/prove/answers.js';
import { judged, type Question } from '../../../src/prove/question.js';
import { type Asked, askAll, type RunOptions } from '../../../src/prove/run.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { type Scripted, ScriptedSystem } from './scripted-system.js';

const question = (change: Partial<Question> = {}): Question => ({
  name: 'one',
  asks: 'Is it so?',
  expected: 'yes',
  ask: async () => judged(true, 'yes'),
  ...change,
});

interface Rig extends Partial<Omit<RunOptions, 'open'>> {
  readonly system?: Scripted;
  readonly left?: readonly string[];
}

async function run(
  questions: readonly Question[],
  rig: Rig = {},
): Promise<readonly (Asked & { undone: number })[]> {
  const { system = {}, left = [], answers = new Answers(tempFolder(), 'test'), ...more } = rig;
  let undone = 0;
  const asked: (Asked & { undone: number })[] = [];
  const all = askAll({
    questions,
    answers,
    interruption: new AbortController().signal,
    open: (signal) => ({
      system: Object.assign(new ScriptedSystem(system), { signal }),
      async undo() {
        undone++;
        return left;
      },
    }),
    ...more,
  });
  for await (const one of all) asked.push({ ...one, undone });
  return asked;
}

const reasons = (asked: readonly Asked[]) =>
  asked.map(({ answer }) => (answer.verdict === 'not-asked' ? answer.reason : answer.found));

describe('what keeps a question from being asked', () => {
  test.each<[string, Partial<Question>, Scripted, string]>([
    ['another system', {}, { platform: 'linux' }, 'needs macOS'],
    ['no root', { needs: ['root'] }, { uid: 501 }, 'needs root: use sudo'],
    ['no addon', { needs: ['addon'] }, {}, 'no addon'],
    ['no program', { programs: ['/bin/x'] }, {}, 'there is no /bin/x'],
    [
      'a stand-in',
      { needs: ['mac-addon'] },
      { platform: 'linux', simulated: true },
      "needs the addon's macOS half, for which nothing stands in",
    ],
  ])('%s', async (_name, change, system, reason) => {
    let wasAsked = false;
    const ask = async () => {
      wasAsked = true;
      return judged(true, 'yes');
    };
    expect(reasons(await run([question({ ...change, ask })], { system }))).toEqual([reason]);
    expect(wasAsked).toBe(false);
  });

  test('on a tree neither root nor macOS is needed', async () => {
    const system = { platform: 'linux', simulated: true, uid: 501 } as const;
    expect(reasons(await run([question({ needs: ['root'] })], { system }))).toEqual(['yes']);
  });
});

describe('a question', () => {
  test('that fails is one that could not be asked, and the next one is asked', async () => {
    const failing = question({ ask: () => Promise.reject(new Error('no such thing')) });
    const refused = new UserError('x/y', 'cannot', { hint: 'Do this.' });
    const asked = await run([
      failing,
      question({ ask: () => Promise.reject(refused) }),
      question({ name: 'two' }),
    ]);
    expect(reasons(asked)).toEqual(['no such thing', 'cannot: Do this.', 'yes']);
    expect(asked.map(({ undone }) => undone)).toEqual([1, 2, 3]);
  });

  test('that never ends is ended, and undone', async () => {
    const [one] = await run([question({ ask: () => new Promise(() => {}) })], { limitMs: 20 });
    expect(one).toMatchObject({
      answer: { verdict: 'not-asked', reason: 'it took longer than 0.02 s' },
      undone: 1,
    });
  });

  test('is ended by an interruption; those behind it are not asked; everything is undone', async () => {
    const controller = new AbortController();
    const begun = question({
      ask: () => {
        controller.abort();
        return new Promise(() => {});
      },
    });
    const asked = await run([begun, question({ name: 'two' })], { interruption: controller.signal });
    expect(reasons(asked)).toEqual(['it was interrupted', 'it was interrupted']);
    expect(asked[0]?.undone).toBe(1);
  });

  test('tells what could not be undone, and long answers are cut', async () => {
    const long = Array.from({ length: 100 }, () => 'y'.repeat(10_000));
    const [one] = await run([question({ ask: async () => judged(false, 'x'.repeat(10_000), long) })], {
      left: ['remove /x'],
    });
    expect(one?.left).toEqual(['remove /x']);
    expect(JSON.stringify(one?.answer).length).toBeLessThan(200_000);
    expect(one?.answer).toMatchObject({ details: expect.arrayContaining(['… and 40 more lines']) });
  });
});

describe('going on', () => {
  const folderOf = () => path.join(tempFolder(), 'prove');
  const answersIn = (folder: string, about = 'test') => {
    const answers = new Answers(folder, about);
    answers.load();
    return answers;
  };

  test('asks what was not answered, and only that', async () => {
    const folder = folderOf();
    const asking: string[] = [];
    const counted = (name: string, verdict: 'yes' | 'fails') =>
      question({
        name,
        ask: async () => {
          asking.push(name);
          if (verdict === 'fails') throw new Error('not now');
          return judged(false, 'no', ['a line']);
        },
      });
    await run([counted('one', 'yes'), counted('two', 'fails')], { answers: answersIn(folder) });
    const asked = await run([counted('one', 'yes'), counted('two', 'yes')], { answers: answersIn(folder) });
    expect(asking).toEqual(['one', 'two', 'two']);
    expect(asked).toMatchObject([
      { resumed: true, answer: { verdict: 'different', found: 'no', details: ['a line'] } },
      { resumed: false, answer: { verdict: 'different' } },
    ]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(folder, 'answers.json')).mode & 0o777).toBe(0o600);
  });

  test('asks again what was asked of another version or system, and all when it is told to', async () => {
    const folder = folderOf();
    await run([question()], { answers: answersIn(folder) });
    expect(answersIn(folder).get('one')).toMatchObject({ verdict: 'as-expected' });
    expect(answersIn(folder, 'other').get('one')).toBeUndefined();
    const [again] = await run([question()], { answers: answersIn(folder), again: true });
    expect(again?.resumed).toBe(false);
  });

  test.each(['', '{', '[]', 'null', '{"about":"test","answers":{"one":{"verdict":"as-expected"}}}'])(
    'from a damaged file asks everything: %j',
    async (text) => {
      const folder = folderOf();
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'answers.json'), text);
      const [one] = await run([question()], { answers: answersIn(folder) });
      expect(one).toMatchObject({ resumed: false, answer: { verdict: 'as-expected' } });
      expect(readFileSync(path.join(folder, 'answers.json'), 'utf8')).toContain('"one"');
    },
  );

  test('from what stand-ins said keeps nothing', async () => {
    const folder = folderOf();
    await run([question()], { answers: answersIn(folder), system: { simulated: true } });
    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });
});
