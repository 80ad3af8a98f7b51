import { describe, expect, it } from 'vitest'

import { doing, left, pace, words } from '../src/lib/stages.ts'
import type { Stage } from '../src/lib/types.ts'

const stage: Stage = { name: 'analyze', depth: 0, rate: 0, eta: null, paused: false, can_pause: true, error: null, error_at: null }

describe('stages', () => {
  it('have names', () => expect(words(stage).title).toBe('Analysing'))

  it('rest, wait, work or are held', () => {
    expect(doing(stage)).toBe('at rest')
    expect(doing({ ...stage, depth: 3 })).toBe('waiting')
    expect(doing({ ...stage, depth: 3, rate: 2 })).toBe('working')
    expect(doing({ ...stage, depth: 3, rate: 2, paused: true })).toBe('held')
  })

  it('tell their pace in the unit that has digits', () => {
    expect(pace(stage)).toBe('')
    expect(pace({ ...stage, rate: 12.36 })).toBe('12.4 files/s')
    expect(pace({ ...stage, name: 'score', rate: 0.05 })).toBe('3 photos/min')
  })

  it('tell the time left only when there is something to do', () => {
    expect(left({ ...stage, eta: 0 })).toBe('')
    expect(left({ ...stage, depth: 1 })).toBe('time left not known yet')
    expect(left({ ...stage, depth: 1, eta: 90 })).toBe('about 1 min 30 s left')
    expect(left({ ...stage, depth: 1, eta: 90, paused: true })).toBe('waits until you resume it')
  })
})
