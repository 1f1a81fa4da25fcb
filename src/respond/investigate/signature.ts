import type { CodeSignatureFields } from '../../event/document.js';
import type { AnswerMark } from '../../event/investigation.js';
import { defineStep, fact, gravest, point } from './answer.js';
import type { Case, Known } from './case.js';
import { codePart, type SignedPart } from './signed-parts.js';

interface Part extends SignedPart {
  readonly signature: Known<CodeSignatureFields>;
  /** What Gatekeeper says of it. */
  readonly assessment: Known<string>;
}

interface Facts {
  readonly parts: readonly Part[];
  /** As the agent found it when the alert was made. */
  readonly earlier: CodeSignatureFields | undefined;
  readonly interpreted: boolean;
}

const spctl = '/usr/sbin/spctl';

export const signature = defineStep<Facts>({
  name: 'signature',
  question: 'Who signed the program, and has Apple notarised it?',
  async read(from) {
    const { about, alert, tools } = from;
    const parts = await Promise.all(
      codePart(about).map(async (part): Promise<Part> => {
        const [signed, assessment] = await Promise.all([tools.signature(part.path), assess(from, part)]);
        return { ...part, signature: signed, assessment };
      }),
    );
    const { program, runs, ownCode } = about;
    return {
      parts,
      earlier: alert.doc.launchwarden?.plist?.code_signature,
      interpreted:
        program !== undefined &&
        /^\/(?:bin|usr\/bin)\//.test(program) &&
        (runs.length > 1 || ownCode.length > 0),
    };
  },
  says({ parts, earlier, interpreted }, { about }) {
    if (parts.length === 0) return { mark: 'neutral', says: 'It names no program that could be signed.' };
    const judged = parts.map((part) => ({
      part,
      ...judge('value' in part.signature ? part.signature.value : earlier),
    }));
    const first = judged[0];
    const notarised = parts.some(
      ({ assessment }) => 'value' in assessment && /notarized/i.test(assessment.value),
    );
    return {
      mark: gravest(
        [...judged.map(({ mark }) => mark), interpreted ? 'notable' : undefined],
        judged.every(({ mark }) => mark === 'reassuring') ? 'reassuring' : 'unknown',
      ),
      says: `${first?.part.what ?? 'The program'} ${first?.words ?? 'could not be judged'}${notarised ? ', and notarised by Apple' : ''}.`,
      points: [
        ...judged.slice(1).map(({ part, mark, words }) => point(mark, `${part.what} ${words}.`)),
        interpreted
          ? point(
              'notable',
              `${about.program ?? 'The program'} is an interpreter or a tool of macOS: who signed that says nothing about what it is given to run.`,
            )
          : undefined,
      ],
      facts: parts.flatMap((part) => {
        const code = 'value' in part.signature ? part.signature.value : undefined;
        return [
          fact(part.what, part.path),
          fact('signing id', code?.signing_id),
          fact('team', code?.team_id),
          fact('signer', code?.subject_name),
          fact('status', code?.status),
          'value' in part.assessment ? fact('Gatekeeper', part.assessment.value) : undefined,
        ];
      }),
      unknown: parts.flatMap((part) => [
        'why' in part.signature ? `who signed ${part.path} now: ${part.signature.why}` : undefined,
        'why' in part.assessment ? `whether ${part.path} is notarised: ${part.assessment.why}` : undefined,
      ]),
    };
  },
});

/** Words that follow the name of the part. */
export function judge(code: CodeSignatureFields | undefined): {
  readonly mark: AnswerMark;
  readonly words: string;
} {
  if (code === undefined) return { mark: 'unknown', words: 'could not be checked' };
  if (code.exists === false) return { mark: 'notable', words: 'is not signed' };
  const who = code.subject_name ?? code.team_id ?? code.signing_id;
  if (code.trusted === true) {
    const isApple = code.signing_id?.startsWith('com.apple.') === true && code.team_id === undefined;
    return {
      mark: 'reassuring',
      words: isApple ? 'is signed by Apple' : `is signed by ${who ?? 'somebody Apple knows'}`,
    };
  }
  if (code.status === 'ad hoc')
    return { mark: 'notable', words: 'is signed by nobody: the signature is ad hoc' };
  if (code.trusted === false)
    return {
      mark: 'worrying',
      words: `has a signature that is not valid, or not trusted${code.status === undefined ? '' : `: ${code.status}`}`,
    };
  return {
    mark: 'unknown',
    words: `could not be checked${code.status === undefined ? '' : `: ${code.status}`}`,
  };
}

/** What `spctl --assess` says: `source=Notarized Developer ID`. */
async function assess({ tools }: Case, { path, isApp }: SignedPart): Promise<Known<string>> {
  const answer = await tools.run(spctl, [
    '--assess',
    '--type',
    isApp ? 'execute' : 'install',
    '--verbose=2',
    '--',
    path,
  ]);
  if ('why' in answer) return answer;
  const { status, stdout, stderr } = answer.value;
  if (status === null) return { why: 'spctl gave no answer in time' };
  const source = /^source=(.{1,200})$/m.exec(`${stderr}\n${stdout}`)?.[1];
  return { value: `${status === 0 ? 'accepted' : 'rejected'}${source === undefined ? '' : `: ${source}`}` };
}
