import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { byGroup, common, drop, FRESH, ordered, putIn, settleAll, takeOut, takes, undo } from '../src/lib/curating.svelte.ts'
import { LONERS } from '../src/lib/sources.ts'
import { dismiss, toasts, undoLast } from '../src/lib/toasts.svelte.ts'
import type { Cell, Group } from '../src/lib/types.ts'

function cell(id: string, group: string | null): Cell {
  return { id, name: `${id}.jpg`, status: 'indexed', width: 4, height: 3, taken_at: 0, rating: null, label: null, group }
}

function group(id: string, name: string | null, size: number): Group {
  return { id, name, size, kind: 'visual', space: 'builtin', created: 0, exemplars: [], state: 'active', locked: false, touched: false, cohesion: 0, lineage: [], waiting: 0 }
}

const photos = [cell('p', 'a'), cell('q', 'a'), cell('r', 'b'), cell('s', null)]

describe('photos of groups', () => {
  it('have a group in common, or none', () => {
    expect(common(photos.slice(0, 2))).toBe('a')
    expect(common(photos.slice(0, 3))).toBeNull()
    expect(common([photos[3]!])).toBeNull()
  })

  it('are known by their group', () => {
    expect([...byGroup(photos)]).toEqual([['a', ['p', 'q']], ['b', ['r']]])
  })

  it('are not dropped where they all are', () => {
    expect(takes('a', photos.slice(0, 2))).toBe(false)
    expect(takes('a', photos)).toBe(true)
    expect(takes(LONERS, [photos[3]!])).toBe(false)
    expect(takes(LONERS, photos)).toBe(true)
    expect(takes(FRESH, photos)).toBe(true)
    expect(takes(FRESH, [])).toBe(false)
  })
})

it('groups to choose from: those used last, then those with a name, then the largest', () => {
  const groups = [group('big', null, 9), group('named', 'Cats', 3), group('small', null, 2), group('used', null, 1)]
  expect(ordered(groups, ['used']).map(({ id }) => id)).toEqual(['used', 'named', 'big', 'small'])
})

describe('edits', () => {
  const calls: [string, unknown][] = []

  beforeEach(() => {
    calls.length = 0
    for (const { id } of toasts.all) dismiss(id)
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
      const body: unknown = JSON.parse(String(init.body))
      calls.push([path.replace('/api/groups/', ''), body])
      if (path.includes('/none/')) return Promise.resolve(Response.json({ title: 'Locked', status: 409, detail: 'The group is locked.' }, { status: 409 }))
      if (/proposal.(accept|refuse)$/.test(path)) {
        const items = (body as { ids: string[] }).ids.map((id) => ({
          id,
          edit: id === 'gone' ? null : { edit: `e-${id}`, summary: `Accepted ${id}`, groups: [], undo: null, left: [] },
          reason: id === 'gone' ? { code: 'not-found', message: 'It is gone', next_step: 'Look again' } : null,
        }))
        return Promise.resolve(Response.json({ items }))
      }
      const edit = `e${calls.length}`
      return Promise.resolve(Response.json({ edit, summary: `Did ${edit}`, groups: [], undo: null, left: path.endsWith('/undo') ? ['1 photo was edited since.'] : [] }))
    })
  })
  afterEach(() => vi.unstubAllGlobals())

  const said = (): string[] => toasts.all.map(({ text }) => text)

  it('are told with a way back, and the undoing with one too', async () => {
    expect(await putIn('b', photos.slice(0, 2))).toEqual(new Set(['p', 'q']))
    expect(calls).toEqual([['b/members', { add: ['p', 'q'] }]])
    expect(toasts.all.at(-1)).toMatchObject({ text: 'Did e1', action: { label: 'Undo' } })
    undoLast()
    await vi.waitFor(() => expect(said()).toContain('Did e2'))
    expect(calls.at(-1)).toEqual(['edits/e1/undo', {}])
    expect(toasts.all.at(-1)).toMatchObject({ detail: '1 photo was edited since.', action: { label: 'Redo' } })
    undoLast()
    await vi.waitFor(() => expect(calls.at(-1)).toEqual(['edits/e2/undo', {}]))
    await vi.waitFor(() => expect(toasts.all.at(-1)).toMatchObject({ text: 'Did e3', action: { label: 'Undo' } }))
  })

  it('of photos of several groups are one message, undone in reverse', async () => {
    expect(await takeOut(photos)).toEqual(new Set(['p', 'q', 'r', 's']))
    expect(calls).toEqual([['a/members', { remove: ['p', 'q'] }], ['b/members', { remove: ['r'] }]])
    expect(toasts.all).toHaveLength(1)
    undoLast()
    await vi.waitFor(() => expect(calls.slice(2)).toEqual([['edits/e2/undo', {}], ['edits/e1/undo', {}]]))
  })

  it('that fail move nothing and say why', async () => {
    expect(await putIn('none', photos)).toEqual(new Set())
    expect(toasts.all.at(-1)).toMatchObject({ tone: 'bad', text: 'The photos could not be moved', action: null })
    expect(await undo(['none'])).toBe(false)
  })

  it('follow from where photos are dropped', async () => {
    await drop(LONERS, photos.slice(0, 1))
    await drop(FRESH, photos.slice(0, 2))
    await drop('b', photos.slice(0, 1))
    expect(calls).toEqual([['a/members', { remove: ['p'] }], ['a/split', { images: ['p', 'q'] }], ['b/members', { add: ['p'] }]])
    expect(await drop(FRESH, photos)).toEqual(new Set(['p', 'q', 'r', 's']))
    expect(calls[3]).toEqual(['/api/groups', { images: ['p', 'q', 'r', 's'] }])
  })

  it('settle lines by the hundred, and tell how far that is', async () => {
    const heard: number[] = []
    await settleAll(Array.from({ length: 150 }, (_, at) => `c${at}`), 'refuse', (through) => heard.push(through))
    expect(calls.map(([path]) => path)).toEqual(['proposal/refuse', 'proposal/refuse'])
    expect(heard).toEqual([100, 150])
    expect(said()).toEqual(['150 changes refused'])
  })

  it('accept many lines at once, and say which could not be', async () => {
    await settleAll(['c1', 'c2', 'gone'], 'accept', () => {})
    expect(said()).toEqual(['2 changes accepted', '1 change could not be accepted'])
    undoLast()
    await vi.waitFor(() => expect(calls.slice(1).map(([path]) => path)).toEqual(['edits/e-c2/undo', 'edits/e-c1/undo']))
  })
})
