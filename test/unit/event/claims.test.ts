import { beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, typesOf } from '../../../src/event/claims.js';
import type { SensorKind } from '../../../src/event/event.js';
import { lookupField } from '../../../src/event/fields.js';
import { recordedDocuments } from '../../helpers/recorded-documents.js';

/** What depends on the machine that the test runs on. */
const machine = /^host\./;

let types: ReadonlyMap<string, ReadonlySet<string>>;
let recorded: ReadonlyMap<SensorKind, ReadonlyMap<string, ReadonlySet<string>>>;

function addFields(value: unknown, at: string, into: Set<string>): void {
  if (Array.isArray(value)) {
    if (value.length === 0) into.add(at);
    for (const one of value) addFields(one, at, into);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, one] of Object.entries(value)) addFields(one, at === '' ? name : `${at}.${name}`, into);
  } else if (value !== undefined) into.add(at);
}

beforeAll(async () => {
  const found = new Map<SensorKind, Map<string, Set<string>>>();
  const foundTypes = new Map<string, Set<string>>();
  types = foundTypes;
  for (const { kind, docs } of await recordedDocuments()) {
    const events = new Map<string, Set<string>>();
    found.set(kind, events);
    for (const doc of docs) {
      const event = `${doc.event?.category?.[0]} ${doc.event?.action}`;
      const fields = events.get(event) ?? new Set<string>();
      events.set(event, fields);
      addFields(doc, '', fields);
      foundTypes.set(event, (foundTypes.get(event) ?? new Set()).add(JSON.stringify(doc.event?.type)));
    }
  }
  recorded = found;
});

const kinds: readonly SensorKind[] = [
  ...(['endpoint-security', 'eslogger', 'process-scan', 'file-watch', 'launchd-state'] as const),
];

describe.each(kinds)('what is said of %s', (kind) => {
  const difference = (some: Iterable<string> | undefined, others: ReadonlySet<string> | undefined) =>
    [...(some ?? [])].filter((one) => others?.has(one) !== true && !machine.test(one)).sort();

  test('are the events that it makes', () => {
    expect([...claimsOf(kind).keys()].sort()).toEqual([...(recorded.get(kind)?.keys() ?? [])].sort());
  });

  test('are the fields that its events carry, each of them, and no other', () => {
    for (const [event, claimed] of claimsOf(kind)) {
      const filled = recorded.get(kind)?.get(event);
      expect({ event, neverFilled: difference(claimed, filled) }).toEqual({ event, neverFilled: [] });
      expect({ event, notClaimed: difference(filled, claimed) }).toEqual({ event, notClaimed: [] });
    }
  });

  test('are fields of the registry', () => {
    for (const [event, claimed] of claimsOf(kind))
      expect({ event, unknown: [...claimed].filter((name) => lookupField(name) === undefined) }).toEqual({
        event,
        unknown: [],
      });
  });
});

test('the types of events are those that their documents have', () => {
  for (const [event, found] of types)
    expect({ event, types: [...found] }).toEqual({ event, types: [JSON.stringify(typesOf(event))] });
});
