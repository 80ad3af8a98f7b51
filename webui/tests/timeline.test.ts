import { afterEach, describe, expect, it, vi } from 'vitest'

import { Timeline, weave } from '../src/lib/timeline.svelte.ts'
import type { Image } from '../src/lib/types.ts'

function photo(id: string, taken: number | null): Image {
  return { id, name: id, taken_at: taken } as Image
}

const ids = (list: readonly Image[]): string => list.map(({ id }) => id).join('')

describe('weave', () => {
  const items = [photo('a', 50), photo('b', 40), photo('c', 30)]

  it('puts new photos where their time says', () => {
    expect(ids(weave(items, [photo('y', 35), photo('x', 60)], '-taken', true))).toBe('xabyc')
    expect(ids(weave([...items].reverse(), [photo('y', 35)], 'taken', true))).toBe('cyba')
  })

  it('leaves photos below the loaded part to paging', () => {
    expect(ids(weave(items, [photo('z', 10)], '-taken', false))).toBe('abc')
    expect(ids(weave(items, [photo('z', 10)], '-taken', true))).toBe('abcz')
  })

  it('puts the last added first when that is the order', () => {
    expect(ids(weave(items, [photo('x', 1)], '-added', false))).toBe('xabc')
  })

  it('counts photos without a time as the oldest', () => {
    expect(ids(weave(items, [photo('x', null)], '-taken', true))).toBe('abcx')
  })
})

describe('Timeline', () => {
  afterEach(() => vi.unstubAllGlobals())

  /** A daemon that holds photos in order of addition; the page size is 200. */
  function serve(library: Image[]): string[] {
    const asked: string[] = []
    vi.stubGlobal('fetch', (url: string) => {
      asked.push(url)
      const query = new URL(url, 'http://daemon').searchParams
      const sorted = query.get('sort') === '-added' ? [...library].reverse() : [...library].sort((a, b) => b.taken_at! - a.taken_at!)
      const start = Number(query.get('cursor') ?? 0)
      const end = start + Number(query.get('limit'))
      return Promise.resolve(Response.json({ items: sorted.slice(start, end), next_cursor: end < sorted.length ? String(end) : null, total: sorted.length }))
    })
    return asked
  }

  it('pages to the end, each photo once', async () => {
    serve(Array.from({ length: 450 }, (_, at) => photo(`p${at}`, at)))
    const list = new Timeline({})
    while (!list.complete) await list.more()
    expect(list.items.length).toBe(450)
    expect(new Set(list.items.map(({ id }) => id)).size).toBe(450)
    expect(list.total).toBe(450)
  })

  it('weaves in what was added since, and only that', async () => {
    const library = Array.from({ length: 450 }, (_, at) => photo(`p${at}`, at))
    serve(library)
    const list = new Timeline({})
    await list.more()
    library.push(photo('new', 440.5), photo('old', 3.5))
    expect(await list.welcome()).toBe(1)
    expect(list.items.findIndex(({ id }) => id === 'new')).toBe(9)
    expect([...list.fresh]).toEqual(['new'])
    while (!list.complete) await list.more()
    expect(list.items.filter(({ id }) => id === 'old')).toHaveLength(1)
    expect(list.items.length).toBe(452)
    expect(await list.welcome()).toBe(0)
  })

  it('counts what is new without touching the list when the reader is further down', async () => {
    const library = [photo('a', 1), photo('b', 2)]
    serve(library)
    const list = new Timeline({})
    await list.more()
    list.show()
    list.top = false
    library.push(photo('c', 3))
    list.news()
    await vi.waitFor(() => expect(list.waiting).toBe(1))
    expect(ids(list.items)).toBe('ba')
    await list.welcome()
    expect([ids(list.items), list.waiting]).toEqual(['cba', 0])
  })

  it('puts them in by itself at the top, and only looks when it is shown', async () => {
    const library = [photo('a', 1)]
    const asked = serve(library)
    const list = new Timeline({})
    await list.more()
    library.push(photo('b', 2))
    const before = asked.length
    list.news()
    expect(asked.length).toBe(before)
    list.show()
    await vi.waitFor(() => expect(ids(list.items)).toBe('ba'))
  })

  it('finds a photo further down, or says that it is not there', async () => {
    serve(Array.from({ length: 450 }, (_, at) => photo(`p${at}`, at)))
    expect(await new Timeline({}).until('p3')).toBe(true)
    expect(await new Timeline({}).until('nobody')).toBe(false)
  })

  it('stops on a failure until it is told to try again', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no')))
    const list = new Timeline({})
    await list.more()
    expect(list.problem?.status).toBe(0)
    await list.more()
    serve([photo('a', 1)])
    list.retry()
    await vi.waitFor(() => expect(ids(list.items)).toBe('a'))
  })

  it('changes one photo in place', async () => {
    serve([photo('a', 1), photo('b', 2)])
    const list = new Timeline({})
    await list.more()
    list.patch('a', { rating: 5 })
    expect(list.items.map(({ rating }) => rating ?? null)).toEqual([null, 5])
  })
})
