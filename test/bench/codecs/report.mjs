/** The tables, in Markdown, and the lines of progress. */
import { table } from '../report.mjs';
import { median } from '../timing.mjs';

const ms = (t) => (t >= 100 ? t.toFixed(0) : t >= 10 ? t.toFixed(1) : t.toPrecision(2));
const factor = (r) => (r >= 100 ? r.toFixed(0) : r >= 10 ? r.toFixed(1) : r.toFixed(2));
const seconds = (t) => (t >= 1000 ? `${(t / 1000).toFixed(1)} s` : `${t.toFixed(0)} ms`);
const decibels = (db) => (db === null ? '∞' : db.toFixed(1));

/** @param row of codec.mjs or peers.py. */
export function progress(row) {
  const head = `      ${row.peer.padEnd(14)} ${`${row.tolerance ?? row.pass}`.padEnd(8)}`;
  if (row.skipped) return `${head} ${row.skipped}`;
  if (row.rejected) return `${head} –${row.encodeMs ? ` after ${seconds(row.encodeMs)}` : ''}`;
  const part = `${factor(row.maxError / row.bound)} of the bound`;
  return (
    `${head} ${`${factor(row.ratio)}×`.padStart(9)}  error ${part}  ${decibels(row.psnr).padStart(6)} dB  ` +
    `${allTimes([row])} ms${row.chose ? `  ${row.chose}` : ''}`
  );
}

/** Medians of encode / unpack (what has one) / decode. */
function allTimes(rows) {
  const names = ['encodeMs', 'unpackMs', 'decodeMs'].filter((name) => rows[0][name] !== undefined);
  return names.map((name) => ms(median(rows.map((row) => row[name])))).join(' / ');
}

/** Names of what was measured, in the order of first mention. */
export const contendersOf = (results) => [
  ...new Set(results.flatMap(({ rows }) => rows.map(({ peer }) => peer))),
];

function without(row) {
  if (!row) return 'not run';
  if (row.skipped) return row.skipped.split(' (')[0].slice(0, 24);
  return row.rejected ? `–${row.encodeMs ? ` (${seconds(row.encodeMs)})` : ''}` : null;
}

/** One line a field and tolerance, one column a contender. */
function pointTable(results, tolerances, cell) {
  const peers = contendersOf(results);
  const lines = results.flatMap(({ field, rows }) =>
    tolerances.map((t) => {
      const of = (peer) => rows.find((row) => row.peer === peer && row.tolerance === Number(t));
      return [field, t, ...peers.map((peer) => without(of(peer)) ?? cell(of(peer)))];
    }),
  );
  return table(['field', 'tolerance', ...peers], lines);
}

/** Raw bytes over whole encoded bytes; "–": the codec refused, after that time. */
export const ratioTable = (results, tolerances) =>
  pointTable(results, tolerances, (row) => {
    const beyond = row.maxError > row.bound ? ` ERROR ${factor(row.maxError / row.bound)} × BOUND` : '';
    return `${factor(row.ratio)}${row.chose ? ` ${row.chose}` : ''}${beyond}`;
  });

/** PSNR in dB, and the largest error as a part of the bound. */
export const errorTable = (results, tolerances) =>
  pointTable(
    results,
    tolerances,
    (row) => `${decibels(row.psnr)} · ${(row.maxError / row.bound).toFixed(2)}`,
  );

/** Medians over the tolerances. */
export function timeTable(results) {
  const peers = contendersOf(results);
  const lines = results.map(({ field, rows }) => [
    field,
    ...peers.map((peer) => {
      const all = rows.filter((row) => row.peer === peer);
      const reached = all.filter((row) => row.ratio);
      return reached.length ? allTimes(reached) : without(all[0]);
    }),
  ]);
  return table(['field', ...peers], lines);
}

/** The best peer's ratio beside auto's; null where not both were measured. */
export function bestTable(results, tolerances, peers) {
  const lines = results.flatMap(({ field, rows }) =>
    tolerances.flatMap((t) => {
      const at = rows.filter((row) => row.tolerance === Number(t) && row.ratio);
      const [best] = at.filter(({ peer }) => peers.includes(peer)).sort((a, b) => b.ratio - a.ratio);
      const auto = at.find(({ peer }) => peer === 'auto');
      if (!best || !auto) return [];
      return [
        [
          field,
          t,
          factor(auto.ratio),
          auto.chose,
          factor(best.ratio),
          best.peer,
          (auto.ratio / best.ratio).toFixed(2),
        ],
      ];
    }),
  );
  if (!lines.length) return null;
  return table(
    ['field', 'tolerance', 'auto', 'by', 'best peer', 'which', 'auto / best peer'],
    lines,
    (c) => ![0, 3, 5].includes(c),
  );
}

/** What cubes.mjs measured: one line a figure. */
export const cubeTable = (rows) =>
  table(
    ['cube', 'what', 'measured'],
    rows.map(({ cube, what, value, skipped }) => [cube, what ?? '', skipped ?? value]),
    () => false,
  );
