import { afterEach, describe, expect, it } from 'vitest'

import { choices, COMPOSITE, direction, preferred, unranked } from '../src/lib/ranking.ts'
import { dismiss, toasts } from '../src/lib/toasts.svelte.ts'
import type { MetricState, Ranking } from '../src/lib/types.ts'

function metric(name: string, lower: boolean | null, reason: MetricState['reason'] = null): MetricState {
  return { name, state: reason ? 'unavailable' : 'ready', lower_better: lower, low: lower === null ? null : 0, high: lower === null ? null : 100, reason, device: '', license: null, long_side: null }
}

const metrics = [metric('niqe', null, { code: 'x', message: 'weights are missing', next_step: 'Pull them.' }), metric('piqe', true), metric('musiq', false)]

afterEach(() => {
  for (const { id } of toasts.all) dismiss(id)
})

describe('ways to rank', () => {
  it('say which way they point', () => {
    expect(['piqe', 'musiq', 'niqe', COMPOSITE].map((name) => direction(name, metrics))).toEqual(['lower is better', 'higher is better', '', 'higher is better'])
  })

  it('are the metrics, and all of them together', () => {
    expect(choices(metrics).map(({ name }) => name)).toEqual(['niqe', 'piqe', 'musiq', COMPOSITE])
    expect(choices(metrics.slice(1, 2))).toEqual([{ name: 'piqe', about: 'lower is better, 0 to 100', trouble: '' }])
  })

  it('begin with one that works', () => {
    expect(preferred(choices(metrics))).toBe('piqe')
    expect(preferred([])).toBe('')
  })
})

describe('a ranking', () => {
  const ranking = (rank: number | null): Ranking => ({ metric: 'niqe', lower_better: true, ties: '', at: 0, items: [{ id: 'a', rank, value: rank }], job: null })

  it('that holds nothing says why', () => {
    expect(unranked(ranking(null), metrics)).toBe(true)
    expect(toasts.all[0]!.detail).toBe('weights are missing. Pull them.')
  })

  it('that holds something is one', () => {
    expect(unranked(ranking(1), metrics)).toBe(false)
  })
})
