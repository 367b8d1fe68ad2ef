// Draws a chart's JSON with ECharts: from the values that the page's table and picture have, and nothing else.

import { GridSimpleComponent, TooltipComponent } from 'echarts/components';
import { init, registerMap, use } from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { CanvasRenderer } from 'echarts/renderers';

import { optionOf } from './options.js';

use([CanvasRenderer, GridSimpleComponent, LabelLayout, TooltipComponent]);

/** Modules that each kind needs beside that, loaded when it is first drawn. */
const parts = {
  time: () => import('./parts/line.js'),
  bars: () => import('./parts/bar.js'),
  histogram: () => import('./parts/bar.js'),
  boxes: () => import('./parts/box.js'),
  scatter: () => import('./parts/scatter.js'),
  matrix: () => import('./parts/heat.js'),
  heat: () => import('./parts/heat.js'),
  calendar: () => import('./parts/heat.js'),
  map: () => import('./parts/map.js'),
  flow: () => import('./parts/flow.js'),
};

const dark = window.matchMedia('(prefers-color-scheme: dark)');
const still = window.matchMedia('(prefers-reduced-motion: reduce)');

/** The colours of the stylesheet. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  const scale = Array.from({ length: 11 }, (_, i) => of(`u${i}`));
  const lines = dark.matches ? ['#8fb4ee', '#ffcf66', '#c0577f', '#f2f2f2'] : ['#23406f', '#b86e00', '#008f86', '#7a1f1f'];
  return { ink: of('ink'), soft: of('soft'), line: of('line'), edge: of('edge'), ground: of('bg'), hatch: of('hatch'), scale, lines };
}

async function world(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`the map answers ${answer.status}`);
  registerMap('world', { svg: await answer.text() });
}

/** Puts the chart where the picture is, of the same height. */
export async function draw(figure, chart) {
  // The map can only be made known once the part that draws maps is there.
  await parts[chart.kind]();
  if (chart.kind === 'map') await world(figure.dataset.world);
  const view = figure.querySelector('.view');
  const height = Math.max(view.getBoundingClientRect().height, chart.kind === 'time' ? 320 : 240);
  const place = document.createElement('div');
  place.className = 'live';
  place.style.height = `${Math.round(height)}px`;
  place.tabIndex = 0;
  place.setAttribute('role', 'group');
  place.setAttribute('aria-label', `${chart.title} Left and right move through the values, F fills the screen.`);
  const said = Object.assign(document.createElement('p'), { className: 'small said' });
  said.setAttribute('role', 'status');
  view.classList.remove('quiet');
  view.replaceChildren(place, said);
  let drawing;
  const make = () => {
    drawing?.dispose();
    drawing = init(place, null, { renderer: 'canvas' });
    drawing.setOption({ ...optionOf(chart, palette(), { narrow: place.clientWidth < 600 }), animation: !still.matches });
  };
  make();
  dark.addEventListener('change', make);
  let width = place.clientWidth;
  new ResizeObserver(() => {
    // The first notice comes at once and changes nothing.
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    requestAnimationFrame(() => drawing.resize());
  }).observe(place);
  keys(place, said, chart, () => drawing);
  const full = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Full screen' });
  full.addEventListener('click', () => place.requestFullscreen?.());
  view.append(full);
  drawing.on('click', ({ data }) => {
    if (data?.href) window.location.assign(data.href);
  });
}

/** Arrow keys step through the values, which are shown and said. */
function keys(place, said, chart, drawing) {
  let at = -1;
  const n = chart.kind === 'time' ? chart.edges.length - 1 : (chart.bars ?? chart.dots ?? chart.places ?? chart.rows ?? chart.counts ?? chart.streams ?? chart.days ?? chart.values.flat()).length;
  place.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === 'f' || event.key === 'F') place.requestFullscreen?.();
    if (step === undefined || n === 0) return;
    event.preventDefault();
    at = Math.min(n - 1, Math.max(0, at + step));
    drawing().dispatchAction({ type: 'showTip', seriesIndex: 0, dataIndex: at });
    said.textContent = words(chart, at);
  });
}

const number = (unit, value) => {
  if (value === null || value === undefined) return 'not measured';
  if (unit === 'share') return `${(value * 100).toFixed(2)} %`;
  if (unit === 'bytes_per_sec') return `${((value * 8) / 1e9).toFixed(2)} Gbit/s`;
  return value.toLocaleString('en', { maximumFractionDigits: 2 });
};

function words(chart, i) {
  const instant = (secs) => new Date(secs * 1000).toISOString().slice(0, 16).replace('T', ' ');
  if (chart.kind === 'time') return `${instant(chart.edges[i])} UTC: ${chart.lines.map(({ label, values }) => `${label} ${number(chart.unit, values[i])}`).join(', ')}`;
  if (chart.days) return `${instant(chart.days[i][0])} UTC: ${number('share', chart.days[i][1])}`;
  if (chart.labels) {
    const [row, column] = [Math.floor(i / chart.labels.length), i % chart.labels.length];
    return `${chart.labels[row]} and ${chart.labels[column]}: ${chart.values[row][column]?.toFixed(2) ?? 'unknown'}`;
  }
  if (chart.bars) return `${chart.bars[i].label}: ${number(chart.unit, chart.bars[i].value)}`;
  if (chart.places) return `${chart.places[i].name}: ${number(chart.unit, chart.places[i].value)}, ${chart.places[i].n_relays} relays`;
  if (chart.dots) return `${chart.dots[i].label}: ${number(chart.x_unit, chart.dots[i].x)}, ${number(chart.y_unit, chart.dots[i].y)}`;
  if (chart.counts) return `${number(chart.unit, chart.edges[i])} to ${number(chart.unit, chart.edges[i + 1])}: ${chart.counts[i]}`;
  if (chart.streams) return `${chart.states[chart.streams[i].from]} to ${chart.states[chart.streams[i].to]}: ${chart.streams[i].n}`;
  const row = chart.rows?.[i];
  if (row?.quantiles) return `${row.label}: median ${number(chart.unit, row.quantiles[2])}, ${row.n} relays`;
  const known = row?.cells?.filter((share) => share !== null) ?? [];
  return known.length > 0 ? `${row.label}: ${number('share', known.reduce((a, b) => a + b, 0) / known.length)} on average` : `${row?.label ?? ''}: not measured`;
}
