import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { loadCorpus, loadSkips } from './corpus.js';
import { mutants } from './mutants.js';
import { type Engine, expected, run } from './run.js';

/** The stages that the corpus exercises; they import nothing else of ours. */
const stages = ['base', 'event', 'rules', 'detect'];

// Inside the checkout, so that packages are found from there.
mkdirSync('build', { recursive: true });
const folder = mkdtempSync(path.resolve('build', 'mutants-'));
afterAll(() => rmSync(folder, { recursive: true }));

const skips = loadSkips();
const corpus = loadCorpus().filter(({ id }) => skips[id] === undefined);

async function engineOf(copy: string): Promise<Engine> {
  const load = (name: string) => import(/* @vite-ignore */ path.join(copy, name));
  return {
    rules: await load('rules/index.ts'),
    detect: await load('detect/index.ts'),
    nested: (await load('event/nested.ts')).nested,
    time: await load('base/time.ts'),
  };
}

function copySource(name: string): string {
  const copy = path.join(folder, name);
  for (const stage of stages) cpSync(path.join('src', stage), path.join(copy, stage), { recursive: true });
  return copy;
}

/** The first case that an engine fails. One that throws is not noticed by the corpus but broken. */
function firstFailure(engine: Engine): string | undefined {
  return corpus.find((one) => !isDeepStrictEqual(run(one, engine), expected(one)))?.id;
}

test('an unchanged copy passes', async () => {
  expect(firstFailure(await engineOf(copySource('unchanged')))).toBeUndefined();
});

for (const [index, { name, file, from, to }] of mutants.entries()) {
  test(`the corpus notices: ${name}`, async () => {
    const copy = copySource(String(index));
    const patched = path.join(copy, file);
    const parts = readFileSync(patched, 'utf8').split(from);
    expect(parts, `the fault no longer applies to ${file}`).toHaveLength(2);
    writeFileSync(patched, parts.join(to));
    expect(firstFailure(await engineOf(copy))).toBeDefined();
  });
}
