import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ExceptionKeeper } from '../../../src/agent/exceptions.js';
import { silentLogger } from '../../../src/base/log.js';
import { loadExceptions } from '../../../src/rules/index.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { temporaryStore } from '../store/samples.js';

const file = (id: string, more = '') =>
  `name = "x"\n[[exception]]\nid = "${id}"\nreason = "r"\nauthor = "a"\nexpires = 2027-01-01\nitem = "file.path: x${more}"\n`;

test('a bad file is refused as a whole and the exceptions before stay; hits are stored', () => {
  const folder = tempFolder();
  const store = temporaryStore();
  const inForce: number[] = [];
  const keeper = new ExceptionKeeper({
    settings: { folder, folders: [folder], packs: [] },
    store,
    log: silentLogger,
    replaced: ({ size }) => inForce.push(size),
  });
  writeFileSync(path.join(folder, 'a.toml'), file('one'));
  expect(keeper.reload()).toEqual({ exceptions: 1 });
  writeFileSync(path.join(folder, 'a.toml'), file('two', ' and ('));
  writeFileSync(path.join(folder, 'b.toml'), file('three'));
  expect(() => keeper.reload()).toThrow(/a\.toml:7:/);
  expect(keeper.current.size).toBe(1);
  expect(keeper.refused).toContain('a.toml');
  writeFileSync(path.join(folder, 'a.toml'), file('two'));
  expect(keeper.reload()).toEqual({ exceptions: 2 });
  expect(keeper.refused).toBeUndefined();
  expect(inForce).toEqual([1, 2]);
  const [two] = loadExceptions([folder], []).exceptions;
  keeper.count(two!, 20);
  keeper.count(two!, 10);
  keeper.flush();
  keeper.flush();
  expect(store.exceptionHits.list()).toEqual([{ id: 'two', hits: 2, first: 10, last: 20 }]);
});
