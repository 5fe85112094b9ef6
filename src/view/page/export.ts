/** What can be taken along: the picture as PNG, rows as CSV. */
import type { ListedSeries } from '../listing.js';
import { BACKGROUND, cssColor, type Theme } from '../palettes.js';
import { fileUrl } from './backend.js';
import type { Chart } from './chart.js';
import type { Panels } from './panels.js';
import type { PageState } from './state.js';

const TITLE_HEIGHT = 34;

/** Saves the heatmap with its axes, and the panels, as they are now. @returns what was done, in words. */
export async function savePng(chart: Chart, panels: Panels, title: string, theme: Theme): Promise<string> {
  const ratio = window.devicePixelRatio;
  const { width, height } = document.getElementById('chart')?.getBoundingClientRect() ?? { width: 1, height: 1 };
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round((TITLE_HEIGHT + height + panels.height + 8) * ratio);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser draws no canvas');
  context.fillStyle = cssColor(BACKGROUND[theme]);
  context.fillRect(0, 0, canvas.width, canvas.height);
  const textColor = theme === 'dark' ? '#e6e9ef' : '#1c2230';
  context.fillStyle = textColor;
  context.font = `600 ${14 * ratio}px system-ui, sans-serif`;
  context.fillText(title, 10 * ratio, 22 * ratio);
  context.translate(0, TITLE_HEIGHT * ratio);
  chart.copyTo(context);
  panels.copyTo(context, height * ratio, ratio, textColor);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('the picture is too large for this browser');
  const name = `${title
    .split(' · ')
    .slice(0, 2)
    .join('_')
    .replaceAll(/[^\w.-]+/g, '_')}.png`;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return `Saved ${name}.`;
}

/** What a clipboard takes without trouble, in characters. */
const MAX_TEXT = 64 * 2 ** 20;

/**
 * Copies rows of a range of time, with the file's own text where it is CSV.
 *
 * @param stretch `depth`: levels a side of rows that are not CSV.
 * @returns what was done, in words.
 */
export async function copyCsv(
  series: ListedSeries,
  stretch: Pick<PageState, 'from' | 'to'> & { depth: number },
  fromMs: number,
  toMs: number,
): Promise<string> {
  const { from, to, depth } = stretch;
  const chosen = series.days.filter(([day]) => day >= from && day <= to);
  let text = '';
  for (const [day, version] of chosen) {
    const range = {
      from: Math.max(0, Math.ceil(fromMs)),
      to: Math.max(0, Math.ceil(toMs) - 1),
      depth,
    };
    const response = await fetch(fileUrl('rows', { series: series.id, day, version }, range));
    if (!response.ok) throw new Error((await response.text()).trim());
    const lines = await textUpTo(response, MAX_TEXT - text.length);
    text += text === '' ? lines : lines.slice(lines.indexOf('\n') + 1);
  }
  const rows = text.split('\n').length - 2;
  await navigator.clipboard.writeText(text);
  return `Copied ${rows.toLocaleString('en')} rows.`;
}

async function textUpTo(response: Response, most: number): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const parts: string[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || value === undefined) return parts.join('');
    parts.push(value);
    length += value.length;
    if (length > most) {
      await reader?.cancel();
      throw new Error('These are more than 64 MB, too much to copy. Zoom in, or select a stretch with Shift and drag.');
    }
  }
}
