/** Metrics that photos can be ranked by, and rankings, in words. */

import * as format from './format.ts'
import { say } from './toasts.svelte.ts'
import type { MetricState, Ranking } from './types.ts'

/** Stands for all configured metrics together wherever a metric is named. */
export const COMPOSITE = 'composite'
/** How the daemon orders equal scores. */
export const TIES = 'Equal scores: more pixels first, then taken earlier.'

const KEY = 'pixsortd.metric'

/** One way to rank. */
export interface Choice {
  readonly name: string
  readonly about: string
  /** Why it cannot be computed; scores that are stored can still be ranked by. */
  readonly trouble: string
}

/** Which way a metric points, in words; empty while that is not known. */
export function direction(metric: string, metrics: readonly Pick<MetricState, 'name' | 'lower_better'>[]): string {
  if (metric === COMPOSITE) return 'higher is better'
  const lower = metrics.find(({ name }) => name === metric)?.lower_better
  return lower == null ? '' : lower ? 'lower is better' : 'higher is better'
}

/** All ways to rank, the metrics in the order of the configuration. */
export function choices(metrics: readonly MetricState[]): Choice[] {
  const each = metrics.map((one) => ({
    name: one.name,
    about: [direction(one.name, metrics), one.low !== null && one.high !== null ? `${format.round(one.low)} to ${format.round(one.high)}` : ''].filter(Boolean).join(', '),
    trouble: one.state === 'unavailable' ? (one.reason?.message ?? 'not available') : '',
  }))
  const all = { name: COMPOSITE, about: 'all metrics together, 0 to 100, higher is better', trouble: '' }
  return metrics.length > 1 ? [...each, all] : each
}

/** The metric that was last ranked by, or the first that works. */
export function preferred(list: readonly Choice[]): string {
  let last: string | null = null
  try {
    last = localStorage.getItem(KEY)
  } catch {
    // Storage may be blocked.
  }
  const known = list.find(({ name }) => name === last)
  return (known ?? list.find(({ trouble }) => !trouble) ?? list[0])?.name ?? ''
}

export function prefer(metric: string): void {
  try {
    localStorage.setItem(KEY, metric)
  } catch {
    // It is then asked for anew.
  }
}

/** Whether a ranking holds nothing and never will by itself; says why then. */
export function unranked(ranking: Ranking, metrics: readonly MetricState[]): boolean {
  if (ranking.job || !ranking.items.length || ranking.items.some(({ rank }) => rank !== null)) return false
  const reason = metrics.find(({ name }) => name === ranking.metric)?.reason
  say(`No photo of it has a score by ${ranking.metric}`, {
    tone: 'bad',
    detail: reason ? `${reason.message}. ${reason.next_step}` : 'Nothing can be computed now.',
  })
  return true
}
