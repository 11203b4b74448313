/** Which bytes are read together: neighbours in one go, across gaps where a few bytes more cost less than another request. */

export interface Span {
  /** Bytes of different files are never read together. */
  file: number;
  offset: number;
  bytes: number;
}

export interface Range extends Span {
  /** Numbers of the spans that it holds, in the order of their offsets. */
  parts: number[];
}

export interface RangeLimits {
  /** Bytes of the largest gap between two spans of one range. */
  gapBytes: number;
  /** Bytes of all gaps together, but for those of `freeBytes`. */
  wasteBytes: number;
  /** Gaps of fewer bytes cost nothing: what alignment leaves. */
  freeBytes: number;
  /** Bytes of a range, unless one span alone has more. */
  mostBytes: number;
}

/** Ranges that hold all spans, by file and offset. Spans may overlap where a file is damaged. */
export function planRanges(spans: readonly Span[], limits: RangeLimits): Range[] {
  const order = ascending(
    spans.length,
    (i, j) => spans[i].file - spans[j].file || spans[i].offset - spans[j].offset,
  );
  const gaps = order.map((i, k) => {
    if (k === 0 || spans[order[k - 1]].file !== spans[i].file) return Number.POSITIVE_INFINITY;
    const before = spans[order[k - 1]];
    return Math.max(0, spans[i].offset - before.offset - before.bytes);
  });
  // The smallest gaps first: so few requests as the bytes allow.
  let left = limits.wasteBytes;
  const wide = [...gaps.keys()].filter((k) => gaps[k] >= limits.freeBytes && gaps[k] <= limits.gapBytes);
  const bridged = new Set<number>();
  for (const k of wide.sort((a, b) => gaps[a] - gaps[b] || a - b)) {
    if (gaps[k] > left) break;
    left -= gaps[k];
    bridged.add(k);
  }
  const ranges: Range[] = [];
  order.forEach((i, k) => {
    const { file, offset, bytes } = spans[i];
    const range = ranges[ranges.length - 1];
    const end = Math.max(offset + bytes, range ? range.offset + range.bytes : 0);
    if (range && (gaps[k] < limits.freeBytes || bridged.has(k)) && end - range.offset <= limits.mostBytes) {
      range.bytes = end - range.offset;
      range.parts.push(i);
    } else {
      ranges.push({ file, offset, bytes, parts: [i] });
    }
  });
  return ranges;
}

/** The numbers from 0 on in the order that `compare` says; at once where they are in it. */
export function ascending(count: number, compare: (i: number, j: number) => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = 1; i < count; i++) if (compare(i - 1, i) > 0) return order.sort(compare);
  return order;
}

/** Results of jobs in their order, `ahead` of them under way while one is used. Those under way have ended when it returns. */
export async function* inOrder<T>(
  jobs: readonly ((signal: AbortSignal) => Promise<T>)[],
  ahead: number,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const leaving = new AbortController();
  const either = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
  const underWay: Promise<T>[] = [];
  let next = 0;
  const start = () => {
    while (underWay.length < ahead && next < jobs.length) {
      const job = jobs[next++](either);
      // Told of when its turn comes.
      job.catch(() => {});
      underWay.push(job);
    }
  };
  try {
    start();
    while (underWay.length > 0) {
      const result = await underWay[0];
      underWay.shift();
      signal?.throwIfAborted();
      start();
      yield result;
    }
  } finally {
    leaving.abort();
    await Promise.allSettled(underWay);
  }
}
