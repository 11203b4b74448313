/** Small multiples as an SVG: the ratio over the tolerance, both logarithmic; a panel a field, a line a contender. */
import { scaleLog } from 'd3-scale';
import { schemeDark2, schemeTableau10 } from 'd3-scale-chromatic';
import { contendersOf } from './report.mjs';

const COLUMNS = 4;
const PANEL = { width: 300, height: 220, left: 46, right: 10, top: 24, bottom: 28 };
const LEGEND = 44;

const n = (x) => String(Math.round(x * 10) / 10);
const escaped = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);
const power = (t) => (t >= 1 && t < 1e6 ? t.toLocaleString('en') : `${t}`);

/** `auto` is black and wide, peers are dashed. */
function stylesOf(contenders, peers) {
  const own = contenders.filter((name) => name !== 'auto' && !peers.includes(name));
  return new Map(
    contenders.map((name) => {
      const peer = peers.indexOf(name);
      if (name === 'auto') return [name, 'class="auto" stroke="#000"'];
      if (peer < 0) return [name, `stroke="${schemeTableau10[own.indexOf(name) % 10]}"`];
      return [name, `class="peer" stroke="${schemeDark2[peer % 8]}"`];
    }),
  );
}

function panel({ field, rows }, styles, [low, high]) {
  const { width, height, left, right, top, bottom } = PANEL;
  const reached = rows.filter((row) => row.ratio);
  const x = scaleLog([high, low], [left, width - right]);
  const ratios = reached.map(({ ratio }) => ratio);
  const y = scaleLog([Math.min(1, ...ratios), Math.max(10, ...ratios)], [height - bottom, top]).nice();
  const decades = (scale) =>
    scale.ticks().filter((t) => Number.isInteger(Math.round(Math.log10(t) * 1e6) / 1e6));
  const grid = [
    ...decades(x).map((t) => `M${n(x(t))} ${top}V${height - bottom}`),
    ...decades(y).map((t) => `M${left} ${n(y(t))}H${width - right}`),
  ].join('');
  const labels = [
    ...decades(x).map((t) => `<text class="x" x="${n(x(t))}" y="${height - bottom + 14}">${t}</text>`),
    ...decades(y).map((t) => `<text class="y" x="${left - 5}" y="${n(y(t) + 3.5)}">${power(t)}</text>`),
  ].join('');
  const lines = [...styles].map(([name, style]) => {
    const points = reached.filter(({ peer }) => peer === name).sort((a, b) => b.tolerance - a.tolerance);
    const places = points.map(({ tolerance, ratio }) => `${n(x(tolerance))} ${n(y(ratio))}`);
    if (!places.length) return '';
    const dots = places.map((place) => `M${place}h0`).join('');
    const line = places.length > 1 ? `<path ${style} d="M${places.join('L')}"/>` : '';
    return `${line}<path ${style.replace(/class="\w+"/, '')} stroke-width="4" d="${dots}"/>`;
  });
  return `<text class="name" x="${left}" y="${top - 8}">${escaped(field)}</text><path class="grid" d="${grid}"/>${labels}${lines.join('')}`;
}

function legend(styles) {
  const each = [...styles].map(([name, style], i) => {
    const [x, y] = [PANEL.left + (i % 8) * 140, 12 + 18 * Math.floor(i / 8)];
    return `<path ${style} d="M${x} ${y}h26"/><text x="${x + 32}" y="${y + 4}">${escaped(name)}</text>`;
  });
  return each.join('');
}

/** @param results of measureRates. @param peers names drawn dashed. */
export function chart(results, peers) {
  const styles = stylesOf(contendersOf(results), peers);
  const all = results.flatMap(({ rows }) => rows.map(({ tolerance }) => tolerance)).filter(Boolean);
  const ends = [Math.min(...all), Math.max(...all)];
  const rowsOfPanels = Math.ceil(results.length / COLUMNS);
  const [width, height] = [COLUMNS * PANEL.width, LEGEND + rowsOfPanels * PANEL.height];
  const panels = results.map((result, i) => {
    const at = [(i % COLUMNS) * PANEL.width, LEGEND + Math.floor(i / COLUMNS) * PANEL.height];
    return `<g transform="translate(${at.join(' ')})">${panel(result, styles, ends)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<title>Compression ratio over the largest error allowed, as a part of the field's range</title>
<style>path{fill:none;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}path[stroke-width]{stroke-width:4}.auto{stroke-width:3}.peer{stroke-dasharray:4 4}.grid{stroke:#ddd;stroke-width:1}.x{text-anchor:middle}.y{text-anchor:end}.name{font-weight:bold}</style>
<rect width="${width}" height="${height}" fill="#fff"/>
${legend(styles)}
${panels.join('\n')}
</svg>
`;
}
