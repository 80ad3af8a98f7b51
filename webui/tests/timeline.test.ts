import { describe, expect, it, vi } from 'vitest'

import { arrivals, departures } from '../src/lib/outlines.ts'
import type { Source } from '../src/lib/sources.ts'
import { gather, Selection } from '../src/lib/selection.svelte.ts'
import { Timeline } from '../src/lib/timeline.svelte.ts'
import type { Cell } from '../src/lib/types.ts'

function photo(id: string, month: string): Cell & { month: string } {
  return { id, name: `${id}.jpg`, month, status: 'indexed', width: 4, height: 3, taken_at: 0, rating: null, label: null, group: null }
}

const ids = (cells: readonly Cell[] | null): string => (cells ?? []).map(({ id }) => id).join('')

/** A daemon with photos by month; what is asked of it is written down, and answered when `gate` opens. */
class Daemon implements Source {
  photos: (Cell & { month: string })[]
  asked: string[] = []
  gate: Promise<void> = Promise.resolve()
  broken = false

  constructor(months: Record<string, string>) {
    this.photos = Object.entries(months).flatMap(([month, letters]) => [...letters].map((id) => photo(id, month)))
  }

  async outline() {
    if (this.broken) throw new TypeError('no')
    const counts = new Map<string, number>()
    for (const { month } of this.photos) counts.set(month, (counts.get(month) ?? 0) + 1)
    const items = [...counts].sort(([a], [b]) => (a < b ? 1 : -1)).map(([key, count]) => ({ key, count }))
    await Promise.resolve()
    return { items, total: this.photos.length }
  }

  async bucket(key: string, signal: AbortSignal) {
    this.asked.push(key)
    await this.gate
    signal.throwIfAborted()
    if (this.broken) throw new TypeError('no')
    return this.photos.filter(({ month }) => month === key)
  }
}

async function opened(months: Record<string, string>, near: string[] = []): Promise<[Timeline, Daemon]> {
  const daemon = new Daemon(months)
  const list = new Timeline(daemon)
  list.show()
  await list.open()
  list.want(near)
  await vi.waitFor(() => expect(near.every((key) => list.cells(key))).toBe(true))
  return [list, daemon]
}

describe('outlines', () => {
  const now = [{ key: 'b', count: 3 }, { key: 'a', count: 2 }]

  it('tell how many came', () => {
    expect(arrivals(now, [{ key: 'c', count: 4 }, { key: 'b', count: 3 }, { key: 'a', count: 1 }])).toBe(4)
    expect(arrivals(now, now)).toBe(0)
  })

  it('lose what has gone and gain nothing', () => {
    expect(departures(now, [{ key: 'c', count: 4 }, { key: 'b', count: 2 }])).toEqual([{ key: 'b', count: 2 }])
    expect(departures(now, [{ key: 'b', count: 9 }, { key: 'a', count: 9 }])).toEqual(now)
  })
})

describe('Timeline', () => {
  it('knows its whole length before any photo', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc', '2024-04': 'de' })
    expect([list.total, list.buckets.map(({ key }) => key), daemon.asked]).toEqual([5, ['2024-05', '2024-04'], []])
    expect(list.cells('2024-05')).toBeNull()
  })

  it('fetches what is near, once', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc', '2024-04': 'de' }, ['2024-04'])
    list.want(['2024-04', '2024-05'])
    await vi.waitFor(() => expect(ids(list.cells('2024-05'))).toBe('abc'))
    expect(daemon.asked).toEqual(['2024-04', '2024-05'])
    expect(list.locate('e')).toEqual({ key: '2024-04', index: 1 })
    expect(list.locate('x')).toBeNull()
  })

  it('ends fetches of what was flung past, and comes back to it', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc', '2024-04': 'de' })
    let open = (): void => undefined
    daemon.gate = new Promise((resolve) => (open = resolve))
    list.want(['2024-05'])
    list.want(['2024-04'])
    open()
    await vi.waitFor(() => expect(ids(list.cells('2024-04'))).toBe('de'))
    expect(list.cells('2024-05')).toBeNull()
    expect(list.problem).toBeNull()
    list.want(['2024-05'])
    await vi.waitFor(() => expect(ids(list.cells('2024-05'))).toBe('abc'))
  })

  it('gives who asks a bucket, wherever the view is', async () => {
    const [list] = await opened({ '2024-05': 'abc', '2024-04': 'de' })
    list.want(['2024-05'])
    const wanted = list.fetch('2024-04')
    list.want([])
    expect(ids(await wanted)).toBe('de')
  })

  it('counts what is new, and changes nothing that is looked at until it is asked to', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc', '2024-04': 'de' }, ['2024-05'])
    list.calm = () => false
    daemon.photos.push(photo('x', '2024-05'), photo('y', '2024-06'))
    list.news()
    await vi.waitFor(() => expect(list.waiting).toBe(2))
    expect([list.total, ids(list.cells('2024-05'))]).toEqual([5, 'abc'])
    expect(await list.welcome()).toBe('2024-06')
    expect([list.total, list.waiting, ids(list.cells('2024-05')), ids(list.cells('2024-06'))]).toEqual([7, 0, 'abcx', 'y'])
    expect([...list.fresh].sort()).toEqual(['x', 'y'])
    expect(await list.welcome()).toBeNull()
  })

  it('points nothing out in a bucket that nobody had seen', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc', '2024-04': 'de' }, ['2024-05'])
    daemon.photos.push(photo('x', '2024-04'))
    expect(await list.welcome()).toBe('2024-04')
    expect([ids(list.cells('2024-04')), list.fresh.size]).toEqual(['dex', 0])
  })

  it('puts them in by itself when that disturbs nobody', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc' }, ['2024-05'])
    daemon.photos.push(photo('x', '2024-05'))
    list.news()
    await vi.waitFor(() => expect(ids(list.cells('2024-05'))).toBe('abcx'))
    expect(list.waiting).toBe(0)
  })

  it('takes out what has gone at once, and still only counts what came', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc', '2024-04': 'de', '2024-03': 'f' }, ['2024-05', '2024-04'])
    list.calm = () => false
    daemon.photos = daemon.photos.filter(({ id }) => !'bf'.includes(id)).concat(photo('x', '2024-04'))
    list.news()
    await vi.waitFor(() => expect(ids(list.cells('2024-05'))).toBe('ac'))
    expect([list.total, list.waiting, list.buckets.length]).toEqual([4, 1, 2])
    expect(ids(list.cells('2024-04'))).toBe('de')
  })

  it('corrects its count by what a bucket really holds', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc', '2024-04': 'de' })
    daemon.photos = daemon.photos.filter(({ id }) => id !== 'd')
    list.want(['2024-04'])
    await vi.waitFor(() => expect(ids(list.cells('2024-04'))).toBe('e'))
    expect([list.total, list.buckets[1]!.count]).toEqual([4, 1])
  })

  it('looks only while it is shown', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc' }, ['2024-05'])
    list.show()()
    daemon.photos.push(photo('x', '2024-05'))
    list.news()
    await Promise.resolve()
    expect(ids(list.cells('2024-05'))).toBe('abc')
    list.show()
    await vi.waitFor(() => expect(ids(list.cells('2024-05'))).toBe('abcx'))
  })

  it('changes photos in place and lets the others be', async () => {
    const [list] = await opened({ '2024-05': 'abc', '2024-04': 'de' }, ['2024-05', '2024-04'])
    const april = list.cells('2024-04')
    list.patch(new Map([['b', { rating: 5 }], ['x', { rating: 1 }]]))
    expect(list.cells('2024-05')!.map(({ rating }) => rating)).toEqual([null, 5, null])
    expect(list.cells('2024-04')).toBe(april)
  })

  it('takes photos out at once', async () => {
    const [list] = await opened({ '2024-05': 'abc', '2024-04': 'de' }, ['2024-05', '2024-04'])
    list.remove(new Set(['a', 'd', 'e']))
    expect([list.total, ids(list.cells('2024-05')), list.buckets.map(({ key }) => key), list.has('a')]).toEqual([2, 'bc', ['2024-05'], false])
  })

  it('stops on a failure until it is told to try again', async () => {
    const daemon = new Daemon({ '2024-05': 'abc' })
    daemon.broken = true
    const list = new Timeline(daemon)
    await list.open()
    expect([list.problem?.status, list.total]).toEqual([0, null])
    daemon.broken = false
    list.want(['2024-05'])
    list.retry()
    await vi.waitFor(() => expect(ids(list.cells('2024-05'))).toBe('abc'))
    expect(list.problem).toBeNull()
  })
})

describe('Selection', () => {
  const picked = (selection: Selection): string => ids(selection.photos)

  it('picks ranges over buckets that were never seen', async () => {
    const [list, daemon] = await opened({ '2024-05': 'abc', '2024-04': 'de', '2024-03': 'fgh' }, ['2024-05'])
    const selection = new Selection(list)
    selection.toggle(list.cell('b')!)
    await selection.extend(1, 6)
    expect(picked(selection)).toBe('bcdefg')
    expect(daemon.asked).toContain('2024-04')
  })

  it('draws a range in again, and keeps what was picked before it', async () => {
    const [list] = await opened({ '2024-05': 'abcdefgh' }, ['2024-05'])
    const selection = new Selection(list)
    selection.toggle(list.cell('h')!)
    selection.toggle(list.cell('b')!)
    await selection.extend(1, 5)
    await selection.extend(1, 3)
    expect([...picked(selection)].sort().join('')).toBe('bcdh')
    await selection.extend(1, 0)
    expect([...picked(selection)].sort().join('')).toBe('abh')
  })

  it('picks a whole bucket, and lets it go', async () => {
    const [list] = await opened({ '2024-05': 'abc' }, ['2024-05'])
    const selection = new Selection(list)
    selection.toggle(list.cell('b')!)
    selection.toggleAll(list.cells('2024-05')!)
    expect(selection.size).toBe(3)
    selection.toggleAll(list.cells('2024-05')!)
    expect(selection.size).toBe(0)
  })

  it('shows photos as they are now, and forgets those that are no more', async () => {
    const [list] = await opened({ '2024-05': 'abc' }, ['2024-05'])
    const selection = new Selection(list)
    selection.toggleAll(list.cells('2024-05')!)
    list.patch(new Map([['a', { rating: 3 }]]))
    expect(selection.photos[0]!.rating).toBe(3)
    selection.forget(new Set(['a']))
    expect(picked(selection)).toBe('bc')
    selection.clear()
    expect(selection.size).toBe(0)
  })
})

describe('gather', () => {
  it('keeps the order and goes only so many abreast', async () => {
    let running = 0
    let most = 0
    const task = (value: number) => async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 5 - value))
      running--
      return value
    }
    expect(await gather([0, 1, 2, 3, 4].map(task), 2)).toEqual([0, 1, 2, 3, 4])
    expect(most).toBe(2)
  })
})
