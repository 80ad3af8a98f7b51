import { describe, expect, it } from 'vitest'

import { icon, known, sentence, told } from '../src/lib/proposals.ts'
import type { ProposedChange } from '../src/lib/types.ts'

function line(kind: ProposedChange['kind'], more: Partial<ProposedChange> = {}): ProposedChange {
  return { id: 'c', kind, group: 'a', group_name: 'Cats', to: 'b', to_name: 'Dogs', photos: 3, images: [], waits: true, why: 'you named Cats', unsteady: false, ...more }
}

describe('a line of a proposal', () => {
  it('says what it would do, of every kind', () => {
    expect(sentence(line('join', { group: null, group_name: null }))).toBe('3 photos of no group would join Dogs')
    expect(sentence(line('leave', { to: null, to_name: null }))).toBe('3 photos would leave Cats for no group')
    expect(sentence(line('move', { photos: 1 }))).toBe('1 photo would move from Cats to Dogs')
    expect(sentence(line('split', { to_name: null }))).toBe('3 photos of Cats would form a group of their own')
    expect(sentence(line('merge'))).toBe('Cats would become part of Dogs, with 3 photos')
    expect(sentence(line('birth', { group: null, group_name: null }))).toBe('3 photos of no group would form a new group')
    expect(sentence(line('end', { to: null, to_name: null }))).toBe('Cats would end: its last 3 photos would be in no group')
  })

  it('says what it did when it applied itself', () => {
    expect(sentence(line('move', { waits: false }))).toBe('3 photos moved from Cats to Dogs')
    expect(sentence(line('birth', { waits: false, to_name: null }))).toBe('3 photos of no group formed an unnamed group')
  })

  it('has its groups apart, to be linked', () => {
    expect(told(line('move'))).toEqual(['3 photos', ' would move from ', { group: 'a', name: 'Cats' }, ' to ', { group: 'b', name: 'Dogs' }])
  })

  it('knows which groups can be looked at already', () => {
    expect(known(line('move'))).toEqual(['a', 'b'])
    expect(known(line('split'))).toEqual(['a'])
    expect(known(line('split', { waits: false }))).toEqual(['a', 'b'])
    expect(known(line('birth', { group: null }))).toEqual([])
  })

  it('has a sign of its own', () => {
    const kinds = ['join', 'leave', 'move', 'split', 'merge', 'birth', 'end'] as const
    expect(new Set(kinds.map(icon)).size).toBe(kinds.length)
  })
})
