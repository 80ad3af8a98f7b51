/** A list of photos, fetched page by page and never rebuilt by live updates. */

import { api, type ImageFilter } from './client.ts'
import { asProblem, type Problem } from './problem.ts'
import type { Image, ImagePage } from './types.ts'

/** Photos in the first page and in the further ones, which nobody waits for. */
const FIRST = 200
const PAGE = 500
/** A reload looks this far for the photo one was at. */
const DEEPEST = 20_000
/** More new photos than this are not woven in one by one; the list starts again. */
const WEAVE = 1000

/** Whether `a` comes before `b` in the list; equals do not. */
export function before(a: Image, b: Image, sort: string): boolean {
  const left = a.taken_at ?? 0
  const right = b.taken_at ?? 0
  return sort === 'taken' ? left < right : left > right
}

/** `fresh` woven into the ordered `items`; photos past the end of a list that goes on are left for paging. Pure. */
export function weave(items: readonly Image[], fresh: readonly Image[], sort: string, complete: boolean): Image[] {
  if (sort === '-added') return [...fresh, ...items]
  const ordered = [...fresh].sort((a, b) => (before(a, b, sort) ? -1 : before(b, a, sort) ? 1 : 0))
  const woven: Image[] = []
  let at = 0
  for (const item of items) {
    while (at < ordered.length && before(ordered[at]!, item, sort)) woven.push(ordered[at++]!)
    woven.push(item)
  }
  return complete ? woven.concat(ordered.slice(at)) : woven
}

export class Timeline {
  readonly filter: ImageFilter
  items = $state.raw<readonly Image[]>([])
  total = $state<number | null>(null)
  /** Everything the list has is here. */
  complete = $state(false)
  busy = $state(false)
  problem = $state.raw<Problem | null>(null)
  /** Photos that arrived and are not shown yet. */
  waiting = $state(0)
  /** Ids that were just put in, to be pointed out for a moment. */
  fresh = $state.raw<ReadonlySet<string>>(new Set())

  // Where the reader is; written by the grid, read when it comes back.
  top = true
  anchor: { id: string; offset: number } | null = null
  /** It is on screen. */
  shown = false

  #cursor: string | null = null
  #known = new Set<string>()
  /** The photo that was added last when this list was last brought up to date; empty when there was none. */
  #newest: string | undefined
  #loading: Promise<void> | null = null
  #stale = false

  constructor(filter: ImageFilter) {
    this.filter = filter
  }

  get sort(): string {
    return this.filter.sort || '-taken'
  }

  /** Fetch the next page. Calls while one is under way wait for that one. */
  more(): Promise<void> {
    if (this.complete || this.problem) return Promise.resolve()
    this.#loading ??= this.#next().finally(() => (this.#loading = null))
    return this.#loading
  }

  /** Try again after a failure. */
  retry(): void {
    this.problem = null
    void this.more()
  }

  async #next(): Promise<void> {
    this.busy = true
    try {
      if (this.#newest === undefined) this.#newest = (await api.images({ ...this.filter, sort: '-added', limit: 1 })).items[0]?.id ?? ''
      const page = await api.images({ ...this.filter, cursor: this.#cursor, limit: this.items.length ? PAGE : FIRST })
      const news = page.items.filter((image) => !this.#known.has(image.id))
      for (const image of news) this.#known.add(image.id)
      this.items = this.items.concat(news)
      this.total = page.total
      this.#cursor = page.next_cursor
      this.complete = page.next_cursor === null
    } catch (error) {
      this.problem = asProblem(error)
    } finally {
      this.busy = false
    }
  }

  /** Fetch until the photo is in the list. False when it is not, or is too far down. */
  async until(id: string): Promise<boolean> {
    while (!this.#known.has(id)) {
      if (this.complete || this.problem || this.items.length >= DEEPEST) return false
      await this.more()
    }
    return true
  }

  /** Start again from the top with what the daemon has now. */
  async restart(): Promise<void> {
    await this.#loading
    this.items = []
    this.#known.clear()
    this.#cursor = null
    this.#newest = undefined
    this.complete = false
    this.problem = null
    this.waiting = 0
    this.anchor = null
    await this.more()
  }

  /** The list is on screen. Returns the undoing. */
  show(): () => void {
    this.shown = true
    if (this.#stale) this.news()
    return () => (this.shown = false)
  }

  /** Photos may have come: put them in at the very top of the list, else count them for the reader to call in. */
  news(): void {
    if (!this.shown) this.#stale = true
    else {
      this.#stale = false
      void (this.top ? this.welcome() : this.#look())
    }
  }

  async #look(): Promise<void> {
    try {
      const { total } = await api.images({ ...this.filter, limit: 1 })
      const before = this.total ?? total
      if (total < before) await this.refresh()
      else this.waiting = total - before
    } catch {
      // The next event, or the next page, tells.
    }
  }

  /** Put the new photos where they belong. Answers how many came. */
  async welcome(): Promise<number> {
    await this.#loading
    this.waiting = 0
    const news: Image[] = []
    try {
      let cursor: string | null = null
      search: do {
        const page: ImagePage = await api.images({ ...this.filter, sort: '-added', cursor, limit: PAGE })
        this.total = page.total
        for (const image of page.items) {
          if (image.id === this.#newest) break search
          news.push(image)
        }
        cursor = page.next_cursor
      } while (cursor !== null && news.length < WEAVE)
    } catch (error) {
      this.problem = asProblem(error)
      return 0
    }
    if (news.length >= WEAVE) {
      await this.restart()
      return news.length
    }
    if (news[0]) this.#newest = news[0].id
    const unknown = news.filter((image) => !this.#known.has(image.id))
    const length = this.items.length
    this.items = weave(this.items, unknown, this.sort, this.complete)
    const shown = new Set(this.items.map((image) => image.id))
    const fresh = unknown.filter((image) => shown.has(image.id))
    for (const image of fresh) this.#known.add(image.id)
    this.fresh = new Set(fresh.map((image) => image.id))
    const came = this.items.length - length
    // Fewer than there were: some have left.
    if (this.total !== null && (this.complete ? this.items.length !== this.total : this.items.length > this.total)) await this.refresh()
    return came
  }

  /** Fetch again what is here, in one exchange at the end: photos may have left, or be in another state now. */
  async refresh(): Promise<void> {
    await this.#loading
    if (this.#cursor === null && !this.complete) return
    const wanted = this.items.length
    const items: Image[] = []
    let cursor: string | null = null
    try {
      do {
        const page: ImagePage = await api.images({ ...this.filter, cursor, limit: PAGE })
        items.push(...page.items)
        this.total = page.total
        cursor = page.next_cursor
      } while (cursor !== null && items.length < wanted)
    } catch (error) {
      this.problem = asProblem(error)
      return
    }
    this.items = items
    this.#known = new Set(items.map((image) => image.id))
    this.#cursor = cursor
    this.complete = cursor === null
    this.waiting = 0
  }

  has(id: string): boolean {
    return this.#known.has(id)
  }

  /** Change a photo in place, e.g. after it was rated. */
  patch(id: string, change: Partial<Image>): void {
    if (!this.#known.has(id)) return
    this.items = this.items.map((image) => (image.id === id ? { ...image, ...change } : image))
  }
}

const kept = new Map<string, Timeline>()

/** The list for a filter; the last few are kept, so that going back finds them as they were. */
export function timelineOf(filter: ImageFilter): Timeline {
  const key = JSON.stringify(Object.entries(filter).filter(([, value]) => value).sort())
  const found = kept.get(key) ?? new Timeline(filter)
  kept.delete(key)
  kept.set(key, found)
  for (const old of kept.keys()) {
    if (kept.size <= 8) break
    kept.delete(old)
  }
  return found
}

/** What a list shows has changed in ways that only fetching it again tells; lists out of sight are dropped. */
export function renew(which: (filter: ImageFilter) => boolean): void {
  for (const [key, list] of kept) {
    if (!which(list.filter)) continue
    if (list.shown) void list.refresh()
    else kept.delete(key)
  }
}

/** All lists that are kept. */
export function timelines(): Timeline[] {
  return [...kept.values()]
}
