import { describe, expect, it } from 'vitest'

import { across, along, anchorAt, leap, marks, scrollTo, sectionAt, sectionOf, span, stack, within, type Part, type Section } from '../src/lib/geometry.ts'
import { justify } from '../src/lib/layout.ts'

const options = { width: 1000, target: 200, gap: 4 }

/** Photos of 3:2, of which five stand in a row. */
function part(key: string, count: number, known = true, shift = 0): Part {
  const laid = justify(Array.from({ length: count }, () => ({ width: 300 + shift, height: 200 })), options)
  return { key, count, heading: 40, body: known ? laid.height : 1000, laid: known ? laid : null }
}

const closed = (key: string, count: number): Part => ({ key, count, heading: 40, body: 0, laid: null })
const list = stack([part('2024-06', 12), part('2024-05', 50, false), part('2024-03', 30)], 20)
const idAt = (section: Section, index: number): string => `${section.key} ${index}`
const indexOf = (_: Section, id: string): number => Number(id.split(' ')[1])

describe('stack', () => {
  it('puts parts one below the other and counts through', () => {
    const [june, may, march] = list.sections
    expect(june!.top).toBe(0)
    expect(may!.top).toBe(june!.height + 20)
    expect([june!.first, may!.first, march!.first, list.count]).toEqual([0, 12, 62, 92])
    expect(list.height).toBe(march!.top + march!.height)
    expect(stack([], 20)).toMatchObject({ height: 0, count: 0 })
  })

  it('finds sections by height and by photo', () => {
    expect(sectionAt(list, -5)!.key).toBe('2024-06')
    expect(sectionAt(list, list.sections[1]!.top)!.key).toBe('2024-05')
    expect(sectionAt(list, 1e9)!.key).toBe('2024-03')
    expect(sectionOf(list, 11)!.key).toBe('2024-06')
    expect(sectionOf(list, 12)!.key).toBe('2024-05')
    expect(sectionAt(stack([], 20), 0)).toBeUndefined()
  })
})

describe('within', () => {
  it('answers the boxes of the rows that are touched, and none of what is not known', () => {
    const [june] = list.sections
    const row = june!.laid!.rows[1]!
    const found = within(list, june!.heading + row.top + 1, june!.heading + row.top + 2)
    expect(found).toEqual([{ section: june, start: row.start, end: row.end }])
    expect(within(list, june!.height + 100, june!.height + 200)).toEqual([{ section: list.sections[1], start: 0, end: 0 }])
  })

  it('covers everything once when the view goes down', () => {
    const seen = new Set<string>()
    for (let y = 0; y < list.height; y += 150) {
      for (const { section, start, end } of within(list, y, y + 150)) for (let at = start; at < end; at++) seen.add(idAt(section, at))
    }
    expect(seen.size).toBe(42)
  })
})

describe('anchors', () => {
  it('keep a photo where it is when what is above turns out another height', () => {
    const scroll = list.sections[2]!.top + 300
    const anchor = anchorAt(list, scroll, idAt)!
    const after = stack([part('2024-06', 12), part('2024-05', 50), part('2024-03', 30)], 20)
    const section = after.sections[2]!
    const box = section.laid!.boxes[indexOf(section, anchor.id!)]!
    expect(section.top + section.heading + box.top - scrollTo(after, anchor, indexOf)).toBe(anchor.offset)
    expect(scrollTo(list, anchor, indexOf)).toBe(scroll)
  })

  it('keep the share of a section that is not known yet', () => {
    const may = list.sections[1]!
    const scroll = may.top + may.heading + 0.4 * may.body
    const anchor = anchorAt(list, scroll, idAt)!
    expect([anchor.key, anchor.id]).toEqual(['2024-05', null])
    const after = stack([part('2024-06', 12), part('2024-05', 50), part('2024-03', 30)], 20)
    const there = after.sections[1]!
    expect(scrollTo(after, anchor, indexOf)).toBeCloseTo(there.top + there.heading + 0.4 * there.body)
  })

  it('outlive photos put in above them', () => {
    const scroll = list.sections[2]!.top + 100
    const anchor = anchorAt(list, scroll, idAt)!
    const after = stack([part('2024-07', 400), part('2024-06', 13), part('2024-05', 50, false), part('2024-03', 30)], 20)
    expect(scrollTo(after, anchor, indexOf) - after.sections[3]!.top).toBe(100)
  })

  it('fall back on the neighbourhood of a section that is no more', () => {
    const anchor = anchorAt(list, list.sections[1]!.top + 200, idAt)!
    const after = stack([part('2024-06', 12), part('2024-03', 30)], 20)
    expect(scrollTo(after, anchor, indexOf)).toBe(after.sections[1]!.top)
    expect(scrollTo(stack([], 20), anchor, indexOf)).toBe(0)
  })

  it('name the row of which most is seen', () => {
    const june = list.sections[0]!
    const row = june.laid!.rows[0]!
    expect(anchorAt(list, june.heading + row.height * 0.4, idAt)!.id).toBe('2024-06 0')
    expect(anchorAt(list, june.heading + row.height * 0.6, idAt)!.id).toBe(`2024-06 ${row.end}`)
  })
})

describe('moving', () => {
  const whole = stack([part('a', 12), closed('b', 9), part('c', 30)], 20)

  it('goes along over sections that are closed', () => {
    expect(along(whole, 4, 1)).toBe(5)
    expect(along(whole, 11, 1)).toBe(21)
    expect(along(whole, 21, -1)).toBe(11)
    expect(along(whole, 0, -1)).toBeNull()
    expect(along(whole, 50, 1)).toBeNull()
  })

  it('goes up and down by rows and comes back', () => {
    expect(across(whole, 0, -1)).toBeNull()
    for (let index = 0; index < whole.count; index++) {
      const section = sectionOf(whole, index)!
      if (!section.laid) continue
      const below = across(whole, index, 1)
      if (below === null) continue
      expect(below).toBeGreaterThan(index)
      const back = across(whole, below, -1)!
      const row = section.laid.rows.findIndex((one) => index - section.first < one.end)
      expect(back - section.first).toBeGreaterThanOrEqual(section.laid.rows[row]!.start)
      expect(back - section.first).toBeLessThan(section.laid.rows[row]!.end)
    }
  })

  it('leaps by about a view, into what is not known as well, and stops at the ends', () => {
    expect(leap(whole, 0, 410)).toBeGreaterThan(5)
    expect(leap(whole, 0, -500)).toBeLessThan(5)
    expect(leap(whole, 21, 1e6)).toBeGreaterThan(45)
    const guess = leap(list, 0, list.sections[1]!.top + 500)
    expect(sectionOf(list, guess)!.key).toBe('2024-05')
  })
})

describe('span', () => {
  const buckets = [{ key: 'a', count: 3 }, { key: 'b', count: 4 }, { key: 'c', count: 5 }]

  it('cuts a range into parts of buckets, whichever end comes first', () => {
    const pieces = [{ key: 'a', start: 2, end: 3 }, { key: 'b', start: 0, end: 4 }, { key: 'c', start: 0, end: 1 }]
    expect(span(buckets, 2, 7)).toEqual(pieces)
    expect(span(buckets, 7, 2)).toEqual(pieces)
  })

  it('may be one photo or everything', () => {
    expect(span(buckets, 4, 4)).toEqual([{ key: 'b', start: 1, end: 2 }])
    expect(span(buckets, 0, 11).reduce((sum, { start, end }) => sum + end - start, 0)).toBe(12)
  })
})

describe('marks', () => {
  const months = Array.from({ length: 96 }, (_, at) => part(`${2024 - Math.floor(at / 12)}-${String(12 - (at % 12)).padStart(2, '0')}`, 40, false))

  it('writes every year once and keeps them apart', () => {
    const { years, months: dots } = marks(stack(months, 20), 800, 700)
    expect(years.map(({ text }) => text)).toEqual(['2024', '2023', '2022', '2021', '2020', '2019', '2018', '2017'])
    years.reduce((before, { y }) => {
      expect(y - before).toBeGreaterThanOrEqual(28)
      return y
    }, -28)
    for (const dot of dots) for (const { y } of years) expect(Math.abs(dot - y)).toBeGreaterThan(12)
  })

  it('leaves years out where there is no room, and knows nothing of other keys', () => {
    const { years } = marks(stack(months, 20), 800, 120)
    expect(years.length).toBeLessThan(5)
    expect(marks(stack([part('n500', 500, false)], 4), 800, 700)).toEqual({ years: [], months: [] })
  })
})
