import { expect, test } from 'vitest'

import { compared, state } from '../src/lib/learning.ts'

test('both accuracies are shown once there are pairs kept aside', () => {
  expect(compared({ plain: null, learned: null, held_out: 0 })).toBeNull()
  expect(compared({ plain: 0.8, learned: null, held_out: 9 })).toBeNull()
  expect(compared({ plain: 0.8, learned: 0.9, held_out: 9 })?.map(({ text }) => text)).toEqual(['80%', '90%'])
})

test('every state is told in words', () => {
  const states = ['learning', 'on', 'off', 'worse'] as const
  expect(new Set(states.map((one) => state({ state: one }))).size).toBe(states.length)
})
