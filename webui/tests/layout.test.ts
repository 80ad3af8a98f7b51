import { describe, expect, it } from 'vitest'

import { aspect, justify, locate, neighbour, type Layout, type Sized } from '../src/lib/layout.ts'

const options = { width: 1000, target: 200, gap: 4, heading: 44 }

/** Photos of odd shapes, the same in every run. */
function photos(count: number): Sized[] {
  let seed = 7
  const next = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647
  return Array.from({ length: count }, () => ({ width: Math.ceil(200 + next() * 4000), height: Math.ceil(200 + next() * 4000) }))
}

function rows(layout: Layout) {
  return layout.bands.filter((band) => band.kind === 'row')
}

describe('aspect', () => {
  it('takes an unknown size for 4:3', () => {
    expect(aspect({ width: null, height: null })).toBeCloseTo(4 / 3)
    expect(aspect({ width: 0, height: 10 })).toBeCloseTo(4 / 3)
  })

  it('tames panoramas and slivers', () => {
    expect(aspect({ width: 20_000, height: 100 })).toBe(3.2)
    expect(aspect({ width: 10, height: 9000 })).toBe(0.4)
  })
})

describe('justify', () => {
  it('lays nothing out without photos or room', () => {
    expect(justify([], options, () => '')).toEqual({ bands: [], height: 0 })
    expect(justify(photos(3), { ...options, width: 0 }, () => '')).toEqual({ bands: [], height: 0 })
  })

  it('places every photo once, in order', () => {
    const layout = justify(photos(500), options, () => '')
    const indices = rows(layout).flatMap((row) => row.cells.map((cell) => cell.index))
    expect(indices).toEqual(Array.from({ length: 500 }, (_, index) => index))
  })

  it.each([320, 777, 1000, 2560])('fills a width of %i in every row but the last', (width) => {
    const layout = justify(photos(300), { ...options, width }, () => '')
    for (const row of rows(layout).slice(0, -1)) {
      const last = row.cells.at(-1)!
      expect(last.left + last.width).toBe(width)
      expect(row.height).toBeLessThanOrEqual(options.target)
    }
    for (const row of rows(layout)) {
      for (const cell of row.cells) {
        expect(cell.width).toBeGreaterThan(0)
        expect(cell.left + cell.width).toBeLessThanOrEqual(width)
      }
    }
  })

  it('keeps the aspect of every photo within rounding', () => {
    const list = photos(200)
    for (const row of rows(justify(list, options, () => '')).slice(0, -1)) {
      for (const cell of row.cells) expect(Math.abs(cell.width - aspect(list[cell.index]!) * row.height)).toBeLessThanOrEqual(2 + row.cells.length)
    }
  })

  it('stacks bands without overlap', () => {
    const layout = justify(photos(200), options, (photo) => (photo.width! > 2000 ? 'wide' : 'narrow'))
    layout.bands.reduce((bottom, band) => {
      expect(band.top).toBeGreaterThanOrEqual(bottom)
      return band.top + band.height
    }, 0)
    const last = layout.bands.at(-1)!
    expect(layout.height).toBe(last.top + last.height)
  })

  it('starts a section with a heading that knows its count', () => {
    const list = photos(7)
    const layout = justify(list, options, (photo) => (list.indexOf(photo) < 5 ? 'June 2024' : 'May 2024'))
    const headings = layout.bands.filter((band) => band.kind === 'heading')
    expect(headings.map(({ text, count }) => [text, count])).toEqual([
      ['June 2024', 5],
      ['May 2024', 2],
    ])
    expect(layout.bands[0]!.kind).toBe('heading')
  })

  it('leaves full rows as they are when more photos follow', () => {
    const list = photos(120)
    const short = rows(justify(list.slice(0, 100), options, () => ''))
    const long = rows(justify(list, options, () => ''))
    expect(long.slice(0, short.length - 1)).toEqual(short.slice(0, -1))
  })
})

describe('finding one’s way', () => {
  const list = photos(90)
  const layout = justify(list, options, (photo) => `part ${Math.floor(list.indexOf(photo) / 20)}`)

  it('locates every photo', () => {
    for (let index = 0; index < list.length; index++) {
      const here = locate(layout, index)!
      const band = layout.bands[here.band]!
      expect(band.kind === 'row' && band.cells[here.cell]!.index).toBe(index)
    }
    expect(locate(layout, list.length)).toBeNull()
    expect(locate({ bands: [], height: 0 }, 0)).toBeNull()
  })

  it('moves up and down by rows, over headings, and stops at the edges', () => {
    expect(neighbour(layout, 0, -1)).toBeNull()
    expect(neighbour(layout, list.length - 1, 1)).toBeNull()
    for (let index = 0; index < list.length; index++) {
      const below = neighbour(layout, index, 1)
      if (below === null) continue
      expect(below).toBeGreaterThan(index)
      const back = neighbour(layout, below, -1)!
      expect(locate(layout, back)!.band).toBe(locate(layout, index)!.band)
    }
  })
})
