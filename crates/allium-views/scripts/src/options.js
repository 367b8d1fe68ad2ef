// From a chart's JSON to the option of ECharts. Tooltips are drawn, not put into the page, so that no markup is ever made.

const share = (value) => `${(value * 100).toFixed(2)} %`;

/** A value with its unit. */
export const told = (unit, value) => {
  if (value === null || value === undefined || Number.isNaN(value)) return 'not measured';
  if (unit === 'share') return share(value);
  if (unit === 'bytes_per_sec') return `${((value * 8) / 1e9).toFixed(2)} Gbit/s`;
  return value.toLocaleString('en', { maximumFractionDigits: 2 });
};

const instant = (secs) => `${new Date(secs * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** The option of a chart in the colours of the page. */
export function optionOf(chart, colours, { narrow }) {
  const axis = {
    axisLine: { lineStyle: { color: colours.edge } },
    axisLabel: { color: colours.soft },
    splitLine: { lineStyle: { color: colours.line } },
  };
  const tooltip = {
    renderMode: 'richText',
    confine: true,
    backgroundColor: colours.ground,
    borderColor: colours.edge,
    textStyle: { color: colours.ink },
  };
  const option = {
    backgroundColor: colours.ground,
    color: colours.lines,
    textStyle: { color: colours.ink, fontFamily: 'system-ui, sans-serif' },
    tooltip,
    grid: { left: 64, right: narrow ? 16 : 32, top: 32, bottom: 48 },
  };
  return { ...option, ...kinds[chart.kind](chart, colours, axis, { narrow, tooltip }) };
}

/** A value as it is plotted: rates in Gbit/s, so that the marks of their axis are round. */
const plotted = (unit, value) => (unit === 'bytes_per_sec' && value !== null && value !== undefined ? (value * 8) / 1e9 : value);

/** Marks of an axis of plotted values; long numbers would not fit beside it. */
const mark = (unit, value) => {
  if (unit === 'share') return `${+(value * 100).toFixed(2)} %`;
  if (unit === 'bytes_per_sec') return `${+value.toPrecision(3)} Gbit/s`;
  if (unit === 'count' && value >= 1e6) return `${+(value / 1e6).toFixed(2)} M`;
  return told(unit, value);
};
const label = (unit) => ({ formatter: (value) => mark(unit, value) });
/** Marks of an axis whose name states the unit. */
const bare = (unit) => ({ formatter: (value) => (unit === 'bytes_per_sec' ? `${+value.toPrecision(3)}` : mark(unit, value)) });

const kinds = {
  time(chart, colours, axis, { narrow, tooltip }) {
    const middle = (i) => ((chart.edges[i] + chart.edges[i + 1]) / 2) * 1000;
    const lines = chart.lines.map(({ label: name, values }, i) => ({
      name,
      type: 'line',
      // A value alone among gaps is no line.
      showSymbol: values.filter((value) => value !== null).length < 3,
      endLabel: { show: chart.lines.length > 1, formatter: '{a}', color: colours.lines[i % 4], width: narrow ? 84 : 148, overflow: 'truncate' },
      labelLayout: { moveOverlap: 'shiftY' },
      connectNulls: false,
      itemStyle: { color: colours.lines[i % 4] },
      lineStyle: { width: 1.6, color: colours.lines[i % 4], type: ['solid', 'dashed', 'dotted', [8, 3, 2, 3]][i % 4] },
      data: values.map((value, j) => [middle(j), plotted(chart.unit, value)]),
    }));
    const happened = (i) => chart.events.some(({ start_secs, end_secs }) => start_secs < chart.edges[i + 1] && end_secs > chart.edges[i]);
    const marks = {
      name: 'events',
      type: 'line',
      yAxisIndex: 1,
      silent: true,
      symbol: 'rect',
      symbolSize: 5,
      itemStyle: { color: colours.lines[1] },
      lineStyle: { width: 5, color: colours.lines[1] },
      data: chart.edges.slice(0, -1).map((_, j) => [middle(j), happened(j) ? 0.01 : null]),
    };
    const bands = chart.bands.flatMap(({ label: name, low, high }) => [
      { name: `${name}, low`, type: 'line', stack: name, silent: true, symbol: 'none', lineStyle: { opacity: 0 }, data: low.map((v, j) => [middle(j), plotted(chart.unit, v)]) },
      { name, type: 'line', stack: name, silent: true, symbol: 'none', lineStyle: { opacity: 0 }, areaStyle: { color: colours.lines[0], opacity: 0.18 }, data: high.map((v, j) => [middle(j), v === null || low[j] === null ? null : plotted(chart.unit, v - low[j])]) },
    ]);
    const formatter = (points) => {
      const i = points[0].dataIndex;
      const events = chart.events.filter(({ start_secs, end_secs }) => start_secs < chart.edges[i + 1] && end_secs > chart.edges[i]);
      return [instant(chart.edges[i]), ...chart.lines.map(({ label: name, values }) => `${name}: ${told(chart.unit, values[i])}`), ...events.map(({ label: words }) => words)].join('\n');
    };
    return {
      grid: { left: 64, right: chart.lines.length > 1 ? (narrow ? 96 : 160) : 24, top: 32, bottom: 48 },
      tooltip: { ...tooltip, trigger: 'axis', formatter },
      xAxis: { type: 'time', ...axis, axisLabel: { ...axis.axisLabel, hideOverlap: true }, splitLine: { show: false } },
      yAxis: [
        { type: 'value', scale: !chart.from_zero, max: chart.unit === 'share' ? (extent) => (extent.max > 0.5 ? 1 : null) : null, ...axis, axisLabel: { ...axis.axisLabel, ...label(chart.unit) } },
        { type: 'value', show: false, min: 0, max: 1 },
      ],
      series: [...bands, ...lines, ...(chart.events.length > 0 ? [marks] : [])],
    };
  },

  bars(chart, colours, axis, { narrow, tooltip }) {
    return {
      grid: { left: narrow ? 110 : 200, right: 24, top: 24, bottom: 32 },
      tooltip: { ...tooltip, formatter: ({ dataIndex: i }) => `${chart.bars[i].label}: ${told(chart.unit, chart.bars[i].value)}\n${chart.bars[i].note}` },
      xAxis: { type: 'value', min: 0, max: plotted(chart.unit, chart.most), ...axis, axisLabel: { ...axis.axisLabel, ...label(chart.unit) } },
      yAxis: { type: 'category', inverse: true, data: chart.bars.map(({ label: name }) => name), ...axis, axisLabel: { color: colours.ink, width: narrow ? 96 : 180, overflow: 'truncate' } },
      series: [{
        type: 'bar',
        data: chart.bars.map(({ value, href }) => ({ value: plotted(chart.unit, value), href })),
        markLine: { symbol: 'none', data: chart.references.map(({ label: name, value }) => ({ name, xAxis: plotted(chart.unit, value) })), label: { formatter: '{b}', color: colours.soft }, lineStyle: { color: colours.lines[1] } },
      }],
    };
  },

  histogram(chart, colours, axis, { narrow, tooltip }) {
    const step = Math.ceil(chart.counts.length / (narrow ? 4 : 10));
    return {
      tooltip: { ...tooltip, formatter: ({ dataIndex: i }) => `${told(chart.unit, chart.edges[i])} to ${told(chart.unit, chart.edges[i + 1])}: ${chart.counts[i].toLocaleString('en')}` },
      xAxis: { type: 'category', data: chart.edges.slice(0, -1).map((edge) => mark(chart.unit, plotted(chart.unit, edge))), ...axis, axisLabel: { ...axis.axisLabel, interval: (i) => i % step === 0, hideOverlap: true } },
      yAxis: { type: 'value', name: chart.of, nameTextStyle: { color: colours.soft }, ...axis },
      series: [{ type: 'bar', barCategoryGap: '4%', data: chart.counts, markLine: { silent: true, symbol: 'none', data: chart.level === null ? [] : [{ yAxis: chart.level }], label: { show: false }, lineStyle: { color: colours.lines[1] } } }],
    };
  },

  boxes(chart, colours, axis, { narrow, tooltip }) {
    return {
      grid: { left: narrow ? 110 : 200, right: 24, top: 16, bottom: 32 },
      tooltip: { ...tooltip, formatter: ({ dataIndex: i }) => `${chart.rows[i].label}, ${chart.rows[i].n} relays\n${(chart.rows[i].quantiles ?? []).map((q, j) => `${['5 %', '25 %', 'median', '75 %', '95 %'][j]}: ${told(chart.unit, q)}`).join('\n')}` },
      xAxis: { type: 'value', scale: true, ...axis, axisLabel: { ...axis.axisLabel, ...label(chart.unit) } },
      yAxis: { type: 'category', inverse: true, data: chart.rows.map(({ label: name }) => name), ...axis, axisLabel: { color: colours.ink } },
      series: [{ type: 'boxplot', layout: 'horizontal', data: chart.rows.map(({ quantiles, href }) => ({ value: (quantiles ?? []).map((q) => plotted(chart.unit, q)), href })) }],
    };
  },

  scatter(chart, colours, axis, { narrow, tooltip }) {
    return {
      tooltip: { ...tooltip, formatter: ({ dataIndex: i }) => `${chart.dots[i].label}\n${chart.x_label}: ${told(chart.x_unit, chart.dots[i].x)}\n${chart.y_label}: ${told(chart.y_unit, chart.dots[i].y)}` },
      xAxis: { type: 'value', name: chart.x_label, nameLocation: 'middle', nameGap: 32, nameTextStyle: { color: colours.ink }, splitNumber: narrow ? 3 : 5, max: chart.diagonal && chart.x_unit === 'share' ? 1 : null, ...axis, axisLabel: { ...axis.axisLabel, ...bare(chart.x_unit) } },
      yAxis: { type: 'value', scale: true, name: chart.y_label, nameTextStyle: { color: colours.ink }, ...axis, axisLabel: { ...axis.axisLabel, ...label(chart.y_unit) } },
      series: [{ type: 'scatter', symbolSize: 6, itemStyle: { opacity: 0.6 }, data: chart.dots.map(({ x, y, href }) => ({ value: [plotted(chart.x_unit, x), plotted(chart.y_unit, y)], href })) }, ...(chart.diagonal ? [{ type: 'line', silent: true, symbol: 'none', tooltip: { show: false }, lineStyle: { color: colours.soft, type: 'dashed', width: 1 }, data: [[0, 0], [1, 1]] }] : [])],
    };
  },

  matrix(chart, colours, axis, { narrow, tooltip }) {
    const cells = chart.values.flatMap((row, i) => row.map((value, j) => ({ value: [j, i, value] })));
    return {
      grid: { left: narrow ? 96 : 160, right: 16, top: 16, bottom: 72 },
      tooltip: { ...tooltip, formatter: ({ value: [j, i, r] }) => `${chart.labels[i]} and ${chart.labels[j]}: ${r?.toFixed(2) ?? 'unknown'}` },
      xAxis: { type: 'category', data: chart.labels, ...axis, axisLabel: { color: colours.ink, interval: 0, rotate: narrow ? 45 : 0 } },
      yAxis: { type: 'category', inverse: true, data: chart.labels, ...axis, axisLabel: { color: colours.ink } },
      visualMap: { show: false, min: -1, max: 1, dimension: 2, inRange: { color: colours.scale } },
      series: [{ type: 'heatmap', data: cells, label: { show: true, color: '#ffffff', textBorderColor: '#14161a', textBorderWidth: 2, formatter: ({ value: [, , r] }) => r?.toFixed(2) ?? '' } }],
    };
  },

  heat(chart, colours, axis, { tooltip }) {
    const cells = chart.rows.flatMap(({ cells: row, href }, i) => row.map((value, j) => ({ value: [j, i, value ?? '-'], href })));
    return {
      grid: { left: 120, right: 16, top: 8, bottom: 48 },
      tooltip: { ...tooltip, formatter: ({ value: [j, i, v] }) => `${chart.rows[i].label}\n${instant(chart.edges[j])}: ${v === '-' ? 'not measured' : share(v)}` },
      xAxis: { type: 'category', data: chart.edges.slice(0, -1).map(instant), ...axis },
      yAxis: { type: 'category', inverse: true, data: chart.rows.map(({ label: name }) => name), ...axis },
      visualMap: { show: false, min: 0, max: 1, dimension: 2, inRange: { color: colours.scale } },
      series: [{ type: 'heatmap', progressive: 2000, data: cells }],
    };
  },

  calendar(chart, colours, axis, more) {
    const edges = [...chart.days.map(([secs]) => secs), chart.days.at(-1)[0] + 86_400];
    return kinds.heat({ edges, rows: [{ label: 'Uptime', cells: chart.days.map(([, value]) => value) }] }, colours, axis, more);
  },

  map(chart, colours, axis, { narrow, tooltip }) {
    const steps = chart.breaks.length;
    const pieces = [...chart.breaks.map((bound, i) => ({ gte: bound, lt: chart.breaks[i + 1], color: colours.scale[Math.round((10 * (i + 1)) / steps)] })), { lt: chart.breaks[0], color: colours.scale[0] }];
    const bound = (value) => mark(chart.unit, plotted(chart.unit, value));
    // On narrow screens only the ends name the unit.
    const short = (gte) => (gte === chart.breaks.at(-1) ? `≥${bound(gte)}` : bound(gte).replace(/ .*/, ''));
    const words = ({ lt, gte }) => (gte === undefined ? `<${narrow ? '' : ' '}${bound(lt)}` : narrow ? short(gte) : `≥ ${bound(gte)}`);
    // Nothing is that small: it says what the ground colour of a country means.
    const none = { lt: -1, color: colours.line, label: narrow ? 'none' : 'no relays' };
    const legend = narrow ? { itemWidth: 8, itemHeight: 10, itemGap: 4, textGap: 3, textStyle: { color: colours.ink, fontSize: 9 } } : { itemWidth: 20, textStyle: { color: colours.ink } };
    return {
      tooltip: { ...tooltip, formatter: ({ dataIndex: i, name }) => {
        const place = chart.places[i];
        return place ? `${place.name}\n${place.n_relays} relays, ${told(chart.unit, place.value)}` : `${name.toUpperCase()}: no relays`;
      } },
      visualMap: { type: 'piecewise', orient: 'horizontal', left: narrow ? 0 : 8, bottom: 0, ...legend, pieces: [...pieces.map((piece) => ({ ...piece, label: words(piece) })), none], outOfRange: { color: colours.hatch } },
      series: [{
        type: 'map',
        map: 'world',
        roam: 'move',
        left: 0,
        right: 0,
        top: 0,
        bottom: 40,
        selectedMode: false,
        itemStyle: { areaColor: colours.line, borderColor: colours.ground, borderWidth: 0.5 },
        emphasis: { label: { show: false }, itemStyle: { areaColor: colours.lines[1] } },
        data: chart.places.map(({ country, value, href }) => ({ name: country, value: value ?? NaN, href })),
      }],
    };
  },

  flow(chart, colours, axis, { narrow, tooltip }) {
    const width = narrow ? 84 : 150;
    const title = (text, side) => ({ text, [side]: 0, top: 0, textStyle: { color: colours.soft, fontSize: narrow ? 9 : 12, fontWeight: 'normal' } });
    // The same state has the same colour and position on both sides.
    const nodes = (side, mark, position) => chart.states.flatMap((name, i) => {
      const n = chart.streams.filter((stream) => stream[side] === i).reduce((sum, stream) => sum + stream.n, 0);
      const text = narrow ? `${n.toLocaleString('en')}\n${name}` : `${n.toLocaleString('en')} ${name}`;
      return n === 0 ? [] : [{ name: `${mark}${name}`, itemStyle: { color: colours.lines[i % 4] }, label: { position, formatter: text } }];
    });
    return {
      title: [title(chart.from, 'left'), title(chart.to, 'right')],
      tooltip: { ...tooltip, formatter: ({ name, value }) => `${name.replaceAll(' > ', ' to ')}: ${Number(value).toLocaleString('en')} relays` },
      series: [{
        type: 'sankey',
        left: width,
        right: width,
        top: 24,
        bottom: 8,
        draggable: false,
        layoutIterations: 0,
        emphasis: { focus: 'adjacency' },
        label: { color: colours.ink, fontSize: narrow ? 10 : 12, lineHeight: narrow ? 12 : 16 },
        lineStyle: { color: 'source', opacity: 0.4 },
        data: [...nodes('from', '', 'left'), ...nodes('to', ' ', 'right')],
        links: chart.streams.map(({ from, to, n }) => ({ source: chart.states[from], target: ` ${chart.states[to]}`, value: n })),
      }],
    };
  },
};
