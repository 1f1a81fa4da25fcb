import { explainExit, readEsloggerLine } from '../../sensors/eslogger/index.js';
import { judged, notAsked, type Question } from '../question.js';

const eslogger = '/usr/bin/eslogger';
const event = 'bootstrap_check_in';
const [startMs, limitMs] = [1_500, 60_000];
const enough = 3;
const maxSample = 1_500;

export const checkIn: Question = {
  name: 'check-in',
  asks: 'How does a system since macOS 27 tell that a launchd job begins to serve?',
  expected: `eslogger knows ${event}, and each of its messages is read with the name of the service`,
  needs: ['root'],
  programs: [eslogger],
  async ask(system) {
    const known = (await system.run(eslogger, ['--list-events'])).stdout.split(/\s+/);
    if (!known.includes(event))
      return notAsked(`this eslogger does not know ${event}: it came with macOS 27`);
    const samples: string[] = [];
    let seen = 0;
    let named = 0;
    let rest = '';
    const child = system.start(eslogger, ['--format', 'json', event], {
      onData: (chunk) => {
        const lines = (rest + chunk.toString('utf8')).split('\n');
        rest = (lines.pop() ?? '').slice(0, 1024 * 1024);
        for (const line of lines.slice(0, 1_000)) {
          const read = readEsloggerLine(line);
          const service = read.ok ? read.message.service : undefined;
          seen++;
          if (service !== undefined) named++;
          if (samples.length < enough) samples.push(service ?? line.slice(0, maxSample));
        }
      },
    });
    await system.wait(startMs);
    if (child.ended()) {
      const { message, hint } = explainExit({ errorText: child.errorText(), code: null, signal: null });
      return notAsked(`${message}: ${hint}`);
    }
    const end = system.monotonic() + limitMs;
    while (seen < enough && system.monotonic() < end) await system.wait(100);
    await child.stop();
    if (seen === 0)
      return notAsked(
        `no job began to serve within ${limitMs / 1_000} s: open an application, and ask again`,
      );
    return judged(named === seen, `${named} of ${seen} messages read with the name of a service`, samples);
  },
};
