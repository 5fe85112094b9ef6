import { spawnSync } from 'node:child_process';
import { script } from './peer-programs.js';
import type { Bar } from './report.js';

/** A picture of the bars as SVG, by ECharts, which draws on Node without a browser. */
export function drawChart(title: string, bars: Bar[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script('chart.mjs')], {
    input: JSON.stringify({ title, bars }),
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`chart.mjs failed: ${stderr}`);
  return stdout;
}
