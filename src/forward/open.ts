import type { Clock } from '../base/clock.js';
import { messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Destination } from './destination.js';
import type { Target } from './forwarder.js';
import { type DestinationOptions, destinationName } from './options.js';
import { redacted, withoutSecrets } from './redacted.js';
import { filesOf, SetUpDestination } from './set-up.js';

export interface OpenContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** Version of the program, told to receivers. */
  readonly version: string;
  /** The tree of `--root`: what is shown on a desktop is shown by the stand-ins there. */
  readonly root?: string | undefined;
}

async function create(
  options: DestinationOptions,
  context: OpenContext,
  attempt: number,
): Promise<Destination> {
  try {
    return redacted(await make(options, context, attempt));
  } catch (error) {
    throw withoutSecrets(error);
  }
}

/** Each kind is loaded when it is used: a Mac that writes a file needs no HTTP client. */
async function make(
  options: DestinationOptions,
  context: OpenContext,
  attempt: number,
): Promise<Destination> {
  const name = destinationName(options);
  const { clock, version } = context;
  switch (options.type) {
    case 'file':
      return new (await import('./file/file.js')).FileDestination(name, options, clock);
    case 'elasticsearch':
      return (await import('./elasticsearch/elasticsearch.js')).ElasticsearchDestination.open(
        name,
        options,
        clock,
      );
    case 'splunk':
      return (await import('./splunk/splunk.js')).SplunkDestination.open(name, options, clock);
    case 'syslog':
      return (await import('./syslog/syslog.js')).SyslogDestination.open(name, options, version);
    case 'webhook':
      return (await import('./webhook/webhook.js')).WebhookDestination.open(name, options, clock);
    case 'otlp':
      return (await import('./otlp/otlp.js')).OtlpDestination.open(name, options, context);
    case 'kafka':
      return (await import('./kafka/kafka.js')).KafkaDestination.open(name, options);
    case 'notification':
      return (await import('./notification/notification.js')).NotificationDestination.open(
        name,
        options,
        context,
      );
    case 'module':
      return (await import('./module/module.js')).openModule(name, options, { version, attempt });
  }
}

/** Makes one destination by itself, for `forward test`. Throws a UserError when it cannot be set up. */
export function openDestination(options: DestinationOptions, context: OpenContext): Promise<Destination> {
  return create(options, context, 0);
}

/**
 * The destinations of the configuration, none of them open yet: each is set up by its own drain, so that one that cannot be
 * keeps neither the agent nor another destination waiting. Throws a UserError for two of one name.
 */
export async function openTargets(
  all: readonly DestinationOptions[],
  context: OpenContext,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const options of all) {
    const name = destinationName(options);
    if (targets.some(({ destination }) => destination.name === name)) {
      throw new UserError('forward/duplicate-name', `two destinations are named "${name}"`, {
        hint: 'Give each [[destination]] a "name" of its own.',
      });
    }
    const { event_rows, event_bytes, alert_rows, alert_bytes, when_full } = options.queue;
    targets.push({
      destination: new SetUpDestination({
        name,
        type: options.type,
        network: options.type !== 'file' && options.type !== 'notification',
        files: filesOf(options),
        clock: context.clock,
        open: (attempt) => create(options, context, attempt),
      }),
      caps: {
        eventRows: event_rows,
        eventBytes: event_bytes,
        alertRows: alert_rows,
        alertBytes: alert_bytes,
        policy: when_full,
      },
      simulated: options.simulated,
      rawEvents: options.raw_events,
    });
  }
  return targets;
}

/** Why a destination cannot be set up now, with what to do; undefined when it can. Nothing is connected to. */
export async function setUpProblem(
  options: DestinationOptions,
  context: OpenContext,
): Promise<{ readonly code: string; readonly message: string; readonly hint?: string } | undefined> {
  // A module's code is run when it is needed, not to check a configuration.
  if (options.type === 'module') return undefined;
  try {
    await (await create(options, context, 0)).close();
    return undefined;
  } catch (error) {
    const { code = 'forward/failed', hint } = error instanceof UserError ? error : {};
    return { code, message: messageOf(error), ...(hint === undefined ? {} : { hint }) };
  }
}
