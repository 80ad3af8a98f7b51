import { expect, it, vi } from 'vitest'

import { chord } from '../src/lib/keys.ts'

it('hears two keys within a second as one chord', () => {
  const act = vi.fn()
  let now = 0
  const press = chord(act, () => now)
  press('g')
  now = 400
  press('p')
  expect(act.mock.calls).toEqual([['g', 'p']])
  press('g')
  now = 2000
  press('p')
  expect(act).toHaveBeenCalledTimes(1)
})
