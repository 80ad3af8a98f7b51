import { describe, expect, it } from 'vitest'

import { ALL, elsewhere, freshLabel, keyOf, labelled, labelOf, pieces, saidBefore, sections, standing, unfit, UNSEEN } from '../src/lib/batch.ts'
import type { BatchImage } from '../src/lib/types.ts'

function image(id: string, group: string | null, manual = false, taken: number | null = 0): BatchImage {
  return { id, name: `${id}.jpg`, status: 'indexed', width: 4, height: 3, taken_at: taken, rating: null, label: null, group: null, batch_group: group, manual, rank: null, value: null }
}

const photos = [image('a', 'Cats', false, 5), image('b', 'Cats', true, 9), image('c', 'Group 1', false, null), image('d', 'Ungrouped', true, 1), image('e', null)]

describe('sections', () => {
  it('are the groups in the order of the daemon, and what no analysis has seen', () => {
    const { items, photos: held } = sections(photos, true)
    expect(items).toEqual([{ key: 'Cats', count: 2 }, { key: 'Group%201', count: 1 }, { key: 'Ungrouped', count: 1 }, { key: UNSEEN, count: 1 }])
    expect(held.get('Cats')!.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('or one run, the newest first and those without a time last', () => {
    const { items, photos: held } = sections(photos, false)
    expect(items).toEqual([{ key: ALL, count: 5 }])
    expect(held.get(ALL)!.map(({ id }) => id)).toEqual(['b', 'a', 'd', 'e', 'c'])
    expect(sections([], false).items).toEqual([])
  })

  it('have keys that can stand in lists and addresses, whatever the label', () => {
    for (const label of ['Cats, dogs', 'a~b', 'ä ö', 'x'.repeat(100)]) {
      expect(keyOf(label)).not.toMatch(/[,~ /]/)
      expect(labelOf(keyOf(label))).toBe(label)
    }
    expect([labelOf(UNSEEN), labelOf(ALL)]).toEqual([null, null])
    expect(keyOf(null)).toBe(UNSEEN)
  })
})

describe('changes by hand', () => {
  it('are undone to what the user had said, and to nothing where he had said nothing', () => {
    expect(saidBefore(photos, ['a', 'b', 'd', 'e', 'unknown'])).toEqual({ a: null, b: 'Cats', d: 'Ungrouped', e: null })
  })

  it('leave alone what is there already', () => {
    expect(elsewhere(photos, new Set(['a', 'b', 'c']), 'Cats')).toEqual(['c'])
    expect(elsewhere(photos, new Set(['a', 'b']), null)).toEqual(['b'])
  })

  it('go out in pieces', () => {
    const labels = labelled(['a', 'b', 'c'], 'Dogs')
    expect(pieces(labels, 2)).toEqual([{ a: 'Dogs', b: 'Dogs' }, { c: 'Dogs' }])
    expect(pieces({}, 2)).toEqual([])
  })
})

it('finds a free name for a new group', () => {
  expect(freshLabel([])).toBe('New group')
  expect(freshLabel([{ label: 'New group' }, { label: 'New group 2' }])).toBe('New group 3')
})

it('says what cannot be a name', () => {
  expect(unfit('Cats & dogs')).toBe('')
  expect(unfit('a/b')).toContain('slash')
  expect(unfit('x'.repeat(101))).toContain('100')
})

it('says where a batch stands', () => {
  const at = (status: 'pending' | 'processing' | 'complete' | 'failed', analyzed: number | null, size = 3): string => standing({ status, analyzed, size })
  expect([at('pending', null, 0), at('pending', null), at('pending', 5), at('processing', 5), at('complete', 5), at('failed', null)]).toEqual([
    'empty',
    'not grouped yet',
    'changed since',
    'forming groups',
    'grouped',
    'failed',
  ])
})
