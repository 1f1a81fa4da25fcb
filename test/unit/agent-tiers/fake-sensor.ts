import type { SensorSetSink } from '../../../src/agent/tiers.js';
import { UserError } from '../../../src/base/errors.js';
import type { Gap, Observation, SensorKind } from '../../../src/event/event.js';
import type { Sensor, SensorHealth, SensorSink } from '../../../src/sensors/sensor.js';

/** A sensor that does what the test says. */
export class FakeSensor implements Sensor {
  readonly kind: SensorKind;
  /** Why it does not start. */
  refusal: string | undefined;
  refusalCode = 'fake';
  sink: SensorSink | undefined;
  starts = 0;
  stops = 0;

  constructor(kind: SensorKind, refusal?: string) {
    this.kind = kind;
    this.refusal = refusal;
  }

  async start(sink: SensorSink): Promise<void> {
    this.starts++;
    if (this.refusal !== undefined)
      throw new UserError(`sensor/${this.kind}-${this.refusalCode}`, this.refusal);
    this.sink = sink;
  }

  ask(): void {}

  async stop(): Promise<void> {
    this.stops++;
  }

  health(): SensorHealth {
    return { kind: this.kind, running: this.sink !== undefined, notes: [], counters: {} };
  }
}

/** Keeps what a set of sensors tells. */
export class RecordingSet implements SensorSetSink {
  readonly observed: Observation[] = [];
  readonly gaps: Gap[] = [];
  readonly log: string[] = [];

  observe(observation: Observation): void {
    this.observed.push(observation);
  }

  completeThrough(): void {}

  started(sensor: string): void {
    this.log.push(`+${sensor}`);
  }

  ended(sensor: string): void {
    this.log.push(`-${sensor}`);
  }

  gap(gap: Gap): void {
    this.gaps.push(gap);
  }
}

let count = 0;

export function observation(
  doc: Observation['event']['doc'] = {},
  more: Partial<Observation> = {},
): Observation {
  const id = doc.event?.id ?? `event-${count++}`;
  return {
    event: { id, time: 1, nanos: 0, sequence: 0, doc: { ...doc, event: { id, ...doc.event } } },
    ...more,
  };
}
