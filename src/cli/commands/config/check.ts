import type { Problem } from '../../../agent/preflight.js';
import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { thisSystem } from '../../../install/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';

/** Problems of the file itself as one; further ones need its values. */
async function problemsOf(context: CommandContext): Promise<Problem[]> {
  try {
    const settings = await context.settings();
    const { preflight } = await import('../../../agent/preflight.js');
    const system = context.io.system ?? thisSystem();
    return await preflight({ settings, system, version: context.version, asRoot: system.uid === 0 });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const all = Array.isArray(error.cause) ? (error.cause as UserError[]) : [error];
    return all.map(({ code, message, hint, at }) => ({
      stops: true,
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(at === undefined ? {} : { at }),
    }));
  }
}

/** `file:line:column: `, or nothing. */
function whereOf({ at }: Problem): string {
  const parts = [at?.file, at?.line, at?.column].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : `${safe(parts.join(':'))}: `;
}

export const configCheck = defineCommand({
  description:
    'Looks at the configuration and at all that it names as "install" and "run" do: keys, owners and modes, rules, exceptions,\n' +
    'secrets and certificates. Tells everything at once; nothing is written or connected to. Exit code 1 when anything is wrong.',
  options: { json: flag('--json', 'one JSON document a problem (NDJSON)') },
  examples: [
    { line: 'sudo launchwarden config check', says: 'before the agent is installed or started again' },
    { line: 'launchwarden config check --config new.toml', says: 'a file that is not in force yet' },
  ],
  needs: 'the rights that the agent will have (sudo): what only root may read is a problem otherwise',
  async handler({ context, options }) {
    const { out } = context;
    const problems = await problemsOf(context);
    if (options.json) {
      for (const { stops, code, message, hint, at } of problems)
        out.document('problem/1', {
          severity: stops ? 'error' : 'parked',
          code,
          message,
          hint: hint ?? null,
          file: at?.file ?? null,
          line: at?.line ?? null,
          column: at?.column ?? null,
        });
      return problems.length === 0 ? ExitCode.ok : ExitCode.checkFailed;
    }
    for (const problem of problems) {
      const word = problem.stops ? out.style('red', 'stops ') : out.style('yellow', 'parked');
      out.line(`${word}  ${whereOf(problem)}${safe(problem.message)} [${problem.code}]`);
      if (problem.hint !== undefined) out.line(`        ${safe(problem.hint)}`);
    }
    const stopping = problems.filter(({ stops }) => stops).length;
    const parked = problems.length - stopping;
    if (problems.length === 0) out.line('The configuration is sound.');
    else
      out.line(
        `${stopping === 0 ? 'An agent starts' : things(stopping, 'problem keeps an agent from starting', 'problems keep an agent from starting')}${parked === 0 ? '' : `; ${things(parked, 'part is parked: the agent runs without it', 'parts are parked: the agent runs without them')}`}.`,
      );
    return problems.length === 0 ? ExitCode.ok : ExitCode.checkFailed;
  },
});
