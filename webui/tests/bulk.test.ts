import { afterEach, describe, expect, it, vi } from 'vitest'

import { byValue, labelAll, rateAll, trashAll } from '../src/lib/bulk.ts'
import { dismiss, toasts } from '../src/lib/toasts.svelte.ts'
import type { Cell } from '../src/lib/types.ts'

function photo(id: string, rating: number | null = null, label: Cell['label'] = null): Cell {
  return { id, name: `${id}.jpg`, status: 'indexed', width: 4, height: 3, taken_at: 0, rating, label, group: null }
}

/** Answers every call with `answer`; what was sent. */
function serve(answer: (body: Record<string, unknown>) => unknown): { method: string; body: Record<string, unknown> }[] {
  const sent: { method: string; body: Record<string, unknown> }[] = []
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    const body = JSON.parse(String(init.body)) as Record<string, unknown>
    sent.push({ method: init.method!, body })
    return Promise.resolve(Response.json(answer(body)))
  })
  return sent
}

afterEach(() => {
  vi.unstubAllGlobals()
  for (const { id } of toasts.all) dismiss(id)
})

describe('marks on many photos', () => {
  it('go out in one call, and back to what each had before', async () => {
    const sent = serve(() => ({ items: [] }))
    await rateAll([photo('a', 3), photo('b'), photo('c', 3)], 5)
    expect(sent.map(({ body }) => body)).toEqual([{ ids: ['a', 'b', 'c'], rating: 5 }])
    sent.length = 0
    toasts.all.at(-1)!.action!.run()
    await vi.waitFor(() => expect(sent.length).toBe(2))
    expect(sent.map(({ body }) => body)).toEqual([{ ids: ['a', 'c'], rating: 3 }, { ids: ['b'], rating: null }])
  })

  it('are sent in parts of a bearable size', async () => {
    const sent = serve(() => ({ items: [] }))
    await rateAll(Array.from({ length: 1200 }, (_, at) => photo(`p${at}`)), 1)
    expect(sent.map(({ body }) => (body['ids'] as string[]).length)).toEqual([500, 500, 200])
  })

  it('take a colour back where all have it', async () => {
    const sent = serve(() => ({ items: [] }))
    await labelAll([photo('a', null, 'red'), photo('b', null, 'red')], 'red')
    await labelAll([photo('a', null, 'red'), photo('b')], 'red')
    expect(sent.map(({ body }) => body['label'])).toEqual([null, 'red'])
  })

  it('complain when the daemon refuses', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ title: 'No', detail: 'No' }, { status: 409 })))
    await rateAll([photo('a')], 5)
    expect(toasts.all.at(-1)!.tone).toBe('bad')
  })
})

it('puts photos of one value together', () => {
  expect([...byValue([photo('a', 1), photo('b'), photo('c', 1)], 'rating')]).toEqual([[1, ['a', 'c']], [null, ['b']]])
})

describe('the trash', () => {
  const item = (image: string) => ({ id: `t${image}`, image, until: Date.UTC(2026, 0, 2) / 1000 })

  it('says what went, what did not and why, and brings it back', async () => {
    const sent = serve((body) => ({
      items: (body['ids'] as string[]).map((image) =>
        image === 'b'
          ? { image, items: [], last_copy: false, reason: { code: 'x', message: 'Its folder is read-only', next_step: 'Allow it.' } }
          : { image, items: [item(image)], last_copy: true, reason: null },
      ),
    }))
    expect([...(await trashAll([photo('a'), photo('b')]))]).toEqual(['a'])
    expect(toasts.all.map(({ text }) => text)).toEqual(['a.jpg moved to the trash', 'b.jpg could not be moved to the trash'])
    expect(toasts.all[0]!.detail).toBe('The only copy, kept until Fri, Jan 2, 2026.')
    sent.length = 0
    toasts.all[0]!.action!.run()
    await vi.waitFor(() => expect(sent.map(({ body }) => body)).toEqual([{ ids: ['ta'] }]))
  })
})
