import { describe, expect, it } from 'vitest'

import { base, below, facts, folder, outcome, spot, title, tree, undoable, within, type Branch } from '../src/lib/plans.ts'
import type { PlanRecord, PlanStep } from '../src/lib/types.ts'

function step(to: string, waits = ''): PlanStep {
  return {
    id: to, image: to, rule: 'r', action: 'move', files: [{ from: `/in${to}`, to, discarded: false }], displaced: [], returned: [], back: false, why: [], conflict: '', confidence: 1, auto: false, waits, state: 'waiting', reason: '',
  }
}

function plan(more: Partial<PlanRecord>): PlanRecord {
  return { id: 'p', at: 0, state: 'applied', root: 'i', by: 'you', rules: '', undoes: '', redoes: '', undone_by: '', steps: 3, done: 3, refused: 0, undone: 0, bytes: 0, ...more }
}

/** A branch as nested names, with its count. */
function shape({ name, count, branches, steps }: Branch): unknown {
  return [name, count, ...branches.map(shape), ...steps]
}

describe('where steps lead', () => {
  const folders = [
    { path: '/p', steps: ['e'] },
    { path: '/p/2024/10', steps: ['a'] },
    { path: '/p/2024/2', steps: ['b', 'c'] },
    { path: '/p/Travel/Beach/2024', steps: ['d'] },
  ]

  it('is a tree of folders, where those with one folder alone are joined with it', () => {
    expect(tree(folders).map(shape)).toEqual([['p', 5, ['2024', 3, ['2', 2, 'b', 'c'], ['10', 1, 'a']], ['Travel/Beach/2024', 1, 'd'], 'e']])
  })

  it('has whole paths', () => {
    const [top] = tree(folders)
    expect(top!.branches[0]!.branches.map(({ path }) => path)).toEqual(['/p/2024/2', '/p/2024/10'])
    expect(top!.branches[1]!.path).toBe('/p/Travel/Beach/2024')
  })

  it('has all steps of a branch, and knows where in the whole list they are', () => {
    expect(tree(folders).flatMap(below)).toEqual(['e', 'b', 'c', 'a', 'd'])
    expect(tree(folders)[0]!.branches[0]!.branches.map(({ first }) => first)).toEqual([2, 1])
    expect(tree([])).toEqual([])
  })

  it('shows what goes away where it is', () => {
    const copy = step('/in/a.jpg')
    expect(spot({ ...copy, back: true, files: [{ from: '/p/a.jpg', to: '/in/a.jpg', discarded: false }] })).toBe('/p/a.jpg')
    expect(spot({ ...copy, files: [{ from: '/in/a.jpg', to: '/in/.trash/a.jpg', discarded: true }] })).toBe('/in/a.jpg')
  })

  it('keeps roots apart', () => {
    expect(tree([{ path: '/a', steps: ['x'] }, { path: '/b', steps: ['y'] }]).map(({ path }) => path)).toEqual(['/a', '/b'])
  })
})

describe('paths', () => {
  it('have a folder and a name', () => {
    expect(folder('/a/b/c.jpg')).toBe('/a/b')
    expect(folder('/c.jpg')).toBe('')
    expect(base('/a/b/c.jpg')).toBe('c.jpg')
  })

  it('are told from the inbox on', () => {
    expect(within('/in/sub', '/in')).toBe('sub')
    expect(within('/in', '/in')).toBe('')
    expect(within('/inner/sub', '/in')).toBe('/inner/sub')
    expect(within('/in/sub', '')).toBe('/in/sub')
  })
})

describe('a plan of the history', () => {
  it('says what it did', () => {
    expect(title(plan({}))).toBe('Sorted 3 photos')
    expect(title(plan({ done: 2, undone: 1 }))).toBe('Sorted 2 photos')
    expect(title(plan({ state: 'applying', done: 0 }))).toBe('Sorting 3 photos')
    expect(title(plan({ undoes: 'o', steps: 1 }))).toBe('Undid a plan, 1 photo')
    expect(title(plan({ undoes: 'u', redoes: 'o', steps: 2 }))).toBe('Did a plan again, 2 photos')
  })

  it('says how it went', () => {
    expect(facts(plan({ by: 'rules', refused: 2, undone: 1, bytes: 1.2e6 }))).toEqual(['by the rules themselves', '2 not done', '1 taken back since', '1.2 MB'])
    expect(facts(plan({ state: 'undone', undone: 3, done: 3 }))).toEqual(['approved by you'])
  })

  it('can be taken back as long as something of it stands', () => {
    expect(undoable(plan({}))).toBe(true)
    expect(undoable(plan({ done: 0, refused: 3 }))).toBe(false)
    expect(undoable(plan({ state: 'undone', undone: 3 }))).toBe(false)
    expect(undoable(plan({ state: 'applying' }))).toBe(false)
  })

  it('comes to something', () => {
    expect(outcome(plan({}))).toEqual({ text: '3 photos sorted', detail: '' })
    expect(outcome(plan({ undoes: 'o', done: 1, refused: 2 }))).toEqual({ text: '1 photo back where it was', detail: '2 photos had to stay; the history says why.' })
    expect(outcome(plan({ undoes: 'u', redoes: 'o' })).text).toBe('3 photos sorted again')
    expect(outcome(plan({ done: 0 })).text).toBe('No photo was sorted')
    expect(outcome(plan({ done: 0, undoes: 'o' })).text).toBe('Nothing could be taken back')
  })
})
