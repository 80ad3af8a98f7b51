import { describe, expect, it } from 'vitest'

import { endangered, returned } from '../src/lib/discarded.ts'
import type { TrashItem } from '../src/lib/types.ts'

function item(id: string, image: string, last: boolean): TrashItem {
  return { id, image, root: 'r', path: `/photos/${id}.jpg`, name: `${id}.jpg`, size: 1, companions: 0, at: 0, until: 0, last_copy: last }
}

describe('what is lost with files of the trash', () => {
  const all = [item('a', 'A', true), item('b', 'B', false), item('c', 'C', false), item('d', 'C', false)]

  it('is a photo of which they are the last copy', () => {
    expect(endangered(all, new Set(['a', 'b']))).toEqual({ sure: 1, ask: [] })
  })

  it('may be one whose every copy in the trash goes', () => {
    expect(endangered(all, new Set(['c', 'd']))).toEqual({ sure: 0, ask: ['C'] })
    expect(endangered(all, new Set(['c']))).toEqual({ sure: 0, ask: [] })
  })
})

it('says what came back, and under which name', () => {
  const items = new Map(['a', 'b'].map((id) => [id, item(id, id, false)]))
  const back = (id: string, path: string) => ({ id, path, reason: null })
  expect(returned([back('a', '/photos/a.jpg')], items)).toEqual({ text: 'a.jpg is back', detail: '' })
  const both = returned([back('a', '/photos/a (2).jpg'), back('b', '/photos/b.jpg')], items)
  expect(both.text).toBe('2 files are back')
  expect(both.detail).toContain('a (2).jpg')
})
