import { expect, test } from 'vitest';
import { fileIdentity } from '../../../src/detect/repeats.js';
import type { Event } from '../../../src/event/event.js';

test.each(['file', 'symlink'])('of a %s another content is no repeat', (type) => {
  const of = (sha256: string) =>
    fileIdentity({
      ...{ id: 'e', time: 0, nanos: 0, sequence: 0 },
      doc: { file: { path: '/private/etc/sudoers.d/x', type, inode: '7', hash: { sha256 } } },
    } as unknown as Event);
  expect(of('a')).not.toEqual(of('b'));
});
