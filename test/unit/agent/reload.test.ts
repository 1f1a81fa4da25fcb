import { expect, test } from 'vitest';
import { isTakenUp } from '../../../src/agent/reload.js';
import { descriptions } from '../../../src/config/descriptions.js';

test('what a reload does not take up is this, as docs/config.md says', () => {
  const left = Object.keys(descriptions).filter(
    (key) => key.includes('.') && !key.startsWith('~') && !isTakenUp(key),
  );
  expect(left).toEqual(['log.file', 'sensors.tier', 'sensors.disabled', 'watch.mechanisms']);
  expect(['data_dir', 'root'].filter(isTakenUp)).toEqual([]);
});
