import type { ProveSystem } from './system.js';

export const sfltool = '/usr/bin/sfltool';
const jobLabel = 'com.launchwarden.agent';

/** What the system's list of background items says of the installed job: fields by name; undefined when it is not listed. */
export async function ourBackgroundItem(
  system: ProveSystem,
): Promise<{ readonly fields: ReadonlyMap<string, string>; readonly lines: readonly string[] } | undefined> {
  const { stdout } = await system.run(sfltool, ['dumpbtm'], { mostBytes: 32 * 1024 * 1024 });
  for (const block of stdout.split(/\n(?=\s*#\d+:)/)) {
    const lines = block.split('\n').map((line) => line.trim());
    const fields = new Map<string, string>();
    for (const line of lines) {
      const [, name = '', value = ''] = /^([A-Z][\w ]{1,40}): (.*)$/.exec(line) ?? [];
      if (name !== '') fields.set(name, value);
    }
    // An item of an older kind has a number before its label.
    if (/^(?:\d+\.)?com\.launchwarden\.agent$/.test(fields.get('Identifier') ?? ''))
      return { fields, lines: lines.filter((line) => line !== '') };
  }
  return undefined;
}

export const notListed = `${jobLabel} is not among the background items: run "launchwarden install" first`;
