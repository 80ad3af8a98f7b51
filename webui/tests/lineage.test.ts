import { describe, expect, it } from 'vitest'

import { since, story, traits } from '../src/lib/lineage.ts'

describe('the story of a group', () => {
  it('is told in its order, with the other group apart', () => {
    const steps = story([
      { event: 'born', other: null, at: 1 },
      { event: 'split-from', other: 'a', at: 2 },
      { event: 'merged', other: 'b', at: 3 },
      { event: 'split-off', other: 'c', at: 4 },
    ])
    expect(steps.map(({ before, other, after }) => [before, other, after])).toEqual([
      ['Found', null, ''],
      ['Split off from', 'a', ''],
      ['', 'b', 'became part of it'],
      ['', 'c', 'was split off'],
    ])
  })
})

describe('what is special about a group', () => {
  const plain = { state: 'active', locked: false, touched: false, waiting: 0 } as const

  it('is nothing for one that nobody touched', () => expect(traits(plain)).toEqual([]))

  it('is its lock before that it was edited, and that it rests', () => {
    const names = (group: Parameters<typeof traits>[0]): string[] => traits(group).map(({ name }) => name)
    expect(names({ ...plain, touched: true })).toEqual(['yours'])
    expect(names({ ...plain, touched: true, locked: true })).toEqual(['locked'])
    expect(names({ ...plain, touched: true, state: 'resting' })).toEqual(['yours', 'resting'])
  })

  it('leaves a cohesion out that is not known', () => {
    expect(since({ space: 'clip', created: 1_717_804_800, cohesion: 0 })).toBe('alike by clip, since Sat, Jun 8, 2024')
    expect(since({ space: 'clip', created: 1_717_804_800, cohesion: 0.86 })).toBe('alike by clip (cohesion 86%), since Sat, Jun 8, 2024')
  })
})
