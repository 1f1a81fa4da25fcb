import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * A stand-in for /bin/launchctl at `program`, a program of its own: it takes job descriptions in XML, runs what they say
 * once, and answers `print` in the shape of macOS 13. What is loaded stands in a file beside it.
 */
export function standInLaunchctlProgram(program: string): { readonly loaded: () => readonly string[] } {
  const state = `${program}.state`;
  const text = `#!${process.execPath}
const fs = require('node:fs');
const [verb, target = '', file = target] = process.argv.slice(2);
const jobs = JSON.parse(fs.readFileSync(${JSON.stringify(state)}, 'utf8'));
const save = () => {
  fs.writeFileSync(${JSON.stringify(`${state}.new`)}, JSON.stringify(jobs));
  fs.renameSync(${JSON.stringify(`${state}.new`)}, ${JSON.stringify(state)});
};
const end = (status, text) => { process.stderr.write(text + '\\n'); process.exit(status); };
const plain = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
const kill = (pid) => { if (pid > 1) try { process.kill(pid, 'SIGKILL'); } catch {} };
if (verb === 'bootstrap' || verb === 'load') {
  const content = fs.readFileSync(file, 'utf8');
  const text = (key) => plain(new RegExp('<key>' + key + '</key><string>([^<]*)</string>').exec(content)?.[1] ?? '');
  const label = text('Label');
  if (label === '' || label.includes('\\n')) end(5, 'Bootstrap failed: 5: Input/output error');
  const args = [...(/<key>ProgramArguments<.key><array>(.*?)<.array>/s.exec(content)?.[1] ?? '').matchAll(/<string>([^<]*)<.string>/gs)].map((one) => plain(one[1]));
  let pid = 0;
  if (content.includes('<key>RunAtLoad</key><true/>')) {
    const output = text('StandardOutPath');
    const stdout = output === '' ? 'ignore' : fs.openSync(output, 'a');
    const child = require('node:child_process').spawn(args[0], args.slice(1), { detached: true, stdio: ['ignore', stdout, 'ignore'] });
    pid = child.pid;
    child.unref();
  }
  jobs[label] = { file, pid };
  save();
  process.exit(0);
}
if (verb === 'bootout') {
  const label = Object.keys(jobs).find((one) => target + '/' + one === file || jobs[one].file === file || 'system/' + one === target);
  if (label === undefined) end(3, 'Boot-out failed: 3: No such process');
  kill(jobs[label].pid);
  delete jobs[label];
  save();
  process.exit(0);
}
const [, domain, label] = /^(system|(?:gui|user)\\/\\d+)(?:\\/(.*))?$/s.exec(target) ?? [];
if (domain !== 'system') end(112, 'Could not find domain for ' + target);
if (label === undefined) {
  const rows = Object.keys(jobs).map((one) => '\\t\\t' + String(jobs[one].pid).padStart(8) + '      - \\t' + one + '\\n');
  process.stdout.write('system = {\\n\\tservices = {\\n' + rows.join('') + '\\t}\\n}\\n');
  process.exit(0);
}
if (jobs[label] === undefined) end(113, 'Could not find service');
const { file: source, pid } = jobs[label];
process.stdout.write(target + ' = {\\n\\tpath = ' + source + '\\n\\tstate = running\\n\\tspawn type = interactive (4)\\n' + (pid > 0 ? '\\tpid = ' + pid + '\\n' : '') + '}\\n');
`;
  mkdirSync(path.dirname(program), { recursive: true });
  // One that runs cannot be written over (ETXTBSY).
  writeFileSync(`${program}.new`, text);
  chmodSync(`${program}.new`, 0o755);
  renameSync(`${program}.new`, program);
  writeFileSync(state, '{}');
  return { loaded: () => Object.keys(JSON.parse(readFileSync(state, 'utf8')) as object) };
}
