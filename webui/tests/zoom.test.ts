import { describe, expect, it } from 'vitest'

import { fit, isFit, limits, settle, swipe, toggle, wheel, zoom } from '../src/lib/zoom.ts'

const window = { width: 1000, height: 600 }
const wide = { width: 4000, height: 1000 }
const small = { width: 100, height: 100 }

describe('zoom', () => {
  it('shows the whole picture in the middle', () => {
    expect(fit(window, wide)).toEqual({ scale: 0.25, x: 0, y: 175 })
    expect(fit(window, small)).toEqual({ scale: 6, x: 200, y: 0 })
  })

  it('keeps what is under the pointer under it', () => {
    const before = zoom(fit(window, wide), 2, { x: 500, y: 300 }, window, wide, 1)
    const point = { x: 420, y: 250 }
    const after = zoom(before, 3, point, window, wide, 1)
    const under = (view: typeof before): number[] => [(point.x - view.x) / view.scale, (point.y - view.y) / view.scale]
    expect(under(after)[0]).toBeCloseTo(under(before)[0]!)
    expect(under(after)[1]).toBeCloseTo(under(before)[1]!)
  })

  it('has limits: never smaller than whole or its pixels, never beyond eight device pixels a pixel', () => {
    expect(limits(window, wide, 2)).toEqual({ least: 0.25, most: 4 })
    expect(limits(window, small, 1)).toEqual({ least: 1, most: 12 })
    const view = fit(window, wide)
    expect(zoom(view, 1000, { x: 0, y: 0 }, window, wide, 1).scale).toBe(8)
    expect(zoom(view, 0.0001, { x: 0, y: 0 }, window, wide, 1).scale).toBe(0.25)
  })

  it('leaves no gap at a side of a picture larger than the window', () => {
    expect(settle({ scale: 1, x: 50, y: 50 }, window, wide)).toEqual({ scale: 1, x: 0, y: 0 })
    expect(settle({ scale: 1, x: -9000, y: -9000 }, window, wide)).toEqual({ scale: 1, x: -3000, y: -400 })
  })

  it('toggles between whole and pixels, and finds something to do where they are the same', () => {
    const whole = fit(window, wide)
    const pixels = toggle(whole, { x: 500, y: 300 }, window, wide, 1)
    expect(pixels.scale).toBe(1)
    expect(toggle(pixels, { x: 500, y: 300 }, window, wide, 1)).toEqual(whole)
    expect(toggle(fit(window, small), { x: 500, y: 300 }, window, small, 1).scale).toBe(12)
    expect(isFit(toggle(fit(window, window), { x: 0, y: 0 }, window, window, 1), window, window)).toBe(false)
  })

  it('turns of the wheel up and down undo each other, whatever the unit', () => {
    expect(wheel(100, 0, false) * wheel(-100, 0, false)).toBeCloseTo(1)
    expect(wheel(-3, 1, false)).toBeGreaterThan(1)
    expect(wheel(10, 0, true)).toBeLessThan(1)
    expect(wheel(-1e9, 0, false)).toBeLessThan(3)
  })

  it.each([
    [-120, 10, 300, 'next'],
    [120, 10, 300, 'previous'],
    [-30, 2, 50, 'next'],
    [-30, 2, 500, null],
    [5, 140, 300, 'close'],
    [5, -140, 300, null],
    [60, 60, 100, null],
  ])('a drag of %d, %d in %d ms means %s', (dx, dy, time, meaning) => expect(swipe(dx, dy, time)).toBe(meaning))
})
