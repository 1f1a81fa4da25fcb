import type { Alert } from '../event/alert.js';
import type { Gap } from '../event/event.js';
import type { UnifiedLog } from './unified-log.js';
import type { Judgement, Verdict } from './verdict.js';

/** What of the agent's life is written to the Mac's own log, and in which words. */
export class NotableLines {
  readonly #lines: UnifiedLog;
  #verdict: Verdict = 'healthy';

  constructor(lines: UnifiedLog) {
    this.#lines = lines;
  }

  ready(version: string, sensors: readonly string[]): void {
    this.#lines.say('agent', 'notice', `version ${version} is ready with ${sensors.join(', ')}`);
  }

  stops(): void {
    this.#lines.say('agent', 'notice', 'stops');
  }

  gap({ sensor, reason, blinded }: Gap): void {
    const seen = blinded === true ? ', and something may have been missed' : '';
    this.#lines.say('gap', 'error', `gap of ${sensor}: ${reason}${seen}`);
  }

  /** Alerts that were committed: the grave ones that are new. */
  alerts(alerts: readonly Alert[]): void {
    for (const { id, severity, ruleName, revision } of alerts)
      if (revision === 1 && (severity === 'high' || severity === 'critical'))
        this.#lines.say('alert', 'fault', `${severity} alert ${id.slice(0, 8)}: ${ruleName}`);
  }

  /** Says when the agent became blind, and when it sees again. */
  verdict({ verdict, reasons }: Judgement): void {
    if (verdict === 'blind' && this.#verdict !== 'blind')
      this.#lines.say('agent', 'fault', `BLIND: ${reasons[0]?.split(':')[0] ?? ''}`);
    else if (verdict !== 'blind' && this.#verdict === 'blind')
      this.#lines.say('agent', 'notice', 'sees again');
    this.#verdict = verdict;
  }
}
