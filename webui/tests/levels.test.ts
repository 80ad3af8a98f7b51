import { describe, expect, it } from 'vitest'

import { cutOf, STEPS, stepOf, summary, words } from '../src/lib/levels.ts'

describe('the slider', () => {
  const bounds = { least: 0.2, most: 0.8 }

  it('goes from the coarsest cut to the finest', () => {
    expect(cutOf(0, bounds)).toBe(0.2)
    expect(cutOf(STEPS, bounds)).toBe(0.8)
    expect(cutOf(STEPS / 2, bounds)).toBe(0.5)
  })

  it('stands where a cut is, and within its bounds', () => {
    for (const step of [0, 1, 37, STEPS]) expect(stepOf(cutOf(step, bounds), bounds)).toBe(step)
    expect(stepOf(0, bounds)).toBe(0)
    expect(stepOf(1, bounds)).toBe(STEPS)
    expect(stepOf(0.5, { least: 0.5, most: 0.5 })).toBe(0)
  })
})

describe('levels', () => {
  it('have a name, known or not', () => {
    expect(words('near-duplicate').name).toBe('Near-duplicates')
    expect(words('other').name).toBe('other')
  })

  it('are summed up', () => {
    expect(summary({ groups: 1, grouped: 1234, ungrouped: 5 })).toBe('1 group with 1,234 photos, 5 in none')
  })
})
