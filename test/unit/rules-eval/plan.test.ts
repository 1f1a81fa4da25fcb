import { expect, test } from 'vitest';
import type { StepCondition } from '../../../src/rules/ast.js';
import { parseEql, parseKql } from '../../../src/rules/index.js';
import { planConditions } from '../../../src/rules/plan.js';

function eql(text: string): StepCondition {
  const parsed = parseEql(text);
  if (!('query' in parsed) || parsed.query.kind !== 'event') throw new Error(JSON.stringify(parsed));
  return parsed.query;
}

function kql(text: string): StepCondition {
  const parsed = parseKql(text);
  if (!('query' in parsed)) throw new Error(JSON.stringify(parsed));
  return { category: null, condition: parsed.query.condition };
}

/** Judged both ways: by the generated code and by walking the tree. */
function holds(condition: StepCondition, doc: Record<string, unknown>): boolean {
  const set = planConditions([condition]);
  const hits: number[] = [];
  set.match(doc, hits);
  expect(set.test(0, doc)).toBe(hits.length === 1);
  return hits.length === 1;
}

const file = (path: string, more: object = {}) => ({
  event: { category: ['file'], type: ['change'], action: 'modification' },
  host: { os: { type: 'macos' } },
  file: { path },
  ...more,
});

test('the two source rules as conditions', () => {
  const agent = eql(
    'file where host.os.type == "macos" and event.type != "deletion" and file.path : ("/System/Library/LaunchAgents/*", "/Library/LaunchAgents/*", "/Users/*/Library/LaunchAgents/*")',
  );
  expect(holds(agent, file('/Users/alice/Library/LaunchAgents/x.plist'))).toBe(true);
  expect(holds(agent, file('/users/alice/library/launchagents/x.plist'))).toBe(true);
  expect(holds(agent, file('/Library/LaunchDaemons/x.plist'))).toBe(false);
  const plugin = kql(
    'event.category:file and host.os.type:macos and not event.type:deletion and file.path:/Library/DirectoryServices/PlugIns/*.dsplug',
  );
  expect(holds(plugin, file('/Library/DirectoryServices/PlugIns/X.dsplug'))).toBe(true);
  expect(holds(plugin, file('/Library/DirectoryServices/PlugIns/X.DSPLUG'))).toBe(false);
  expect(
    holds(
      plugin,
      file('/Library/DirectoryServices/PlugIns/X.dsplug', { event: { category: 'file', type: 'deletion' } }),
    ),
  ).toBe(false);
});
