import type { TierName } from './evasion.js';

const begin = Date.parse('2026-11-22T09:00:00Z');

function common(tier: TierName, seconds: number, category: 'file' | 'process', sensor: string) {
  return {
    '@timestamp': new Date(begin + seconds * 1000).toISOString(),
    ecs: { version: '8.11.0' },
    host: { id: 'mac-1', os: { type: 'macos' } },
    data_stream: { type: 'logs', dataset: `endpoint.events.${category}`, namespace: 'default' },
    launchwarden: { sensor: { kind: tier === 'eslogger' ? 'eslogger' : sensor, precision: 'exact' } },
  };
}

/** A launch item that was written, as the sensors of a tier report it; `seconds` after the capture began. */
export function fileDocument(tier: TierName, seconds: number, path: string): object {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const base = common(tier, seconds, 'file', 'file-watch');
  return {
    ...base,
    event: {
      id: `file ${path}`,
      category: ['file'],
      type: ['change'],
      action: 'modification',
      kind: 'event',
    },
    file: {
      path,
      name,
      extension: 'plist',
      type: 'file',
      mode: '0644',
      uid: '501',
      inode: String(path.length),
    },
    launchwarden: {
      ...base.launchwarden,
      plist: { format: 'xml', label: name.slice(0, -6), run_at_load: true },
    },
  };
}

/** `launchctl load`. `shift`: seconds by which the wall clock had been set forward since the boot. */
export function loadDocument(tier: TierName, seconds: number, path: string, shift = 0): object {
  const base = common(tier, seconds, 'process', 'process-scan');
  return {
    ...base,
    event: { id: `load ${path}`, category: ['process'], type: ['start'], action: 'exec', kind: 'event' },
    process: {
      name: 'launchctl',
      executable: '/bin/launchctl',
      pid: 501,
      entity_id: 'launchctl',
      args: ['launchctl', 'load', path],
      args_count: 3,
      command_line: `launchctl load ${path}`,
    },
    launchwarden: {
      ...base.launchwarden,
      ...(shift === 0 ? {} : { clock: { shift: shift * 1_000_000 } }),
    },
  };
}
