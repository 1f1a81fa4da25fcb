import type { ToolAnswer } from '../../../src/base/tool.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import type { RunLaunchctl } from '../../../src/sensors/launchd-state/index.js';

/** A launchd that a test loads jobs into, answering as `launchctl print` does (reference/macos.md 6.2, UNPROVEN). */
export class FakeLaunchd {
  readonly loaded = new Map<string, string>();
  readonly asked: string[] = [];
  /** Domains that exist besides `system`. */
  readonly sessions = new Set<string>();
  mute = false;

  load(target: string, plistPath = '/Library/LaunchAgents/x.plist'): void {
    this.loaded.set(target, plistPath);
  }

  readonly run: RunLaunchctl = async (args) => {
    const target = args[1] ?? '';
    this.asked.push(args.join(' '));
    if (this.mute) return { status: 0, stdout: '', stderr: '' };
    return target === 'system' || /^gui\/\d+$/.test(target) ? this.#domain(target) : this.#service(target);
  };

  #domain(domain: string): ToolAnswer {
    if (domain !== 'system' && !this.sessions.has(domain))
      return { status: 113, stdout: '', stderr: 'Bad request.\nCould not find domain\n' };
    const labels = [...this.loaded.keys()].filter((target) => target.startsWith(`${domain}/`));
    const services = labels.map((target) => `\t\t     0      - \t${target.slice(domain.length + 1)}`);
    const other = [...this.sessions].map((session) => `\t\t${session}`);
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
    const path = this.loaded.get(target);
    if (path === undefined)
      return { status: 113, stdout: '', stderr: 'Bad request.\nCould not find service "x" in domain\n' };
    return { status: 0, stdout: servicePrint(target, path), stderr: '' };
  }
}

export function servicePrint(target: string, plistPath: string): string {
  return `${target} = {
	active count = 1
	path = ${plistPath}
	type = LaunchAgent
	state = running

	program = /private/tmp/evil
	arguments = {
		/private/tmp/evil
		-x
	}

	domain = gui/501 [100003]
	runs = 1
	pid = 4711
	last exit code = (never exited)
	spawn type = daemon (3)
	event triggers = {
		state = nested
		path = /nested
	}
}
`;
}

let count = 0;

/** A file event as enrichment leaves it. */
export function written(macPath: string, label: string | undefined, time: number): Event {
  const id = `event-${count++}`;
  const doc: EcsDocument = {
    event: { id, category: ['file'], type: ['change'], action: 'modification' },
    file: { path: macPath, type: 'file' },
    ...(label === undefined ? {} : { launchwarden: { plist: { label } } }),
  };
  return { id, time, nanos: 0, sequence: 0, doc };
}
