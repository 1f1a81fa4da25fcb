import { parseTime } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';
import type { Story } from '../../../event/story.js';
import { fileEventOf, type Subject } from '../../../respond/investigate/index.js';
import { safe } from '../../output/output.js';
import { at, textAt } from '../../output/read.js';

/** A file whose birth and change lie no further apart is new, microseconds. */
const atOnce = 2e6;

/** What happened to the file of an alert, in the words of a reader: Elastic calls a new file modified, too. */
export function happenedTo({ doc }: Pick<Alert, 'doc'>, story: Story | undefined): string {
  const event = fileEventOf(doc);
  const id = textAt(event, 'event.id');
  const action = textAt(event, 'event.action') ?? textAt(doc, 'event.action');
  const stage = story?.steps.find((step) => step.event === id && step.stage !== 'loaded')?.stage;
  if (action === 'deletion') return 'removed';
  if (stage === 'written') return 'created';
  if (stage === 'back') return 'put back';
  if (stage === 'changed') return 'changed';
  if (action === 'rename') return 'moved there';
  const [created, changed] = ['created', 'ctime'].map((name) => parseTime(at(event, `file.${name}`))?.time);
  const isNew = created !== undefined && changed !== undefined && Math.abs(changed - created) <= atOnce;
  return action === 'creation' || isNew ? 'created' : 'changed';
}

/** `A launch agent was created and loaded: com.example.helper`; what the rule says where it is about no file. Safe. */
export function headline(alert: Alert, about: Subject, story: Story | undefined): string {
  const { doc } = alert;
  if (about.path === undefined || textAt(doc, 'launchwarden.alert.kind') === 'summary')
    return textAt(doc, 'event.reason') ?? safe(alert.ruleName) ?? '';
  const verbs = at(doc, 'file') === undefined ? [] : [happenedTo(alert, story)];
  if (textAt(doc, 'launchwarden.launchctl.effect') === 'load' || at(doc, 'launchwarden.job') !== undefined)
    verbs.push('loaded');
  const article = /^[aeiou]/i.test(about.kind) ? 'An' : 'A';
  const label = about.labels[0];
  return `${article} ${about.kind} was ${verbs.length === 0 ? 'seen' : verbs.join(' and ')}${label === undefined ? '' : `: ${safe(label)}`}`;
}
