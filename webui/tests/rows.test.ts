import { describe, expect, it } from 'vitest'

import { tree } from '../src/lib/plans.ts'
import { holder, rowsOf } from '../src/lib/rows.ts'

const branches = tree([
  { path: '/p', steps: ['e'] },
  { path: '/p/2', steps: ['b', 'c'] },
  { path: '/p/10/x', steps: ['a'] },
])

describe('rows of a plan', () => {
  it('are folders and steps, each with its place among those beside it', () => {
    expect(rowsOf(branches, new Set()).map(({ key, level, place, of }) => `${key} ${level} ${place}/${of}`)).toEqual([
      '/p 1 1/1', 'e 2 1/3', '/p/2 2 2/3', 'b 3 1/2', 'c 3 2/2', '/p/10/x 2 3/3', 'a 3 1/1',
    ])
  })

  it('know where in the whole list their step is', () => {
    expect(rowsOf(branches, new Set()).flatMap((row) => (row.kind === 'step' ? [row.index] : []))).toEqual([0, 1, 2, 3])
  })

  it('leave out what is in a closed folder', () => {
    expect(rowsOf(branches, new Set(['/p/2'])).map(({ key }) => key)).toEqual(['/p', 'e', '/p/2', '/p/10/x', 'a'])
    expect(rowsOf(branches, new Set(['/p'])).map(({ key }) => key)).toEqual(['/p'])
  })

  it('are held by a folder', () => {
    const rows = rowsOf(branches, new Set())
    expect(rows.map((_, at) => holder(rows, at))).toEqual([-1, 0, 0, 2, 2, 0, 5])
  })
})
