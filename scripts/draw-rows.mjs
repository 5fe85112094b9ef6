// Draws how messages make rows, for the README: docs/rows-light.svg and docs/rows-dark.svg.
//
//     node scripts/draw-rows.mjs [FOLDER]
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const THEMES = {
  light: { text: '#1f2328', muted: '#59636e', bar: '#ddf4ff', edge: '#0969da', line: '#818b98' },
  dark: { text: '#f0f6fc', muted: '#9198a1', bar: '#0c2d6b', edge: '#4493f8', line: '#656c76' },
};

/** One message in seconds after 10:00:00. The first is a snapshot, the others are deltas. */
const MESSAGES = [32, 42, 52, 73, 96, 120, 183, 202, 222, 248];
const ROWS = [
  { atS: 60, note: 'everything up to 10:01:00.000, nothing later' },
  { atS: 120, note: 'message 6 has ts = 10:02:00.000, so it is in' },
  { atS: 180, note: 'no message since 10:02: the same book' },
  { atS: 240, note: '10 is too late for it' },
];

const WIDTH = 880;
const HEIGHT = 252;
const AXIS_Y = 196;
const BAR_HEIGHT = 26;
const START_X = 20;
const END_X = 860;
const xOf = (seconds) => 20 + (seconds - 22) * 2.72;
const clock = (seconds) => `10:0${seconds / 60}`;
const barY = (index) => 12 + index * 40;

function draw({ text, muted, bar, edge, line }) {
  const label = (x, y, content, { size = 13, fill = text, anchor = 'start', weight = 400 } = {}) =>
    `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}">${content}</text>`;
  const rows = ROWS.map(({ atS, note }, index) => {
    const [x, y] = [xOf(atS), barY(index)];
    const held = MESSAGES.filter((tsS) => tsS <= atS).length;
    return [
      `<rect x="${START_X}" y="${y}" width="${x - START_X}" height="${BAR_HEIGHT}" rx="4" fill="${bar}" stroke="${edge}"/>`,
      label(START_X + 10, y + 18, `messages 1 to ${held}`),
      label(x + 10, y + 18, `row ${clock(atS)}`, { weight: 600 }),
      label(x + 82, y + 18, note, { fill: muted }),
    ].join('\n');
  });
  const boundaries = ROWS.map(({ atS }, index) => {
    const x = xOf(atS);
    return [
      `<line x1="${x}" y1="${barY(index) + BAR_HEIGHT}" x2="${x}" y2="${AXIS_Y + 8}" stroke="${edge}" stroke-dasharray="3 3"/>`,
      label(x, AXIS_Y + 24, `${clock(atS)}:00`, { anchor: 'middle', weight: 600 }),
    ].join('\n');
  });
  const messages = MESSAGES.map((tsS, index) => {
    const x = xOf(tsS);
    const mark =
      index === 0
        ? `<rect x="${x - 6}" y="${AXIS_Y - 6}" width="12" height="12" fill="${edge}"/>`
        : `<circle cx="${x}" cy="${AXIS_Y}" r="5" fill="${edge}"/>`;
    return `${mark}\n${label(x + (tsS % 60 === 0 ? 10 : 0), AXIS_Y - 11, index + 1, { size: 12, fill: muted, anchor: 'middle' })}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    '<title>How messages make rows: the row labelled T holds every message with ts up to T, and none after</title>',
    ...boundaries,
    ...rows,
    `<path d="M${START_X} ${AXIS_Y}H${END_X}m-7 -4l7 4l-7 4" fill="none" stroke="${line}"/>`,
    ...messages,
    label(
      START_X,
      AXIS_Y + 46,
      'Messages by their ts. Square: a snapshot, the whole book. Dot: a delta, levels that changed.',
      {
        size: 12,
        fill: muted,
      },
    ),
    '</svg>\n',
  ].join('\n');
}

const [folder = 'docs'] = process.argv.slice(2);
for (const [name, theme] of Object.entries(THEMES))
  fs.writeFileSync(path.join(folder, `rows-${name}.svg`), draw(theme));
