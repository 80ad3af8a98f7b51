/** A list of photos of any length: known in outline from the start, fetched where it is looked at, never rebuilt by live updates. */

import type { Sized } from './layout.ts'
import { arrivals, departures } from './outlines.ts'
import { asProblem, type Problem } from './problem.ts'
import type { Outlined, Source } from './sources.ts'
import type { Bucket, Cell } from './types.ts'

/** Buckets fetched at the same time. */
const ABREAST = 3
/** Photos kept beyond what is looked at; more are forgotten, those looked at longest ago first. */
const KEPT = 20_000
/** So many photos tell what the others are like. */
const GAUGE = 100

/** What can change of a photo in its place. */
const CHANGING = ['rating', 'label', 'status', 'group', 'width', 'height'] as const
export type Change = Partial<Pick<Cell, (typeof CHANGING)[number]>>

/** `cell` with what `change` says of it, and nothing else that `change` may hold. */
function changed(cell: Cell, change: Change): Cell {
  return { ...cell, ...Object.fromEntries(CHANGING.filter((name) => change[name] !== undefined).map((name) => [name, change[name]])) }
}

interface Load {
  readonly abort: AbortController
  readonly promise: Promise<readonly Cell[]>
  /** Someone waits for all of it, near the view or not. */
  pinned: boolean
}

export class Timeline {
  readonly source: Source
  /** Its photos depend on how they are grouped. */
  readonly grouped: boolean
  buckets = $state.raw<readonly Bucket[]>([])
  /** Null until the outline is known. */
  total = $state<number | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** Photos that arrived and are not shown yet. */
  waiting = $state(0)
  /** Ids that were just put in, to be pointed out for a moment. */
  fresh = $state.raw<ReadonlySet<string>>(new Set())

  /** Whether new photos may be put in without asking, as they disturb nobody. */
  calm: () => boolean = () => true
  /** It is on screen. */
  shown = false

  /** Some of its photos, which tell the size of the others; those that were fetched first, so that it soon changes no more. */
  sample: readonly Sized[] = []
  #version = $state(0)
  #cells = new Map<string, readonly Cell[]>()
  #where = new Map<string, string>()
  #loads = new Map<string, Load>()
  #wanted: readonly string[] = []
  #pending: Outlined | null = null
  #opening: Promise<void> | null = null
  #looking: Promise<void> | null = null
  #stale = false

  constructor(source: Source, grouped = false) {
    this.source = source
    this.grouped = grouped
  }

  /** Fetch the outline, once. */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    try {
      const { items, total } = await this.source.outline()
      this.buckets = items
      this.total = total
      this.problem = null
    } catch (error) {
      this.problem = asProblem(error)
      this.#opening = null
    }
  }

  /** Try again after a failure. */
  retry(): void {
    this.problem = null
    void this.open().then(() => this.want(this.#wanted))
  }

  /** The photos of a bucket, as far as they are here. */
  cells(key: string): readonly Cell[] | null {
    void this.#version
    return this.#cells.get(key) ?? null
  }

  /** Where a photo is that is here: its bucket, and its place therein. */
  locate(id: string): { key: string; index: number } | null {
    void this.#version
    const key = this.#where.get(id)
    if (key === undefined) return null
    const index = this.#cells.get(key)?.findIndex((cell) => cell.id === id) ?? -1
    return index < 0 ? null : { key, index }
  }

  has(id: string): boolean {
    return this.#where.has(id)
  }

  cell(id: string): Cell | null {
    const here = this.locate(id)
    return here && this.#cells.get(here.key)![here.index]!
  }

  /** These buckets are near the view, the most urgent first. Fetches of others end. */
  want(keys: readonly string[]): void {
    this.#wanted = keys
    for (const [key, load] of this.#loads) if (!load.pinned && !keys.includes(key)) load.abort.abort()
    this.#next()
  }

  #next(): void {
    if (this.problem) return
    for (const key of this.#wanted) {
      if ([...this.#loads.values()].filter((load) => !load.abort.signal.aborted).length >= ABREAST) return
      if (!this.#cells.has(key) && !this.#loads.has(key)) {
        this.#load(key).catch((error: unknown) => {
          if (!(error instanceof DOMException && error.name === 'AbortError')) this.problem = asProblem(error)
        })
      }
    }
  }

  /** The photos of a bucket; fetched when they are not here. Rejects with a Problem. */
  async fetch(key: string): Promise<readonly Cell[]> {
    const here = this.#cells.get(key)
    if (here) return here
    let load = this.#loads.get(key)
    if (load?.abort.signal.aborted) {
      await load.promise.catch(() => null)
      load = this.#loads.get(key)
    }
    if (load) {
      load.pinned = true
      return load.promise
    }
    return this.#load(key, true)
  }

  #load(key: string, pinned = false): Promise<readonly Cell[]> {
    const abort = new AbortController()
    const promise = this.source.bucket(key, abort.signal).then((cells) => {
      abort.signal.throwIfAborted()
      this.#put(key, cells)
      return cells
    })
    this.#loads.set(key, { abort, promise, pinned })
    const over = (): void => {
      this.#loads.delete(key)
      this.#next()
    }
    promise.then(over, over)
    return promise
  }

  /** Photos of a bucket have come; its count may have been out of date. */
  #put(key: string, cells: readonly Cell[]): void {
    this.#keep(key, cells)
    const bucket = this.buckets.find((one) => one.key === key)
    if (bucket && bucket.count !== cells.length) {
      this.buckets = this.buckets.map((one) => (one === bucket ? { key, count: cells.length } : one)).filter(({ count }) => count > 0)
      this.#sum()
    }
    this.#forget()
    this.#version++
  }

  #keep(key: string, cells: readonly Cell[]): void {
    this.#drop(key)
    this.#cells.set(key, cells)
    if (this.sample.length < GAUGE) this.sample = this.sample.concat(cells.slice(0, 2 * GAUGE))
    for (const { id } of cells) this.#where.set(id, key)
  }

  #drop(key: string): void {
    for (const { id } of this.#cells.get(key) ?? []) if (this.#where.get(id) === key) this.#where.delete(id)
    this.#cells.delete(key)
  }

  #forget(): void {
    let held = this.#where.size
    for (const [key, cells] of this.#cells) {
      if (held <= KEPT) return
      if (this.#wanted.includes(key)) continue
      held -= cells.length
      this.#drop(key)
    }
  }

  #sum(): void {
    this.total = this.buckets.reduce((sum, { count }) => sum + count, 0)
    this.waiting = this.#pending ? arrivals(this.buckets, this.#pending.items) : 0
  }

  /** The list is on screen. Returns the undoing. */
  show(): () => void {
    this.shown = true
    void this.open()
    if (this.#stale) this.news()
    return () => (this.shown = false)
  }

  /** Photos may have come or gone: take out what is gone; put in what came if that disturbs nobody, else count it. */
  news(): void {
    if (!this.shown) this.#stale = true
    else {
      this.#stale = false
      this.#looking ??= this.#look().finally(() => (this.#looking = null))
    }
  }

  async #look(): Promise<void> {
    if (this.total === null) return this.open()
    let next: Outlined
    try {
      next = await this.source.outline()
      this.#pending = next
      if (this.calm() || this.total === 0) return await this.#become(next.items)
      const left = departures(this.buckets, next.items)
      if (left.length !== this.buckets.length || left.some(({ count }, at) => count !== this.buckets[at]!.count)) await this.#become(left)
    } catch {
      return // the next event tells
    }
    this.#sum()
  }

  /** Put the new photos where they belong. Answers the first bucket that got some, null when none did. */
  async welcome(): Promise<string | null> {
    await this.#looking
    try {
      const next = await this.source.outline()
      const shown = new Map(this.buckets.map(({ key, count }) => [key, count]))
      const first = next.items.find(({ key, count }) => count > (shown.get(key) ?? 0))?.key ?? null
      this.#pending = next
      await this.#become(next.items, { first })
      return first
    } catch (error) {
      this.problem = asProblem(error)
      return null
    }
  }

  /**
   * Change to another outline in one exchange. Buckets near the view that differ, or `all` of them, are fetched
   * before, and so is the one that will be looked at `first`.
   */
  async #become(next: readonly Bucket[], how: { all?: boolean; first?: string | null } = {}): Promise<void> {
    const counts = new Map(next.map(({ key, count }) => [key, count]))
    const known = new Set(this.buckets.map(({ key }) => key))
    const differing = [...this.#cells.keys()].filter((key) => how.all || this.#cells.get(key)!.length !== counts.get(key))
    const near = new Set(differing.filter((key) => counts.has(key) && this.#wanted.includes(key)))
    // A list that was empty has nothing in view yet; its first bucket is what will be looked at.
    const first = how.first ?? (this.#cells.size ? null : next[0]?.key)
    if (first && (!this.#cells.has(first) || differing.includes(first))) near.add(first)
    const never = new AbortController().signal
    const fetched = new Map(await Promise.all([...near].map(async (key) => [key, await this.source.bucket(key, never)] as const)))
    const fresh = new Set<string>()
    for (const [key, cells] of fetched) {
      // Of a bucket that was there but not seen nobody can tell what is new.
      if (known.has(key) && !this.#cells.has(key)) continue
      for (const { id } of cells) if (!this.#where.has(id)) fresh.add(id)
    }
    for (const key of differing) this.#drop(key)
    for (const [key, cells] of fetched) {
      this.#keep(key, cells)
      counts.set(key, cells.length)
    }
    this.buckets = next.map(({ key }) => ({ key, count: counts.get(key)! })).filter(({ count }) => count > 0)
    if (fresh.size && !how.all) this.fresh = fresh
    this.#sum()
    this.#version++
    this.#next()
  }

  /** Fetch again what is here, in one exchange: photos may have left, or be in another state now. */
  async refresh(): Promise<void> {
    if (this.total === null) return this.open()
    try {
      const { items } = await this.source.outline()
      await this.#become(items, { all: true })
      this.#pending = null
      this.#sum()
    } catch (error) {
      this.problem = asProblem(error)
    }
  }

  /** Photos have changed in ways that only fetching them again tells; those near the view are, the others when they are looked at. */
  async recheck(ids: Iterable<string>): Promise<void> {
    const keys = new Set([...ids].map((id) => this.#where.get(id)).filter((key) => key !== undefined))
    for (const key of keys) {
      if (!this.#wanted.includes(key)) this.#drop(key)
      else this.#put(key, await this.source.bucket(key, new AbortController().signal))
    }
  }

  /** Change photos in place, e.g. after they were rated. */
  patch(changes: ReadonlyMap<string, Change>): void {
    const keys = new Set<string>()
    for (const id of changes.keys()) {
      const key = this.#where.get(id)
      if (key !== undefined) keys.add(key)
    }
    for (const key of keys) {
      this.#cells.set(
        key,
        this.#cells.get(key)!.map((cell) => (changes.has(cell.id) ? changed(cell, changes.get(cell.id)!) : cell)),
      )
    }
    if (keys.size) this.#version++
  }

  /** Take photos out at once, e.g. when they went to the trash. */
  remove(ids: ReadonlySet<string>): void {
    const counts = new Map(this.buckets.map(({ key, count }) => [key, count]))
    const touched = new Set([...ids].map((id) => this.#where.get(id)).filter((key) => key !== undefined))
    for (const key of touched) {
      const cells = this.#cells.get(key)!
      const left = cells.filter(({ id }) => !ids.has(id))
      this.#keep(key, left)
      counts.set(key, counts.get(key)! - (cells.length - left.length))
    }
    if (!touched.size) return
    this.buckets = this.buckets.map(({ key }) => ({ key, count: counts.get(key)! })).filter(({ count }) => count > 0)
    this.#sum()
    this.#version++
  }
}
