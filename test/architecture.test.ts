import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** What each stage may import, besides itself. README, "How it works", draws the same arrows. */
const allowed: Record<string, readonly string[]> = {
  base: [],
  event: ['base'],
  mechanisms: ['base', 'event'],
  sensors: ['base', 'event'],
  enrich: ['base', 'event', 'mechanisms'],
  inventory: ['base', 'event', 'mechanisms', 'sensors'],
  scan: ['base', 'event', 'mechanisms', 'sensors', 'enrich', 'inventory', 'rules', 'detect'],
  rules: ['base', 'event'],
  detect: ['base', 'event', 'rules'],
  store: ['base', 'event'],
  forward: ['base', 'event', 'store'],
  respond: ['base', 'event', 'mechanisms', 'store'],
  policy: ['base', 'forward'],
  config: ['base', 'event', 'sensors', 'enrich', 'rules', 'detect', 'store', 'forward', 'policy'],
  install: ['base', 'config'],
  canary: ['base', 'event', 'prove'],
  agent: [
    'base',
    'event',
    'mechanisms',
    'sensors',
    'enrich',
    'inventory',
    'scan',
    'rules',
    'detect',
    'store',
    'forward',
    'respond',
    'config',
    'policy',
    'canary',
  ],
  doctor: [
    'base',
    'canary',
    'policy',
    'event',
    'mechanisms',
    'sensors',
    'store',
    'forward',
    'config',
    'install',
    'agent',
    'canary',
  ],
  prove: ['base', 'event', 'mechanisms', 'sensors'],
  cli: [
    'base',
    'event',
    'mechanisms',
    'sensors',
    'enrich',
    'inventory',
    'scan',
    'rules',
    'detect',
    'store',
    'forward',
    'respond',
    'config',
    'policy',
    'install',
    'agent',
    'doctor',
    'prove',
    'canary',
  ],
};

/** From these stages config takes the options alone. */
const optionsOnly = ['sensors', 'enrich', 'rules', 'detect', 'store', 'forward'];

const importFrom = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;

function imports(): { file: string; stage: string; target: string; other: string | undefined }[] {
  const found = [];
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const stage = file.split(path.sep)[0] as string;
    for (const [, target = ''] of readFileSync(path.join('src', file), 'utf8').matchAll(importFrom)) {
      const relative = target.startsWith('.');
      const other = relative ? path.join(path.dirname(file), target).split(path.sep)[0] : undefined;
      found.push({ file, stage, target, other });
    }
  }
  return found;
}

test('every stage of src/ is in the table', () => {
  expect(readdirSync('src').filter((name) => allowed[name] === undefined)).toEqual([]);
});

test('imports only flow downstream', () => {
  const wrong = imports().filter(
    ({ stage, other }) => other !== undefined && other !== stage && !allowed[stage]?.includes(other),
  );
  expect(wrong).toEqual([]);
});

test('config takes options of the stages and nothing else', () => {
  const wrong = imports().filter(
    ({ stage, other, target }) =>
      stage === 'config' &&
      other !== undefined &&
      optionsOnly.includes(other) &&
      !target.endsWith('options.js'),
  );
  expect(wrong).toEqual([]);
});

test('forward takes only the outbox type of the store', () => {
  const wrong = imports().filter(
    ({ stage, other, target }) =>
      stage === 'forward' && other === 'store' && !/store\/outbox(-types)?\.js$/.test(target),
  );
  expect(wrong).toEqual([]);
});

test('each outside part is imported in one place', () => {
  const owners: Record<string, RegExp> = {
    'better-sqlite3': /^store\//,
    chokidar: /^sensors\/file-watch\//,
    'ps-list': /^sensors\/process-scan\//,
    commander: /^cli\//,
    pino: /^base\/log\.ts$/,
    'smol-toml': /^(rules|config)\//,
  };
  const wrong = imports().filter(
    ({ file, target }) => owners[target] !== undefined && !owners[target].test(file),
  );
  expect(wrong).toEqual([]);
});

test('detect owns no clock and no timer', () => {
  const wrong = readdirSync('src/detect', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .filter((file) =>
      /\bDate\b|\bperformance\b|setTimeout|setInterval|setImmediate|base\/clock/.test(
        readFileSync(path.join('src/detect', file), 'utf8'),
      ),
    );
  expect(wrong).toEqual([]);
});
