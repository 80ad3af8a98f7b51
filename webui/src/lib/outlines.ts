/** Outlines of a list compared by their counts. Pure. */

import type { Bucket } from './types.ts'

/** How many photos `next` has that `now` does not show, by their counts alone. */
export function arrivals(now: readonly Bucket[], next: readonly Bucket[]): number {
  const shown = new Map(now.map(({ key, count }) => [key, count]))
  return next.reduce((sum, { key, count }) => sum + Math.max(0, count - (shown.get(key) ?? 0)), 0)
}

/** `now` without what is no more in `next`: nothing is added, so that nothing that is looked at moves apart. */
export function departures(now: readonly Bucket[], next: readonly Bucket[]): Bucket[] {
  const there = new Map(next.map(({ key, count }) => [key, count]))
  return now.map(({ key, count }) => ({ key, count: Math.min(count, there.get(key) ?? 0) })).filter(({ count }) => count > 0)
}
