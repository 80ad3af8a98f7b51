import { describe, expect, it } from 'vitest'

import { sizeFor } from '../src/lib/sizes.ts'
import { read, write } from '../src/lib/spot.ts'

describe('a place in the address', () => {
  it('is read as it was written', () => {
    expect(read(write('2024-05', 'ab'.repeat(32)))).toEqual({ key: '2024-05', id: 'abababababab' })
    expect(read(write('n500', null))).toEqual({ key: 'n500', id: null })
  })

  it('is none when nothing is there', () => {
    expect(read(null)).toBeNull()
    expect(read('')).toBeNull()
    expect(read('~abc')).toBeNull()
    expect(read('2024-05~')).toEqual({ key: '2024-05', id: null })
  })
})

describe('the size of a thumbnail', () => {
  it('is the next step that fills its place, or the whole one', () => {
    expect([sizeFor(36, 1), sizeFor(150, 1), sizeFor(90, 2), sizeFor(300, 1)]).toEqual([128, 192, 192, null])
    expect(sizeFor(140, 1)).toBe(128)
  })
})
