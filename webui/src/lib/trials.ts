/** Rules tried on the library: on which photos, and what came of it, in words. Pure. */

import * as format from './format.ts'
import type { Trial } from './types.ts'

/** Photos to try rules on. */
export interface Span {
  readonly value: string
  readonly name: string
  /** How many days back it reaches; null for all. */
  readonly days: number | null
}

export const SPANS: readonly Span[] = [
  { value: 'all', name: 'All photos', days: null },
  { value: 'year', name: 'The last year', days: 365 },
  { value: 'month', name: 'The last 30 days', days: 30 },
]

/** The day on which a span begins, as "2024-06-08"; null for one without a beginning. */
export function since(span: Span, now: number): string | null {
  return span.days === null ? null : new Date((now - span.days * 86_400) * 1000).toISOString().slice(0, 10)
}

/** What a trial found, in two sentences. */
export function told(trial: Trial): string {
  const taken = trial.photos - trial.unmatched
  const first = `${format.count(taken)} of ${format.plural(trial.photos, 'photo')} would be taken by a rule.`
  const judged = trial.agree + trial.differ
  if (!judged) return first
  return `${first} ${format.count(trial.agree)} of them (${format.percent(trial.agree / judged)}) lie already where the rules would put them, ${format.count(trial.differ)} lie elsewhere.`
}

/** Counts by name as bars: the largest first, each as long as its share of the largest. */
export function bars(counts: Readonly<Record<string, number>>): { name: string; text: string; share: number }[] {
  const sorted = Object.entries(counts).sort(([, one], [, other]) => other - one)
  const most = Math.max(1, sorted[0]?.[1] ?? 1)
  return sorted.map(([name, count]) => ({ name, text: format.count(count), share: count / most }))
}
