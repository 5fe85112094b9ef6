// Bars on a logarithmic scale, one for each program and kind of archive: JSON on standard input, SVG on standard output.
import { text } from 'node:stream/consumers';
import * as echarts from 'echarts';

const { title, bars } = JSON.parse(await text(process.stdin));
const unique = (values) => [...new Set(values)];
const groups = unique(bars.map(({ group }) => group));
// A program that goes by several names, such as "tardis-dev, depth 200 only", is one.
const programOf = ({ name }) => name.replace(/,.*/, '');
const programs = unique(bars.map(programOf));
const labelOf = (seconds) => (seconds >= 10 ? seconds.toFixed(0) : seconds.toPrecision(2));
const secondsOf = (group, program) => bars.find((bar) => bar.group === group && programOf(bar) === program)?.value;

// A logarithmic axis has no zero, so bars begin at the power of ten below the smallest.
const start = 10 ** Math.floor(Math.log10(Math.min(...bars.map(({ value }) => value))));

const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 840, height: 480 });
chart.setOption({
  animation: false,
  backgroundColor: '#fff',
  color: ['#1f5fa8', '#5f9bd8', '#b3cfec'],
  textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
  title: { text: title, left: 16, top: 12, textStyle: { fontSize: 16 } },
  legend: { data: groups, left: 16, top: 40, itemGap: 32 },
  grid: { left: 190, right: 60, top: 80, bottom: 48 },
  xAxis: {
    type: 'log',
    min: start,
    startValue: start,
    name: 'CPU seconds, logarithmic',
    nameLocation: 'middle',
    nameGap: 28,
  },
  yAxis: { type: 'category', data: programs, inverse: true, axisTick: { show: false }, axisLabel: { fontSize: 13 } },
  series: groups.map((group) => ({
    name: group,
    type: 'bar',
    data: programs.map((program) => secondsOf(group, program)),
    label: { show: true, position: 'right', formatter: ({ value }) => labelOf(value) },
  })),
});
process.stdout.write(`${chart.renderToSVGString()}\n`);
chart.dispose();
