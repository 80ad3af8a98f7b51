import { describe, expect, it } from 'vitest'

import { aspect, estimator, justify, nearest, rowOf, type Laid, type Sized } from '../src/lib/layout.ts'

const options = { width: 1000, target: 200, gap: 4 }

/** Photos of odd shapes, the same in every run. */
function photos(count: number, low = 200, high = 4000): Sized[] {
  let seed = 7
  const next = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647
  return Array.from({ length: count }, () => ({ width: Math.ceil(low + next() * high), height: Math.ceil(low + next() * high) }))
}

function inRow(laid: Laid, row: number) {
  const { start, end } = laid.rows[row]!
  return laid.boxes.slice(start, end)
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
    expect(justify([], options)).toEqual({ boxes: [], rows: [], height: 0 })
    expect(justify(photos(3), { ...options, width: 0 })).toEqual({ boxes: [], rows: [], height: 0 })
  })

  it('places every photo once, in order, and each in a row', () => {
    const laid = justify(photos(500), options)
    expect(laid.boxes.map(({ index }) => index)).toEqual(Array.from({ length: 500 }, (_, index) => index))
    expect(laid.rows[0]!.start).toBe(0)
    expect(laid.rows.at(-1)!.end).toBe(500)
    for (let row = 1; row < laid.rows.length; row++) expect(laid.rows[row]!.start).toBe(laid.rows[row - 1]!.end)
  })

  it.each([320, 777, 1000, 2560])('fills a width of %i in every row but the last', (width) => {
    const laid = justify(photos(300), { ...options, width })
    for (let row = 0; row < laid.rows.length - 1; row++) {
      const last = inRow(laid, row).at(-1)!
      expect(last.left + last.width).toBe(width)
      expect(laid.rows[row]!.height).toBeLessThanOrEqual(options.target)
    }
    for (const box of laid.boxes) {
      expect(box.width).toBeGreaterThan(0)
      expect(box.left + box.width).toBeLessThanOrEqual(width)
    }
  })

  it('keeps the aspect of every photo within rounding', () => {
    const list = photos(200)
    const laid = justify(list, options)
    for (let row = 0; row < laid.rows.length - 1; row++) {
      const boxes = inRow(laid, row)
      for (const box of boxes) expect(Math.abs(box.width - aspect(list[box.index]!) * box.height)).toBeLessThanOrEqual(2 + boxes.length)
    }
  })

  it('stacks rows without overlap, to the height it says', () => {
    const laid = justify(photos(200), options)
    laid.rows.reduce((bottom, row) => {
      expect(row.top).toBeGreaterThanOrEqual(bottom)
      return row.top + row.height
    }, 0)
    expect(laid.height).toBe(laid.rows.at(-1)!.top + laid.rows.at(-1)!.height)
  })

  it('leaves full rows as they are when more photos follow', () => {
    const list = photos(120)
    const short = justify(list.slice(0, 100), options).rows
    expect(justify(list, options).rows.slice(0, short.length - 1)).toEqual(short.slice(0, -1))
  })
})

describe('the height of photos that are not here', () => {
  it.each([
    [1276, 200],
    [700, 168],
    [366, 112],
  ])('is guessed well at a width of %i', (width, target) => {
    const sized = { width, target, gap: 4 }
    const cameras = Array.from({ length: 400 }, (_, at): Sized => (at % 5 ? { width: 4000, height: 3000 } : { width: 3000, height: 4000 }))
    for (const [list, error] of [[photos(600), 0.25], [cameras, 0.1]] as const) {
      const guess = estimator(list.slice(0, 200), sized)
      for (const count of [150, 400]) {
        const real = justify(list.slice(-count), sized).height
        expect(Math.abs(guess(count) - real) / real).toBeLessThan(error)
      }
    }
  })

  it('is a row for one photo, nothing for none, and known without any sample', () => {
    const guess = estimator([], options)
    expect(guess(0)).toBe(0)
    expect(guess(1)).toBeGreaterThan(100)
    expect(guess(1)).toBeLessThanOrEqual(200)
    expect(estimator([], { ...options, width: 0 })(10)).toBe(0)
  })
})

describe('rows', () => {
  it('are found by any of their photos', () => {
    const laid = justify(photos(90), options)
    laid.rows.forEach(({ start, end }, row) => {
      for (let index = start; index < end; index++) expect(rowOf(laid, index)).toBe(row)
    })
  })

  it('know which photo is nearest', () => {
    const laid = justify(photos(40), options)
    const { start, end } = laid.rows[0]!
    expect(nearest(laid, 0, -50)).toBe(start)
    expect(nearest(laid, 0, 5000)).toBe(end - 1)
    const box = laid.boxes[start + 1]!
    expect(nearest(laid, 0, box.left + box.width / 2)).toBe(start + 1)
  })
})
