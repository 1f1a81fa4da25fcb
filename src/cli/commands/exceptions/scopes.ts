import type { Alert } from '../../../event/alert.js';
import type { CodeSignatureFields, EcsDocument } from '../../../event/document.js';
import type { NewException } from './edit.js';

/** One proposal: how much it hides, in words, and its conditions. */
export interface Scope {
  readonly says: string;
  readonly conditions: Pick<NewException, 'rules' | 'item' | 'process' | 'signer' | 'sha256'>;
}

/**
 * Three exceptions for an alert, the narrowest first: bound to the content, to the item, to the signer; where nobody has
 * signed it, to less. Undefined when the alert is a summary, which is about many things.
 */
export function scopesFor(alert: Alert): readonly Scope[] | undefined {
  const item = itemOf(alert.doc);
  if (item === undefined) return undefined;
  const rules = [alert.ruleId];
  return item.file?.path === undefined ? processScopes(item, rules) : fileScopes(item, item.file.path, rules);
}

/** The event that an alert is about: its file, else its last event. */
function itemOf({ launchwarden, Events }: EcsDocument): EcsDocument | undefined {
  const alert = launchwarden?.['alert'] as { kind?: unknown; file_event_id?: unknown } | undefined;
  const events = Array.isArray(Events) ? (Events as EcsDocument[]) : [];
  if (alert?.kind !== 'match') return undefined;
  return (
    events.find(({ event }) => event?.id !== undefined && event.id === alert.file_event_id) ?? events.at(-1)
  );
}

function fileScopes(item: EcsDocument, path: string, rules: readonly string[]): readonly Scope[] {
  const sha256 = item.file?.hash?.sha256;
  const here = `file.path: ${kqlText(path)}`;
  const signer = signerOf(item);
  const content: Scope =
    sha256 === undefined
      ? {
          says: 'this file with whatever content, since its content is not known',
          conditions: { rules, item: here },
        }
      : { says: 'this file with exactly this content', conditions: { rules, item: here, sha256 } };
  if (signer === undefined) {
    return [
      content,
      ...(sha256 === undefined
        ? []
        : [{ says: 'exactly this content under any path', conditions: { rules, sha256 } }]),
      {
        says: 'this file with whatever content; nobody has signed what it runs',
        conditions: { rules, item: here },
      },
    ];
  }
  const { teamId, signingId } = signer;
  return [
    content,
    {
      says: `this file with any content, as long as it is signed by team ${teamId}${signingId === undefined ? '' : ` as ${signingId}`}`,
      conditions: { rules, item: here, signer },
    },
    { says: `everything that is signed by team ${teamId}`, conditions: { rules, signer: { teamId } } },
  ];
}

function processScopes({ process }: EcsDocument, rules: readonly string[]): readonly Scope[] {
  const { executable, args, code_signature: signature } = process ?? {};
  if (executable === undefined) return [];
  const program = `process.executable: ${kqlText(executable)}`;
  const same = (args ?? []).map((one) => `process.args: ${kqlText(one)}`);
  const signer = trustedSigner(signature);
  const exact = [program, ...same].join(' and ');
  const scopes: Scope[] = [
    {
      says: 'this program with these arguments',
      conditions: { rules, item: exact, ...(signer && { signer }) },
    },
    {
      says: 'this program with any arguments',
      conditions: { rules, item: program, ...(signer && { signer }) },
    },
  ];
  if (signer !== undefined)
    scopes.push({
      says: `every program that is signed by team ${signer.teamId}`,
      conditions: { rules, signer: { teamId: signer.teamId } },
    });
  return scopes;
}

function signerOf(item: EcsDocument) {
  return (
    trustedSigner(item.launchwarden?.plist?.code_signature) ?? trustedSigner(item.process?.code_signature)
  );
}

function trustedSigner(signature: CodeSignatureFields | undefined) {
  const { trusted, team_id: teamId, signing_id: signingId } = signature ?? {};
  if (trusted !== true || teamId === undefined || !/^[A-Z0-9]{10}$/.test(teamId)) return undefined;
  return { teamId, ...(signingId === undefined ? {} : { signingId }) };
}

/** A quoted text of KQL: it stands for itself, wildcards included. */
function kqlText(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
