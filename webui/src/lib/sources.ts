/** Where the photos of a list come from: its outline first, and then any part of it. */

import { api, type CutQuery, type ImageFilter } from './client.ts'
import type { Bucket, Cell, Group, Ranking } from './types.ts'

export interface Outlined {
  readonly items: readonly Bucket[]
  readonly total: number
}

export interface Source {
  outline(): Promise<Outlined>
  bucket(key: string, signal: AbortSignal): Promise<readonly Cell[]>
  /** The bucket that a photo may be in, when that can be told without fetching buckets. */
  whereabouts?(id: string): Promise<string | null>
}

/** Photos in a page of a list that is fetched whole. */
const PAGE = 500

/** The library's own timeline under a filter, by the month. */
export function months(filter: ImageFilter): Source {
  return {
    outline: () => api.outline(filter),
    bucket: async (key, signal) => (await api.bucket(key, filter, signal)).items,
    async whereabouts(id) {
      if (filter.sort === '-added') return null
      const { taken_at } = await api.image(id)
      return taken_at === null ? null : new Date(taken_at * 1000).toISOString().slice(0, 7)
    },
  }
}

/** A list that the daemon answers in pages, as a whole. */
async function whole<T>(page: (cursor: string | null) => Promise<{ items: readonly T[]; next_cursor: string | null }>, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    signal?.throwIfAborted()
    const next = await page(cursor)
    items.push(...next.items)
    cursor = next.next_cursor
  } while (cursor !== null)
  return items
}

function all(filter: ImageFilter, signal: AbortSignal): Promise<Cell[]> {
  return whole((cursor) => api.images({ ...filter, cursor, limit: PAGE }), signal)
}

/** All photos of one group as a single run, since the months they were taken in do not matter. */
export function group(id: string): Source {
  return {
    async outline() {
      const { total } = await api.images({ group: id, limit: 1 })
      return { items: total ? [{ key: 'all', count: total }] : [], total }
    },
    bucket: (_key, signal) => all({ group: id }, signal),
    whereabouts: () => Promise.resolve('all'),
  }
}

/** The photos of one group from best to worst by a metric. `learn` hears of the ranking. */
export function rankedGroup(id: string, metric: string, learn: (ranking: Ranking) => void): Source {
  let places = new Map<string, number>()
  return {
    async outline() {
      const [ranking, outlined] = await Promise.all([api.rankGroup(id, metric), group(id).outline()])
      places = new Map(ranking.items.map((item, place) => [item.id, place]))
      learn(ranking)
      return outlined
    },
    async bucket(key, signal) {
      const place = (cell: Cell): number => places.get(cell.id) ?? places.size
      return [...(await group(id).bucket(key, signal))].sort((one, other) => place(one) - place(other))
    },
    whereabouts: () => Promise.resolve('all'),
  }
}

/** What one cut through the tree of groups puts together, as a single run. */
export function cutGroup(node: string, cut: CutQuery): Source {
  return {
    async outline() {
      const { total } = await api.cutImages(node, cut, null, 1)
      return { items: total ? [{ key: 'all', count: total }] : [], total }
    },
    bucket: (_key, signal) => whole((cursor) => api.cutImages(node, cut, cursor, PAGE), signal),
    whereabouts: () => Promise.resolve('all'),
  }
}

/** The key of the section of photos that are in no group. */
export const LONERS = 'none'

/** All groups, the largest first. Rejects with a Problem. */
export function groupList(): Promise<Group[]> {
  return whole((cursor) => api.groups(cursor, PAGE))
}

/** The whole library by groups, the largest first, and what is in none at the end. `learn` hears of the groups. */
export function groups(learn: (groups: readonly Group[]) => void): Source {
  return {
    async outline() {
      const list = await groupList()
      const loners = (await api.images({ group: LONERS, limit: 1 })).total
      learn(list)
      const items: Bucket[] = list.map(({ id, size }) => ({ key: id, count: size }))
      if (loners) items.push({ key: LONERS, count: loners })
      return { items, total: items.reduce((sum, { count }) => sum + count, 0) }
    },
    bucket: (key, signal) => all({ group: key }, signal),
    whereabouts: async (id) => (await api.image(id)).group ?? LONERS,
  }
}
