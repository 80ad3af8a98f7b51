import { describe, expect, it } from 'vitest'

import { doing, front, left, notes, pace, words } from '../src/lib/stages.ts'
import type { Stage } from '../src/lib/types.ts'

const stage: Stage = { name: 'analyze', depth: 0, rate: 0, bytes: 0, eta: null, growing: false, away: 0, paused: false, can_pause: true, error: null, error_at: null }

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
    expect(left({ ...stage, depth: 1, eta: 95 })).toBe('about 2 min left')
    expect(left({ ...stage, depth: 1, eta: 95, growing: true })).toBe('at least 2 min left')
    expect(left({ ...stage, depth: 1, eta: 90, paused: true })).toBe('waits until you resume it')
    expect(left({ ...stage, depth: 3, away: 3 })).toBe('waits for its folder to return')
    expect(left({ ...stage, name: 'group', depth: 3 })).toBe('with the next regrouping')
  })

  it('add the size of what waits, what is out of reach and that more is found', () => {
    expect(notes(stage)).toBe('')
    expect(notes({ ...stage, depth: 9, bytes: 4.2e9, away: 2, growing: true })).toBe('4.2 GB, 2 out of reach, more is still being found')
  })

  it('name the one in front', () => {
    const score = { ...stage, name: 'score' as const, depth: 2 }
    expect(front([stage, score])).toBe(score)
    expect(front([{ ...stage, depth: 1 }, score])?.name).toBe('analyze')
    expect(front([stage, { ...stage, name: 'group', depth: 4 }])).toBeNull()
  })
})
