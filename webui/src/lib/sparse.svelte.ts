/** A long list of which only the parts that are looked at are fetched. */

import { SvelteMap } from 'svelte/reactivity'

import { asProblem, type Problem } from './problem.ts'

/** Pages fetched at the same time. */
const ABREAST = 2

export class Sparse<T> {
  /** How many things the whole list has. */
  count = $state(0)
  /** Why a part could not be fetched, until one can. */
  problem = $state.raw<Problem | null>(null)
  #items = $state.raw(new SvelteMap<number, T>())
  /** Pages that are here, and those that are on their way. */
  #here = new Set<number>()
  #due: number[] = []
  #flying = new Set<number>()
  #generation = 0
  readonly #page: number
  readonly #fetch: (start: number, limit: number) => Promise<readonly T[]>

  constructor(page: number, fetch: (start: number, limit: number) => Promise<readonly T[]>) {
    this.#page = page
    this.#fetch = fetch
  }

  /** What stands at a place, if it was fetched. */
  at(place: number): T | undefined {
    return this.#items.get(place)
  }

  /** What was fetched so far, in the order of the list. */
  get known(): readonly T[] {
    return [...this.#items].sort(([one], [other]) => one - other).map(([, item]) => item)
  }

  /** The list is another one; what is `known` of it already is shown until it was fetched anew. */
  renew(count: number, known: (place: number) => T | undefined): void {
    const items = new SvelteMap<number, T>()
    for (let place = 0; place < count; place++) {
      const item = known(place)
      if (item !== undefined) items.set(place, item)
    }
    this.#generation++
    this.#here.clear()
    this.#flying.clear()
    this.#due = []
    this.count = count
    this.#items = items
  }

  /** Have what is between two places, [start, end); what was asked for before and is not on its way is not looked at any more. */
  want(start: number, end: number): void {
    this.#due = this.#pages(start, end).filter((page) => !this.#flying.has(page))
    this.#go()
  }

  #pages(start: number, end: number): number[] {
    const last = Math.ceil(Math.min(end, this.count) / this.#page)
    const first = Math.floor(Math.max(0, start) / this.#page)
    return Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at).filter((page) => !this.#here.has(page))
  }

  #go(): void {
    while (this.#due.length && this.#flying.size < ABREAST) void this.#load(this.#due.shift()!)
  }

  async #load(page: number): Promise<void> {
    const generation = this.#generation
    this.#flying.add(page)
    try {
      const items = await this.#fetch(page * this.#page, this.#page)
      if (generation !== this.#generation) return
      items.forEach((item, at) => this.#items.set(page * this.#page + at, item))
      this.#here.add(page)
      this.problem = null
    } catch (error) {
      if (generation === this.#generation) this.problem = asProblem(error)
    }
    if (generation !== this.#generation) return
    this.#flying.delete(page)
    this.#go()
  }
}
