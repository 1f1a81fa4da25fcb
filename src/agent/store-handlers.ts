import type { Clock } from '../base/clock.js';
import type { Store } from '../store/index.js';
import { keepAnswers, keepAnswersOp } from './answers.js';
import { applyBaseline, baselineOp } from './baseline.js';
import type { ControlHandlers } from './control.js';
import type { Destinations } from './destinations.js';
import { applyEscalation, escalateOp } from './escalate.js';
import { forwardHandlers } from './forward-control.js';
import { applyTriage, triageOp } from './triage.js';

export interface StoreHandlersOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly version: string;
  readonly agentId: string;
  readonly destinations: Destinations;
}

/** The requests that change what is stored, or what is sent of it. */
export function storeHandlers(options: StoreHandlersOptions): ControlHandlers {
  const { store, clock, version, agentId, destinations } = options;
  const now = () => clock.now();
  const wake = () => destinations.forwarding.forwarder.wake();
  return {
    [baselineOp]: (args) => applyBaseline(store, args, { now: now() }),
    [keepAnswersOp]: (args) => keepAnswers(store, args),
    [triageOp]: (args) => {
      const done = applyTriage(store, args, destinations.names);
      wake();
      return done;
    },
    [escalateOp]: (args) => {
      const all = destinations.targets.map(({ destination }) => destination);
      return applyEscalation(
        {
          ...{ store, version, agentId, now, added: wake },
          destinations: destinations.names,
          known: all.filter(({ type }) => type !== 'notification').map(({ name }) => name),
          limitOf: (name) => all.find((one) => one.name === name)?.limits.maxBytes,
        },
        args,
      );
    },
    ...forwardHandlers({
      outbox: store.outbox,
      get forwarder() {
        return destinations.forwarding.forwarder;
      },
    }),
  };
}
