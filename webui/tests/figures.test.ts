import { describe, expect, it } from 'vitest'

import { bins, inWords, lastDay, overTime, sizes, SLOT } from '../src/lib/figures.ts'

describe('figures', () => {
  it('fills the months between, across years', () => {
    const { unit, bars } = overTime([
      { month: '2023-11', count: 4 },
      { month: '2024-02', count: 9 },
    ])
    expect(unit).toBe('month')
    expect(bars.map(({ name, y }) => [name, y])).toEqual([
      ['November 2023', 4],
      ['December 2023', 0],
      ['January 2024', 0],
      ['February 2024', 9],
    ])
    expect(bars[1]!.x).toBe(Date.UTC(2023, 11, 1) / 1000)
  })

  it('shows the whole year that photos of a few months are from', () => {
    const { unit, bars } = overTime([{ month: '2024-05', count: 7 }])
    expect(unit).toBe('month')
    expect([bars.length, bars[0]!.name, bars[4]!.y, bars[11]!.name]).toEqual([12, 'January 2024', 7, 'December 2024'])
  })

  it('tells long spans by years, also before 1970', () => {
    const { unit, bars } = overTime([
      { month: '1958-07', count: 1 },
      { month: '2024-01', count: 2 },
      { month: '2024-05', count: 3 },
    ])
    expect(unit).toBe('year')
    expect(bars).toHaveLength(2024 - 1958 + 1)
    expect([bars[0], bars.at(-1)!.y]).toEqual([{ x: Date.UTC(1958, 0, 1) / 1000, y: 1, name: '1958' }, 5])
  })

  it('has nothing to show of nothing', () => {
    expect(overTime([]).bars).toEqual([])
    expect(inWords([], 'photos')).toBe('No photos.')
    expect(inWords(lastDay([], 1e9), 'photos')).toBe('No photos.')
  })

  it('sums the last day in slots of ten minutes', () => {
    const now = 1_700_000_000
    const bars = lastDay([{ at: now - 60, count: 2 }, { at: now - 120, count: 3 }, { at: now - 90_000, count: 99 }], now)
    expect(bars).toHaveLength(144)
    expect(bars.reduce((sum, { y }) => sum + y, 0)).toBe(5)
    expect(bars.every(({ x }) => x % SLOT === 0)).toBe(true)
    expect(bars.at(-1)!.x + SLOT).toBeGreaterThanOrEqual(now)
  })

  it('stands bins at their middles and sizes in their order', () => {
    expect(bins({ edges: [0, 10, 20], counts: [1, 2] }).map(({ x, y }) => [x, y])).toEqual([[5, 1], [15, 2]])
    expect(sizes([{ least: 5, most: 5, count: 3 }, { least: 6, most: 10, count: 1 }])).toEqual([
      { x: 0, y: 3, name: '5' },
      { x: 1, y: 1, name: '6 to 10' },
    ])
  })

  it('says in a sentence what is to be seen', () => expect(inWords([{ x: 0, y: 3, name: '5' }, { x: 1, y: 1, name: '6' }], 'groups')).toBe('4 groups in 2 bars; the most, 3, for 5.'))
})
