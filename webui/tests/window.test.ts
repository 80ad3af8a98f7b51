import { describe, expect, it } from 'vitest'

import { visible } from '../src/lib/window.ts'

const blocks = Array.from({ length: 1000 }, (_, at) => ({ top: at * 100, height: 96 }))

describe('visible', () => {
  it('is what touches the view, and no more', () => {
    expect(visible(blocks, 0, 300, 0)).toEqual({ start: 0, end: 3 })
    expect(visible(blocks, 250, 300, 0)).toEqual({ start: 2, end: 6 })
    // In the gap between two blocks the upper one is out of sight.
    expect(visible(blocks, 97, 100, 0)).toEqual({ start: 1, end: 2 })
  })

  it('is widened by the margin on both sides', () => {
    expect(visible(blocks, 5000, 500, 300)).toEqual({ start: 47, end: 58 })
  })

  it('copes with scrolling past either end and with no blocks', () => {
    expect(visible(blocks, -400, 300, 0)).toEqual({ start: 0, end: 0 })
    expect(visible(blocks, 1e9, 300, 0)).toEqual({ start: 1000, end: 1000 })
    expect(visible([], 0, 300, 600)).toEqual({ start: 0, end: 0 })
  })

  it('agrees with looking at every block', () => {
    for (let scroll = 0; scroll < 9000; scroll += 37) {
      const { start, end } = visible(blocks, scroll, 640, 120)
      const slow = blocks.map((block, at) => (block.top + block.height > scroll - 120 && block.top < scroll + 760 ? at : -1)).filter((at) => at >= 0)
      expect([start, end]).toEqual([slow[0], slow.at(-1)! + 1])
    }
  })
})
