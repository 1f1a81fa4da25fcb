import { describe, expect, test } from 'vitest';
import { ProcessTable } from '../../../src/enrich/process-table.js';
import type { EcsDocument, ProcessFields } from '../../../src/event/document.js';

function processDocument(process: ProcessFields, type = 'start'): EcsDocument {
  return { event: { category: ['process'], type: [type] }, process };
}

describe('process table', () => {
  test('fills a parent that started before, by pid', () => {
    const table = new ProcessTable();
    table.complete(
      processDocument({
        pid: 10,
        entity_id: 'shell',
        name: 'sh',
        executable: '/bin/sh',
        args: ['sh', '-c', 'x'],
        args_count: 3,
        command_line: 'sh -c x',
        parent: { pid: 1 },
      }),
    );
    const child = table.complete(processDocument({ pid: 11, entity_id: 'child', parent: { pid: 10 } }));
    expect(child.process?.parent).toEqual({
      pid: 10,
      entity_id: 'shell',
      name: 'sh',
      executable: '/bin/sh',
      args: ['sh', '-c', 'x'],
      args_count: 3,
      command_line: 'sh -c x',
    });
    expect(child.process?.Ext?.ancestry).toEqual(['shell']);
  });

  test('never changes what it was given', () => {
    const table = new ProcessTable();
    const parent = Object.freeze(processDocument(Object.freeze({ pid: 1, entity_id: 'one' })));
    const child = Object.freeze(
      processDocument(Object.freeze({ pid: 2, entity_id: 'two', parent: Object.freeze({ pid: 1 }) })),
    );
    table.complete(parent);
    expect(table.complete(child).process?.parent?.entity_id).toBe('one');
    expect(child.process?.parent).toEqual({ pid: 1 });
  });

  test('the newest image of a pid is the parent, and its own earlier image is not its ancestor', () => {
    const table = new ProcessTable();
    table.complete(processDocument({ pid: 5, entity_id: 'init' }));
    table.complete(processDocument({ pid: 10, entity_id: 'before-exec', parent: { pid: 5 } }));
    table.complete(processDocument({ pid: 10, entity_id: 'after-exec', parent: { pid: 5 } }));
    const child = table.complete(processDocument({ pid: 11, entity_id: 'child', parent: { pid: 10 } }));
    expect(child.process?.Ext?.ancestry).toEqual(['after-exec', 'init']);
  });

  test('a parent that the sensor named by identity wins over its pid', () => {
    const table = new ProcessTable();
    table.complete(processDocument({ pid: 10, entity_id: 'first', name: 'first' }));
    table.complete(processDocument({ pid: 10, entity_id: 'second', name: 'second' }));
    const child = table.complete(
      processDocument({ pid: 11, entity_id: 'child', parent: { pid: 10, entity_id: 'first' } }),
    );
    expect(child.process?.parent?.name).toBe('first');
  });

  test('a pid that was given out again is no parent', () => {
    const table = new ProcessTable();
    table.complete(processDocument({ pid: 10, entity_id: 'new', start: '2026-01-01T00:00:09.000000Z' }));
    const child = table.complete(
      processDocument({
        pid: 11,
        entity_id: 'child',
        start: '2026-01-01T00:00:05.000000Z',
        parent: { pid: 10 },
      }),
    );
    expect(child.process?.parent).toEqual({ pid: 10 });
    expect(child.process?.Ext).toBeUndefined();
  });

  test('after its end a process is found by identity alone', () => {
    const table = new ProcessTable();
    table.complete(processDocument({ pid: 10, entity_id: 'gone', name: 'gone' }));
    table.complete(processDocument({ pid: 10, entity_id: 'gone' }, 'end'));
    const byPid = table.complete(processDocument({ pid: 11, entity_id: 'a', parent: { pid: 10 } }));
    const byId = table.complete(
      processDocument({ pid: 12, entity_id: 'b', parent: { pid: 10, entity_id: 'gone' } }),
    );
    expect(byPid.process?.parent).toEqual({ pid: 10 });
    expect(byId.process?.parent?.name).toBe('gone');
  });

  test('a file event gets what is known of its process, its parent and the one responsible', () => {
    const table = new ProcessTable();
    table.complete(processDocument({ pid: 5, entity_id: 'terminal', name: 'Terminal', executable: '/T' }));
    table.complete(
      processDocument({ pid: 10, entity_id: 'shell', name: 'sh', command_line: 'sh x', parent: { pid: 5 } }),
    );
    const doc = table.complete({
      event: { category: ['file'], type: ['change'] },
      process: { pid: 10, entity_id: 'shell', Ext: { effective_parent: { entity_id: 'terminal' } } },
      Effective_process: { entity_id: 'terminal' },
      file: { path: '/x' },
    });
    expect(doc.process).toMatchObject({
      name: 'sh',
      command_line: 'sh x',
      parent: { pid: 5, name: 'Terminal' },
    });
    expect(doc.process?.Ext?.ancestry).toEqual(['terminal']);
    expect(doc.process?.Ext?.effective_parent).toEqual({
      entity_id: 'terminal',
      pid: 5,
      name: 'Terminal',
      executable: '/T',
    });
    expect(doc.Effective_process).toEqual({
      entity_id: 'terminal',
      pid: 5,
      name: 'Terminal',
      executable: '/T',
    });
  });

  test('one that is told beside an event is remembered, and takes the place of nobody', () => {
    const table = new ProcessTable();
    table.complete(processDocument({ pid: 10, entity_id: 'new', name: 'new', args: ['new', '-x'] }));
    table.know({ pid: 10, entity_id: 'old', name: 'old' });
    table.know({ pid: 10, entity_id: 'new', name: 'other' });
    table.know({ pid: 11, entity_id: 'alone', name: 'alone' });
    table.know({ name: 'nobody' });
    const parentOf = (parent: ProcessFields) =>
      table.complete(processDocument({ pid: 99, entity_id: 'child', parent })).process?.parent;
    expect(parentOf({ pid: 10, entity_id: 'old' })?.name).toBe('old');
    expect(parentOf({ pid: 10 })).toMatchObject({ name: 'new', args: ['new', '-x'] });
    expect(parentOf({ pid: 11 })?.name).toBe('alone');
  });

  test('an event without a process stays as it is', () => {
    const doc: EcsDocument = { event: { category: ['file'] }, file: { path: '/x' } };
    expect(new ProcessTable().complete(doc)).toBe(doc);
  });

  test('a process that calls itself its own ancestor ends the chain', () => {
    const table = new ProcessTable();
    table.complete(processDocument({ pid: 1, entity_id: 'a', parent: { pid: 2, entity_id: 'b' } }));
    table.complete(processDocument({ pid: 2, entity_id: 'b', parent: { pid: 1, entity_id: 'a' } }));
    const doc = table.complete(processDocument({ pid: 3, entity_id: 'c', parent: { pid: 1 } }));
    expect(doc.process?.Ext?.ancestry).toEqual(['a', 'b']);
  });

  test('forgets the least recently used, counts it, and keeps who is still asked for', () => {
    const table = new ProcessTable(100);
    table.complete(processDocument({ pid: 1, entity_id: 'launchd', name: 'launchd' }));
    for (let pid = 2; pid < 1_000; pid++)
      table.complete(processDocument({ pid, entity_id: `e${pid}`, parent: { pid: 1 } }));
    expect(table.size).toBe(100);
    expect(table.evicted).toBe(899);
    const last = table.complete(processDocument({ pid: 5_000, entity_id: 'last', parent: { pid: 1 } }));
    expect(last.process?.parent?.name).toBe('launchd');
  });

  test('forgets one for each that comes, however often the others are asked for', () => {
    const table = new ProcessTable(8);
    const known = new Set<string>();
    for (let pid = 1; pid < 500; pid++) {
      table.complete(processDocument({ pid, entity_id: `e${pid}` }));
      for (const back of [1, 3, 6]) table.complete({ event: {}, process: { pid: pid - back } });
      expect(table.size).toBe(Math.min(pid, 8));
    }
    for (let pid = 480; pid < 500; pid++)
      if (table.complete({ event: {}, process: { pid } }).process?.entity_id !== undefined)
        known.add(`e${pid}`);
    expect(known.size).toBe(8);
    expect(['e499', 'e498'].filter((id) => !known.has(id))).toEqual([]);
  });

  test('keeps a bounded part of huge arguments', () => {
    const table = new ProcessTable();
    const args = Array.from({ length: 1_000 }, () => 'y'.repeat(100));
    table.complete(
      processDocument({ pid: 1, entity_id: 'a', args, args_count: 1_000, command_line: args.join(' ') }),
    );
    const child = table.complete(processDocument({ pid: 2, entity_id: 'b', parent: { pid: 1 } }));
    expect(child.process?.parent?.args?.join(' ').length).toBeLessThanOrEqual(8_192);
    expect(child.process?.parent?.command_line?.length).toBeLessThanOrEqual(8_192);
    expect(child.process?.parent?.command_line).toContain(' … ');
    expect(child.process?.parent?.args_count).toBe(1_000);
  });
});

test('an exec names the images that the process ran before, as long as it is the same process', () => {
  const table = new ProcessTable();
  const of = (action: string, entity_id: string, executable: string, start = '2026-01-01T00:00:00.000Z') =>
    table.complete({
      event: { category: ['process'], type: ['start'], action },
      process: { pid: 7, entity_id, executable, start },
    }).process?.previous;
  expect(of('fork', 'forked', '/bin/zsh')).toBeUndefined();
  expect(of('exec', 'first', '/bin/sh')).toEqual([{ entity_id: 'forked', executable: '/bin/zsh' }]);
  expect(of('exec', 'second', '/usr/bin/curl')).toEqual([
    { entity_id: 'forked', executable: '/bin/zsh' },
    { entity_id: 'first', executable: '/bin/sh' },
  ]);
  // The pid was given out again.
  expect(of('exec', 'other', '/bin/ls', '2026-01-01T00:00:09.000Z')).toBeUndefined();
  for (let index = 0; index < 20; index++) of('exec', `again${index}`, '/bin/ls', '2026-01-01T00:00:09.000Z');
  expect(of('exec', 'last', '/bin/ls', '2026-01-01T00:00:09.000Z')).toHaveLength(8);
});

test('what a process does in its last image is joined with what it was before', () => {
  const table = new ProcessTable();
  const start = '2026-01-01T00:00:00.000Z';
  const began = (entity_id: string, executable: string) =>
    table.complete({
      event: { category: ['process'], type: ['start'], action: 'exec' },
      process: { pid: 7, entity_id, executable, start },
    });
  began('shell', '/bin/sh');
  began('crontab', '/usr/bin/crontab');
  const wrote = (entity_id: string) =>
    table.complete({ event: { category: ['file'], action: 'modification' }, process: { pid: 7, entity_id } });
  expect(wrote('crontab').process?.previous).toEqual([{ entity_id: 'shell', executable: '/bin/sh' }]);
  expect(wrote('shell').process?.previous).toBeUndefined();
});
