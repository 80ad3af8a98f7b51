import { expect, it } from 'vitest'

import { bars, since, SPANS, told } from '../src/lib/trials.ts'
import type { Trial } from '../src/lib/types.ts'

const TRIAL: Trial = { at: 1, since: null, rules: [], photos: 2400, matched: {}, unmatched: 400, agree: 1500, differ: 500, directories: {}, examples: [], job: null }

it('says when the photos to try rules on begin', () => {
  const now = Date.UTC(2024, 5, 30) / 1000
  expect(SPANS.map((span) => since(span, now))).toEqual([null, '2023-07-01', '2024-05-31'])
})

it('says what was found', () => {
  expect(told(TRIAL)).toBe('2,000 of 2,400 photos would be taken by a rule. 1,500 of them (75%) lie already where the rules would put them, 500 lie elsewhere.')
  expect(told({ ...TRIAL, unmatched: 2400, agree: 0, differ: 0 })).toBe('0 of 2,400 photos would be taken by a rule.')
})

it('draws counts as shares of the largest', () => {
  expect(bars({ a: 2, b: 8 })).toEqual([{ name: 'b', text: '8', share: 1 }, { name: 'a', text: '2', share: 0.25 }])
  expect(bars({})).toEqual([])
})
