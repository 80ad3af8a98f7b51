import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { live } from '../src/lib/live.svelte.ts'
import { rulebook } from '../src/lib/rulebook.svelte.ts'
import { approve, refuse, sorting, takeBack } from '../src/lib/sorting.svelte.ts'
import { dismiss, toasts, undoLast } from '../src/lib/toasts.svelte.ts'
import type { Job, PlanRecord, SortRule } from '../src/lib/types.ts'

const PLAN: PlanRecord = { id: 'draft', at: 0, state: 'waiting', root: 'i', by: '', rules: '', undoes: '', redoes: '', undone_by: '', steps: 3, done: 0, refused: 0, undone: 0, bytes: 0 }
const RULE: SortRule = {
  name: 'Month', when: {}, to: '/p/{taken:%Y}/', action: 'move', conflict: 'number', same: 'conflict', auto: false, confidence: 0.8, then: 'stop', digest: 'd', approved: false, problems: [], photos: 3,
}

function job(id: string, error: string | null = null): Job {
  return { id, kind: 'sort', state: error ? 'failed' : 'complete', created: 0, started: 0, ended: 1, detail: '', done: 3, total: 3, error, result: {} }
}

const calls: [string, unknown][] = []
let answers: Record<string, () => Response>

beforeEach(() => {
  calls.length = 0
  for (const { id } of toasts.all) dismiss(id)
  answers = {
    '/api/plans?limit=100': () => Response.json({ items: [PLAN, { ...PLAN, id: 'old', state: 'applied' }], next_cursor: null, total: 2 }),
    '/api/plans/draft/apply': () => Response.json({ ...PLAN, id: 'p1', state: 'applying', job: 'j1' }),
    '/api/plans/draft/refuse': () => Response.json({ ...PLAN, id: 'draft2', steps: 2 }),
    '/api/plans/p1/undo': () => Response.json({ ...PLAN, id: 'p2', state: 'applying', undoes: 'p1', job: 'j2' }),
    '/api/plans/p1?limit=1': () => Response.json({ ...PLAN, id: 'p1', state: 'applied', done: 3 }),
    '/api/plans/p2?limit=1': () => Response.json({ ...PLAN, id: 'p2', state: 'applied', undoes: 'p1', done: 2, refused: 1 }),
    '/api/sort/rules': () => Response.json({ items: [RULE], fields: [], filters: [], file: '/c.toml', writable: true }),
  }
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    if (init.body) calls.push([path, JSON.parse(String(init.body))])
    return Promise.resolve(answers[path]?.() ?? Response.json({ title: 'Not found' }, { status: 404 }))
  })
})
afterEach(() => vi.unstubAllGlobals())

const said = (): string[] => toasts.all.map(({ text }) => text)

describe('plans', () => {
  it('wait as long as they are not approved', async () => {
    await sorting.renew()
    expect(sorting.drafts?.map(({ id }) => id)).toEqual(['draft'])
    expect(sorting.waiting).toBe(3)
  })

  it('are approved, and told of once they are done, with a way back and forth', async () => {
    expect(await approve('draft', null)).toBe(true)
    expect(calls).toEqual([['/api/plans/draft/apply', { steps: null }]])
    expect(said()).toEqual([])
    live.take(job('j1'))
    await vi.waitFor(() => expect(toasts.all.at(-1)).toMatchObject({ text: '3 photos sorted', action: { label: 'Undo' } }))
    undoLast()
    await vi.waitFor(() => expect(calls.at(-1)).toEqual(['/api/plans/p1/undo', { steps: null }]))
    live.take(job('j2'))
    await vi.waitFor(() => expect(toasts.all.at(-1)).toMatchObject({ text: '2 photos back where they were', detail: '1 photo had to stay; the history says why.', action: { label: 'Redo' } }))
  })

  it('that were done before their job was known are told of too', async () => {
    live.take(job('j1'))
    await approve('draft', ['a', 'b'])
    expect(calls).toEqual([['/api/plans/draft/apply', { steps: ['a', 'b'] }]])
    await vi.waitFor(() => expect(said()).toContain('3 photos sorted'))
  })

  it('that changed meanwhile are not done, and the ones that wait now are shown', async () => {
    answers['/api/plans/draft/apply'] = () => Response.json({ title: 'The plan has changed', status: 409, detail: 'Files have changed.', next_step: 'Look at it again.', plan: 'other' }, { status: 409 })
    answers['/api/plans?limit=100'] = () => Response.json({ items: [{ ...PLAN, id: 'other' }], next_cursor: null, total: 1 })
    expect(await approve('draft', null)).toBe(false)
    expect(toasts.all.at(-1)).toMatchObject({ tone: 'bad', text: 'Nothing was sorted', detail: 'Files have changed. Look at it again.' })
    expect(sorting.drafts?.[0]?.id).toBe('other')
  })

  it('whose job failed say so', async () => {
    answers['/api/plans/p1?limit=1'] = () => Response.json({ ...PLAN, id: 'p1', state: 'applied' })
    live.take(job('j1', 'The disk is full'))
    await approve('draft', null)
    await vi.waitFor(() => expect(toasts.all.at(-1)).toMatchObject({ tone: 'bad', text: 'Sorting stopped', detail: 'The disk is full' }))
  })

  it('of which steps are refused', async () => {
    expect(await refuse('draft', ['a'], 1)).toBe(true)
    expect(calls).toEqual([['/api/plans/draft/refuse', { steps: ['a'] }]])
    expect(said()).toEqual(['1 photo left where it is'])
  })

  it('are refused as a whole without naming a step', async () => {
    expect(await refuse('draft', null, 3)).toBe(true)
    expect(calls).toEqual([['/api/plans/draft/refuse', { steps: null }]])
    expect(said()).toEqual(['3 photos left where they are'])
  })

  it('that are no more cannot be taken back', async () => {
    expect(await takeBack('gone', null)).toBe(false)
    expect(said()).toEqual(['It could not be taken back'])
  })
})

describe('rules', () => {
  beforeEach(async () => {
    rulebook.discard()
    await rulebook.renew()
  })

  it('are edited without being stored, and survive being fetched anew', async () => {
    const { id } = rulebook.drafts[0]!
    rulebook.change(id, { to: '/q/' })
    expect(rulebook.dirty).toBe(true)
    await rulebook.renew()
    expect(rulebook.values[0]!.to).toBe('/q/')
    rulebook.discard()
    expect(rulebook.dirty).toBe(false)
    expect(rulebook.values[0]!.to).toBe('/p/{taken:%Y}/')
  })

  it('are added, put elsewhere and removed, with a way back', () => {
    const id = rulebook.add()
    expect(rulebook.drafts.map(({ name }) => name)).toEqual(['Month', 'Rule 1'])
    rulebook.move(id, -1)
    rulebook.move(id, -1)
    expect(rulebook.drafts.map(({ name }) => name)).toEqual(['Rule 1', 'Month'])
    rulebook.remove(id)
    expect(rulebook.drafts.map(({ name }) => name)).toEqual(['Month'])
    undoLast()
    expect(rulebook.drafts.map(({ name }) => name)).toEqual(['Rule 1', 'Month'])
  })

  it('act by themselves at once, without what else is being edited', async () => {
    const other = rulebook.add()
    answers['/api/sort/rules'] = () => Response.json({ items: [{ ...RULE, auto: true }], fields: [], filters: [], file: '/c.toml', writable: true })
    await rulebook.automate('Month', true)
    expect(calls[0]).toEqual(['/api/sort/rules', { items: [expect.objectContaining({ name: 'Month', auto: true })] }])
    expect(rulebook.drafts.map(({ name, auto }) => [name, auto])).toEqual([['Month', true], ['Rule 1', false]])
    rulebook.remove(other)
    expect(rulebook.dirty).toBe(false)
  })

  it('do not act by themselves where that cannot be stored', async () => {
    answers['/api/sort/rules'] = () => Response.json({ title: 'Rules not written', status: 409, detail: 'It is read-only.' }, { status: 409 })
    await rulebook.automate('Month', true)
    expect(rulebook.drafts[0]!.auto).toBe(false)
    expect(said()).toEqual(['The rules could not be stored'])
  })

  it('that cannot be written come with what to paste', async () => {
    rulebook.change(rulebook.drafts[0]!.id, { to: '/q/' })
    answers['/api/sort/rules'] = () => Response.json({ title: 'Rules not written', status: 409, detail: 'It is read-only.', toml: '[[sort.rules]]' }, { status: 409 })
    expect(await rulebook.save()).toBe(false)
    expect(rulebook.refused).toMatchObject({ message: 'It is read-only.', more: { toml: '[[sort.rules]]' } })
    expect(rulebook.dirty).toBe(true)
  })
})
