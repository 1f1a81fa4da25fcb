import { afterEach, describe, expect, test } from 'vitest';
import type { Micros } from '../../src/base/time.js';
import { parseTime } from '../../src/base/time.js';
import type { Event, Gap, Observation } from '../../src/event/event.js';
import type { Sensor, SensorSink } from '../../src/sensors/sensor.js';
import { waitFor } from '../simulation/mac.js';

/** A sensor on something that the test can act upon. */
export interface SensorRig {
  readonly sensor: Sensor;
  /** Makes something happen that the sensor must observe exactly once; resolves when it has happened. */
  act(): Promise<void>;
  /** Whether an event is about what the latest `act` did. */
  isMine(event: Event): boolean;
  cleanUp(): Promise<void>;
}

/** What every sensor must keep of src/sensors/sensor.ts, run over each one. `makeRig` starts nothing. */
export function sensorContract(name: string, makeRig: () => Promise<SensorRig>): void {
  describe(`sensor contract: ${name}`, () => {
    const rigs: SensorRig[] = [];
    const started: Sensor[] = [];
    afterEach(async () => {
      for (const sensor of started.splice(0)) await sensor.stop();
      for (const rig of rigs.splice(0)) await rig.cleanUp();
    });
    const rigUp = async () => {
      const rig = await makeRig();
      rigs.push(rig);
      return rig;
    };
    const startUp = async (rig: SensorRig, sink: RecordingSink) => {
      sink.sensor = rig.sensor;
      await rig.sensor.start(sink);
      started.push(rig.sensor);
    };

    test('observes what happens after the start, and not what was there before', async () => {
      const rig = await rigUp();
      const seen = new RecordingSink();
      await rig.act();
      await startUp(rig, seen);
      await seen.completePast(Date.now() * 1000);
      expect(seen.events.filter((event) => rig.isMine(event))).toEqual([]);
      await rig.act();
      const event = await waitFor('the event', () => seen.events.find((one) => rig.isMine(one)));
      expect(event.id).toBe(event.doc.event?.id);
      expect(event.id).toMatch(/^[0-9a-f]{32}$/);
      expect(parseTime(event.doc['@timestamp'])).toEqual({ time: event.time, nanos: event.nanos });
      expect(event.doc.event?.category).toBeInstanceOf(Array);
      expect(event.doc.event?.type).toBeInstanceOf(Array);
      expect(event.doc.launchwarden?.sensor?.kind).toBe(rig.sensor.kind);
      expect(event.doc.launchwarden?.sensor?.precision).toMatch(/^(exact|interval)$/);
      await seen.completePast(Date.now() * 1000);
      const ids = seen.observations.filter((one) => one.amends !== true).map((one) => one.event.id);
      expect(new Set(ids).size).toBe(ids.length);
    });

    test('says how far it has seen when asked, also when nothing happens, never back and never ahead of the clock', async () => {
      const rig = await rigUp();
      const seen = new RecordingSink();
      await startUp(rig, seen);
      for (let round = 0; round < 10; round++) await seen.completePast(Date.now() * 1000);
      const sorted = [...seen.completes].sort((a, b) => a - b);
      expect(seen.completes).toEqual(sorted);
      expect(seen.aheadMicros).toBeLessThanOrEqual(2_000);
    });

    test('delivers nothing that it had called complete', async () => {
      const rig = await rigUp();
      const seen = new RecordingSink();
      await startUp(rig, seen);
      for (let round = 0; round < 5; round++) {
        const before = seen.events.length;
        await rig.act();
        await waitFor('the event', () => seen.events.slice(before).find((one) => rig.isMine(one)));
      }
      await seen.completePast(Date.now() * 1000);
      expect(seen.late).toEqual([]);
    });

    test('is silent after stop, and says in its health whether it runs', async () => {
      const rig = await rigUp();
      const seen = new RecordingSink();
      expect(rig.sensor.health()).toMatchObject({ kind: rig.sensor.kind, running: false });
      await rig.sensor.start(seen);
      await rig.act();
      await waitFor('the event', () => seen.events.find((one) => rig.isMine(one)));
      const health = rig.sensor.health();
      expect(health.running).toBe(true);
      expect(health.notes.length).toBeGreaterThan(0);
      for (const count of Object.values(health.counters)) expect(count).toBeTypeOf('number');
      await rig.sensor.stop();
      expect(rig.sensor.health().running).toBe(false);
      const calls = seen.calls;
      await rig.act();
      // That nothing comes can only be shown by waiting; a short wait can miss a fault, and never makes one up.
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(seen.calls).toBe(calls);
    });
  });
}

/** Keeps everything that a sensor delivers. */
export class RecordingSink implements SensorSink {
  readonly observations: Observation[] = [];
  readonly completes: Micros[] = [];
  readonly gaps: Gap[] = [];
  readonly failures: string[] = [];
  /** Events whose time had been called complete before they came. */
  readonly late: Event[] = [];
  /** By how much a mark was ahead of the clock at most. */
  aheadMicros = 0;
  calls = 0;
  /** Who is asked. */
  sensor: Sensor | undefined;

  get events(): Event[] {
    return this.observations.filter((one) => one.amends !== true).map((one) => one.event);
  }

  observe(observation: Observation): void {
    this.calls++;
    this.observations.push(observation);
    const { event, amends } = observation;
    if (amends !== true && event.time <= (this.completes.at(-1) ?? 0)) this.late.push(event);
  }

  completeThrough(time: Micros): void {
    this.calls++;
    this.completes.push(time);
    this.aheadMicros = Math.max(this.aheadMicros, time - Date.now() * 1000 - 1_000);
  }

  gap(gap: Gap): void {
    this.calls++;
    this.gaps.push(gap);
  }

  failed(reason: string): void {
    this.calls++;
    this.failures.push(reason);
  }

  async completePast(time: Micros): Promise<void> {
    await waitFor('the sensor to have seen it all', () => {
      if ((this.completes.at(-1) ?? 0) > time) return true;
      this.sensor?.ask(time + 1);
      return undefined;
    });
  }
}
