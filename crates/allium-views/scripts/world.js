// Makes assets/world.txt: the countries of Natural Earth (public domain; package world-atlas, ISC) in the Equal Earth projection,
// 960 units wide, thinned to what such a picture can show. One line per country: ISO 3166-1 numeric code, the middle of its largest
// part, its outline as the `d` of an SVG path (empty where it is drawn as a point only).

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { feature } from 'topojson-client';

const WIDTH = 960;
const NORTH = 84;
const SOUTH = -57;
/** Points nearer to the line between their neighbours than this, in units, are left out. */
const TOLERANCE = 0.35;
/** Outlines smaller than this, in square units, are left out. */
const LEAST_AREA = 0.5;

/** Places that Natural Earth at 1:50 million draws as part of another country or not at all: code, longitude, latitude. */
const POINTS = [
  ['292', -5.35, 36.14], ['638', 55.54, -21.12], ['312', -61.55, 16.25], ['474', -61.02, 14.64], ['254', -53.1, 3.95], ['175', 45.15, -12.83],
  ['798', 179.2, -8.52], ['772', -171.85, -9.2], ['744', 16.0, 78.5], ['166', 96.85, -12.17], ['162', 105.65, -10.45], ['535', -68.27, 12.18],
  ['574', 167.95, -29.04], ['612', -130.1, -25.07],
];

const A = [1.340264, -0.081106, 0.000893, 0.003796];
/** Šavrič, Patterson, Jenny (2018), "The Equal Earth map projection". */
function project([longitude, latitude]) {
  const theta = Math.asin((Math.sqrt(3) / 2) * Math.sin((latitude * Math.PI) / 180));
  const t2 = theta * theta;
  const t6 = t2 * t2 * t2;
  const x = (2 * Math.sqrt(3) * ((longitude * Math.PI) / 180) * Math.cos(theta)) / (3 * (9 * A[3] * t2 * t6 + 7 * A[2] * t6 + 3 * A[1] * t2 + A[0]));
  const y = theta * (A[3] * t2 * t6 + A[2] * t6 + A[1] * t2 + A[0]);
  return [x, y];
}
const scale = WIDTH / (2 * project([180, 0])[0]);
const top = project([0, NORTH])[1];
const place = (point) => {
  const [x, y] = project([point[0], Math.max(SOUTH, Math.min(NORTH, point[1]))]);
  return [x * scale + WIDTH / 2, (top - y) * scale];
};

/** Douglas–Peucker. */
function thinned(points) {
  if (points.length < 3) return points;
  const [first, last] = [points[0], points[points.length - 1]];
  const [dx, dy] = [last[0] - first[0], last[1] - first[1]];
  const length = Math.hypot(dx, dy);
  let far = 0;
  let farthest = 0;
  for (let i = 1; i < points.length - 1; i += 1) {
    const [px, py] = [points[i][0] - first[0], points[i][1] - first[1]];
    const distance = length === 0 ? Math.hypot(px, py) : Math.abs(px * dy - py * dx) / length;
    if (distance > farthest) [far, farthest] = [i, distance];
  }
  if (farthest <= TOLERANCE) return [first, last];
  return [...thinned(points.slice(0, far + 1)).slice(0, -1), ...thinned(points.slice(far))];
}

/** A ring that crosses the 180th meridian as two that end there. */
function cut(ring) {
  let turn = 0;
  const whole = ring.map(([longitude, latitude], i) => {
    const step = i === 0 ? 0 : longitude - ring[i - 1][0];
    turn += step > 180 ? -360 : step < -180 ? 360 : 0;
    return [longitude + turn, latitude];
  });
  const turned = (by) => whole.map(([longitude, latitude]) => [Math.max(-180, Math.min(180, longitude + by)), latitude]);
  const [least, most] = [Math.min(...whole.map(([x]) => x)), Math.max(...whole.map(([x]) => x))];
  return [turned(0), ...(most > 180 ? [turned(-360)] : []), ...(least < -180 ? [turned(360)] : [])];
}

const area = (ring) => Math.abs(ring.reduce((sum, [x, y], i) => {
  const [nx, ny] = ring[(i + 1) % ring.length];
  return sum + x * ny - nx * y;
}, 0)) / 2;
const middle = (ring) => {
  const xs = ring.map(([x]) => x);
  const ys = ring.map(([, y]) => y);
  return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
};
const tenth = (number) => Math.round(number * 10);

/** An outline as relative moves in whole tenths, written with one decimal. */
function outline(ring) {
  const points = thinned(ring).map(([x, y]) => [tenth(x), tenth(y)]);
  const text = (n) => String(n / 10);
  let [x, y] = points[0];
  let d = `M${text(x)} ${text(y)}l`;
  const steps = [];
  for (const [nx, ny] of points.slice(1, -1)) {
    if (nx !== x || ny !== y) steps.push(`${text(nx - x)} ${text(ny - y)}`);
    [x, y] = [nx, ny];
  }
  if (steps.length < 2) return '';
  d += steps.join(' ').replaceAll(' -', '-').replaceAll(/(?<!\d)0\./g, '.');
  return `${d}z`;
}

const topology = JSON.parse(readFileSync(createRequire(import.meta.url).resolve('world-atlas/countries-50m.json'), 'utf8'));
const countries = new Map();
for (const { id, properties, geometry } of feature(topology, topology.objects.countries).features) {
  const code = id ?? (properties.name === 'Kosovo' ? '983' : null);
  if (code === null || code === '010' || geometry === null) continue;
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  const rings = polygons.flatMap(([outer]) => cut(outer)).map((ring) => ring.map(place)).sort((a, b) => area(b) - area(a));
  const known = countries.get(code) ?? [];
  countries.set(code, [...known, ...rings]);
}
const lines = [];
for (const [code, rings] of countries) {
  const [x, y] = middle(rings.sort((a, b) => area(b) - area(a))[0]);
  const d = rings.filter((ring) => area(ring) >= LEAST_AREA).map(outline).join('');
  lines.push(`${code}\t${tenth(x) / 10} ${tenth(y) / 10}\t${d}`);
}
for (const [code, longitude, latitude] of POINTS) {
  const [x, y] = place([longitude, latitude]);
  if (!countries.has(code)) lines.push(`${code}\t${tenth(x) / 10} ${tenth(y) / 10}\t`);
}
const height = place([0, SOUTH])[1];
process.stdout.write(`# Countries of Natural Earth 1:50m (public domain), by scripts/world.js. Equal Earth, ${WIDTH} × ${Math.ceil(height)}.\n`);
process.stdout.write(`${lines.sort().join('\n')}\n`);
