import { asProblem, type Problem } from './problem.ts'

interface Page<T> {
  items: readonly T[]
  total: number
  next_cursor: string | null
}

/** A list that is fetched page by page and renewed as a whole, as long as it is shown. */
export class Paged<T extends { id: string }> {
  items = $state.raw<readonly T[]>([])
  total = $state<number | null>(null)
  /** Why the list could not be renewed, until it can. */
  problem = $state.raw<Problem | null>(null)
  #cursor = $state<string | null>(null)
  #busy = false
  readonly #fetch: (cursor: string | null) => Promise<Page<T>>

  constructor(fetch: (cursor: string | null) => Promise<Page<T>>) {
    this.#fetch = fetch
  }

  /** Whether there is more than is shown. */
  get unfinished(): boolean {
    return this.#cursor !== null
  }

  /** Fetch again as much as is shown, so that nothing shrinks under the reader. */
  async renew(): Promise<void> {
    try {
      const list: T[] = []
      let next: string | null = null
      do {
        const page: Page<T> = await this.#fetch(next)
        list.push(...page.items)
        this.total = page.total
        next = page.next_cursor
      } while (next !== null && list.length < this.items.length)
      this.items = list
      this.#cursor = next
      this.problem = null
    } catch (error) {
      this.problem = asProblem(error)
    }
  }

  /** Fetch the next page; rejects when that fails. */
  async more(): Promise<void> {
    if (this.#busy || this.#cursor === null) return
    this.#busy = true
    try {
      const page = await this.#fetch(this.#cursor)
      const known = new Set(this.items.map((item) => item.id))
      this.items = this.items.concat(page.items.filter((item) => !known.has(item.id)))
      this.#cursor = page.next_cursor
    } finally {
      this.#busy = false
    }
  }
}
