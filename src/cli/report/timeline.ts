import { things } from '../../base/count.js';
import { formatDuration, formatMicros, type Micros } from '../../base/time.js';
import { type Child, escapeHtml, Html, html } from './html.js';

/** Something that happened, on the line of time. */
export interface Moment {
  readonly time: Micros;
  readonly lane: 'file' | 'process' | 'launchd' | 'people';
  /** What happened, shown in the list. */
  readonly says: Child;
  /** For the point that is drawn: a text for who points at it. */
  readonly title: string;
  readonly look: 'match' | 'bad' | 'plain';
}

const lanes = ['file', 'process', 'launchd', 'people'] as const;
const names: Readonly<Record<Moment['lane'], string>> = {
  file: 'Files',
  process: 'Processes',
  launchd: 'launchd',
  people: 'People',
};
const laneHeight = 34;
const top = 26;
const second = 1e6;
/** Distances from the alert at which the axis has a tick, seconds. */
const ticks = [1, 10, 60, 600, 3_600, 86_400, 7 * 86_400];
const maxDrawn = 400;

/** Nearby moments stand apart although others are minutes or days away: distances are drawn by their logarithm. */
function place(distance: Micros): number {
  const scaled = Math.log1p((Math.abs(distance) / second) * 20);
  return distance < 0 ? -scaled : scaled;
}

/** The moments around `zero`, drawn: one lane a kind, left before and right after. Undefined when there is nothing to draw. */
export function timeline(moments: readonly Moment[], zero: Micros): Html | undefined {
  const drawn = moments.slice(0, maxDrawn);
  if (drawn.length < 2) return undefined;
  return html`${drawing(drawn, { zero, width: 760, small: false })}${drawing(drawn, { zero, width: 360, small: true })}`;
}

function drawing(
  moments: readonly Moment[],
  { zero, width, small }: { readonly zero: Micros; readonly width: number; readonly small: boolean },
): Html {
  const used = lanes.filter((lane) => moments.some((one) => one.lane === lane));
  const left = small ? 8 : 84;
  const right = 14;
  const places = moments.map(({ time }) => place(time - zero));
  const [least, most] = [Math.min(-1, ...places), Math.max(1, ...places)];
  const x = (at: number) => round(left + ((at - least) / (most - least)) * (width - left - right));
  const height = top + used.length * laneHeight + 22;
  const laneY = (lane: Moment['lane']) => top + used.indexOf(lane) * laneHeight + laneHeight / 2;
  const parts: string[] = [];
  for (const lane of used) {
    const y = laneY(lane);
    parts.push(`<line class="axis" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/>`);
    parts.push(
      small
        ? `<text x="${left}" y="${y - 9}">${names[lane]}</text>`
        : `<text x="0" y="${y + 4}">${names[lane]}</text>`,
    );
  }
  const bottom = height - 22;
  parts.push(`<line class="zero" x1="${x(0)}" x2="${x(0)}" y1="14" y2="${bottom}"/>`);
  parts.push(`<text x="${x(0)}" y="10" text-anchor="middle">alert</text>`);
  let last = Number.NEGATIVE_INFINITY;
  for (const seconds of [...ticks.map((one) => -one).reverse(), ...ticks]) {
    const at = place(seconds * second);
    if (at < least || at > most) continue;
    const here = x(at);
    if (here - last < 46 || Math.abs(here - x(0)) < 20) continue;
    last = here;
    parts.push(`<line class="axis" x1="${here}" x2="${here}" y1="${top}" y2="${bottom}"/>`);
    const label = `${seconds < 0 ? '\u2212' : '+'}${formatDuration(Math.abs(seconds) * second)}`;
    parts.push(`<text x="${here}" y="${height - 6}" text-anchor="middle">${label}</text>`);
  }
  // What matters is drawn last, above the rest.
  const order = { plain: 0, bad: 1, match: 2 } as const;
  const sorted = moments
    .map((one, index) => ({ one, at: places[index] ?? 0 }))
    .sort((a, b) => order[a.one.look] - order[b.one.look]);
  for (const { one, at } of sorted) {
    const kind = one.look === 'plain' ? 'dot' : `dot ${one.look}`;
    parts.push(
      `<circle class="${kind}" cx="${x(at)}" cy="${laneY(one.lane)}" r="${one.look === 'match' ? 6.5 : 4.5}"><title>${escapeHtml(one.title, 160)}</title></circle>`,
    );
  }
  const label = `Timeline: ${things(moments.length, 'event')} around the alert`;
  return Html.raw(
    `<svg class="line ${small ? 'small' : 'wide'}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${parts.join('')}</svg>`,
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The same as a list, oldest first. */
export function timeList(moments: readonly Moment[]): Html | undefined {
  if (moments.length === 0) return undefined;
  let day = '';
  const items = [...moments]
    .sort((a, b) => a.time - b.time)
    .map(({ time, says, look }) => {
      const own = formatMicros(time);
      const head = own.slice(0, 10) === day ? undefined : html`<li class="day">${own.slice(0, 10)}</li>`;
      day = own.slice(0, 10);
      return html`${head}<li><time datetime="${own}">${own.slice(11, 23)}</time><span class="${look}">${says}</span></li>`;
    });
  return html`<ol class="times">${items}</ol>`;
}
