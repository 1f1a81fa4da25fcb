import type { ToolAnswer } from '../../../src/base/tool.js';
import type { EcsDocument, LaunchwardenFields } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import type { RunLaunchctl } from '../../../src/sensors/launchd-state/index.js';

/** A launchd that a test loads jobs into, answering as `launchctl print` does (reference/macos.md 6.2, UNPROVEN). */
export class FakeLaunchd {
  readonly loaded = new Map<string, string>();
  readonly asked: string[] = [];
  /** Domains that exist besides `system`. */
  readonly sessions = new Set<string>();
  /** Sessions that `print system` names besides those of `gui/`. */
  readonly named = new Set<string>();
  program = '/private/tmp/evil';
  mute = false;

  /** Without a path: from the file that is named after the label. */
  load(target: string, plistPath?: string): void {
    const [, domain = '', label = ''] = /^(system|\w+\/\d+)\/([\s\S]*)$/.exec(target) ?? [];
    const folder = domain === 'system' ? 'LaunchDaemons' : 'LaunchAgents';
    this.loaded.set(target, plistPath ?? `/Library/${folder}/${label}.plist`);
    this.pids.set(target, this.nextPid++);
  }

  readonly pids = new Map<string, number>();
  nextPid = 4711;

  readonly run: RunLaunchctl = async (args) => {
    const target = args[1] ?? '';
    this.asked.push(args.join(' '));
    if (this.mute) return { status: 0, stdout: '', stderr: '' };
    return target === 'system' || /^(?:gui|user)\/\d+$/.test(target)
      ? this.#domain(target)
      : this.#service(target);
  };

  #domain(domain: string): ToolAnswer {
    if (domain !== 'system' && !this.sessions.has(domain))
      return { status: 112, stdout: '', stderr: 'Bad request.\nCould not find domain\n' };
    const labels = [...this.loaded.keys()].filter((target) => target.startsWith(`${domain}/`));
    const services = labels.map(
      (target) => `\t\t  ${this.pids.get(target) ?? 0}      - \t${target.slice(domain.length + 1)}`,
    );
    const other = [...new Set([...this.sessions, ...this.named])].map((session) => `\t\t${session}`);
    const text = [
      `${domain} = {`,
      '\ttype = system',
      '\tsubdomains = {',
      ...other,
      '\t}',
      '\tservices = {',
      ...services,
      '\t}',
      '}',
    ];
    return { status: 0, stdout: `${text.join('\n')}\n`, stderr: '' };
  }

  #service(target: string): ToolAnswer {
    const domain = /^(?:gui|user)\/\d+/.exec(target)?.[0];
    if (domain !== undefined && !this.sessions.has(domain)) return { status: 112, stdout: '', stderr: '' };
    const path = this.loaded.get(target);
    if (path === undefined)
      return { status: 113, stdout: '', stderr: 'Bad request.\nCould not find service "x" in domain\n' };
    return {
      status: 0,
      stdout: servicePrint(target, path, { pid: this.pids.get(target), program: this.program }),
      stderr: '',
    };
  }
}

export function servicePrint(
  target: string,
  plistPath: string,
  { pid = 4711, program = '/private/tmp/evil' }: { pid?: number | undefined; program?: string } = {},
): string {
  return `${target} = {
	active count = 1
	path = ${plistPath}
	type = LaunchAgent
	state = running

	program = ${program}
	arguments = {
		/private/tmp/evil
		-x
	}

	domain = gui/501 [100003]
	runs = 1
	pid = ${pid}
	last exit code = (never exited)
	spawn type = daemon (3)
	event triggers = {
		state = nested
		path = /nested
	}
}
`;
}

/** The events about launch items that had changed, without those about whatever else launchd has. */
export function aboutChanged({ events }: { readonly events: readonly Event[] }): readonly Event[] {
  return events.filter(
    ({ doc }) =>
      doc.event?.action === 'loaded' &&
      doc.launchwarden?.sensor?.reason?.includes('had not changed just then') !== true,
  );
}

let count = 0;

/** A file event as enrichment leaves it. */
export function written(
  macPath: string,
  label: string | undefined,
  time: number,
  more: LaunchwardenFields = {},
): Event {
  const id = `event-${count++}`;
  const doc: EcsDocument = {
    event: { id, category: ['file'], type: ['change'], action: 'modification' },
    file: { path: macPath, type: 'file' },
    ...(label === undefined ? {} : { launchwarden: { ...more, plist: { label, ...more.plist } } }),
  };
  return { id, time, nanos: 0, sequence: 0, doc };
}
