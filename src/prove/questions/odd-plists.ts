import { readPlist } from '../../base/plist/index.js';
import { launchItem } from '../../mechanisms/launch-item.js';
import { askLaunchd, loadItem, newLabel } from '../launch-item.js';
import { launchctl, launchPlist } from '../launch-job.js';
import { judged, type Question } from '../question.js';

/** Odd forms of one job description. */
const forms: Readonly<Record<string, (label: string) => Uint8Array>> = {
  plain: (label) => Buffer.from(job(label)),
  'UTF-16 with a byte order mark': (label) =>
    Buffer.from(`\ufeff${job(label).replace('UTF-8', 'UTF-16')}`, 'utf16le'),
  'UTF-8 with a byte order mark': (label) => Buffer.from(`\ufeff${job(label)}`),
  'no header': (label) => Buffer.from(job(label).replace(/^[\s\S]*?(?=<plist)/, '')),
  'text behind the end': (label) => Buffer.from(`${job(label)}trailing text`),
  'a key twice': (label) =>
    Buffer.from(job(`${label}.first`).replace('</dict>', `<key>Label</key><string>${label}</string></dict>`)),
  OpenStep: (label) => Buffer.from(`{ Label = "${label}"; ProgramArguments = ( "/usr/bin/true" ); }\n`),
  JSON: (label) => Buffer.from(JSON.stringify({ Label: label, ProgramArguments: ['/usr/bin/true'] })),
  'a key in another case': (label) => Buffer.from(job(label).replace('<key>Label', '<key>label')),
  'a CDATA section': (label) => Buffer.from(job(label).replace(label, `<![CDATA[${label}]]>`)),
};

export const oddPlists: Question = {
  name: 'odd-plists',
  asks: 'Which odd property lists does launchd take, and do we read the same label in them?',
  expected: 'whatever launchd loads, we read with the label under which it was loaded',
  needs: ['root'],
  programs: [launchctl],
  async ask(system) {
    const folder = system.folder();
    const details: string[] = [];
    const wrong: string[] = [];
    let taken = 0;
    for (const [form, make] of Object.entries(forms)) {
      const label = newLabel();
      const content = make(label);
      await loadItem(system, { label, content, folder });
      const loaded: string[] = [];
      for (const one of [label, `${label}.first`])
        if ((await askLaunchd(system, one)).answer.state === 'loaded') loaded.push(one);
      const read = labelsIn(content);
      const same = loaded.every((one) => read.includes(one));
      if (loaded.length > 0) taken++;
      if (!same) wrong.push(form);
      details.push(
        `${form}: ${loaded.length === 0 ? 'not loaded' : `loaded as ${loaded.join(' and ')}`}; read as ${read.join(' and ') || 'nothing'}`,
      );
    }
    const count = details.length;
    return judged(
      wrong.length === 0 && taken > 0,
      `${taken} of ${count} were loaded; ${wrong.length === 0 ? 'each was read alike' : `read otherwise: ${wrong.join(', ')}`}`,
      details,
    );
  },
};

function job(label: string): string {
  return launchPlist({ Label: label, ProgramArguments: ['/usr/bin/true'] });
}

function labelsIn(content: Uint8Array): string[] {
  const read = readPlist(content);
  const fields = read.ok ? launchItem(read.value, { repeated: read.repeated })?.fields : undefined;
  return [fields?.label, ...(fields?.other_labels ?? [])].filter((one) => one !== undefined);
}
