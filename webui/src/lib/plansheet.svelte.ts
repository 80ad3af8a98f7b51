/** One plan as it is shown: its record, and its steps and unmoved files as far as they were fetched. */

import { api } from './client.ts'
import { asProblem, type Problem } from './problem.ts'
import type { PlanDetail, PlanRecord, PlanRoom, PlanStep, Unmoved } from './types.ts'

const PAGE = 200

export class PlanSheet {
  record = $state.raw<PlanRecord | null>(null)
  steps = $state.raw<readonly PlanStep[]>([])
  unmoved = $state.raw<readonly Unmoved[]>([])
  rooms = $state.raw<readonly PlanRoom[]>([])
  /** Files that no step concerns, fetched or not. */
  left = $state(0)
  /** Why it could not be fetched, until it can. */
  problem = $state.raw<Problem | null>(null)
  #cursor = $state<string | null>(null)
  #busy = false
  #id = ''

  /** Whether there is more than was fetched. */
  get unfinished(): boolean {
    return this.#cursor !== null
  }

  /** Fetch a plan, and as much of it as of the one that is shown, so that nothing shrinks under the reader. */
  async renew(id: string): Promise<void> {
    this.#id = id
    try {
      const pages: PlanDetail[] = []
      let next: string | null = null
      let fetched = 0
      do {
        const page: PlanDetail = await api.plan(id, next, PAGE)
        if (this.#id !== id) return // another plan waits by now
        pages.push(page)
        fetched += page.items.length + page.unmoved.length
        next = page.next_cursor
      } while (next !== null && fetched < this.steps.length + this.unmoved.length)
      this.#take(pages, next)
      this.problem = null
    } catch (error) {
      if (this.#id === id) this.problem = asProblem(error)
    }
  }

  #take(pages: readonly PlanDetail[], next: string | null): void {
    const [first] = pages
    this.record = first!
    this.rooms = first!.rooms
    this.left = first!.left
    this.steps = pages.flatMap(({ items }) => items)
    this.unmoved = pages.flatMap(({ unmoved }) => unmoved)
    this.#cursor = next
  }

  /** Fetch the next page; rejects when that fails. */
  async more(): Promise<void> {
    if (this.#busy || this.#cursor === null) return
    this.#busy = true
    const id = this.#id
    try {
      const page = await api.plan(id, this.#cursor, PAGE)
      if (this.#id !== id) return
      this.steps = this.steps.concat(page.items)
      this.unmoved = this.unmoved.concat(page.unmoved)
      this.#cursor = page.next_cursor
    } finally {
      this.#busy = false
    }
  }
}
