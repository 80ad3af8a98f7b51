import { describe, expect, it } from 'vitest'

import { said, undoing, written } from '../src/lib/marks.ts'

describe('marks', () => {
  it('says what was put on', () => {
    expect(said({ rating: 3 })).toBe('★★★☆☆')
    expect(said({ rating: 0 })).toBe('☆☆☆☆☆')
    expect(said({ rating: null })).toBe('Rating taken back')
    expect(said({ label: 'red' })).toBe('Labelled red')
    expect(said({ label: null })).toBe('Label taken back')
    expect(said({ caption: 'x' })).toBe('Caption kept')
    expect(said({ caption: null })).toBe('Caption taken back')
  })

  it('knows the way back', () => {
    const before = { rating: 2, label: 'blue', caption: null } as const
    expect(undoing({ rating: 5 }, before)).toEqual({ rating: 2 })
    expect(undoing({ label: null }, before)).toEqual({ label: 'blue' })
    expect(undoing({ caption: 'x' }, before)).toEqual({ caption: null })
  })

  it('keeps captions without blanks at the ends', () => {
    expect(written('  on the pier \n at dusk  ')).toBe('on the pier\n at dusk')
    expect(written(' \n ')).toBeNull()
  })
})
