/** Which photos of a list are picked, and picking them by ranges. */

import { span } from './geometry.ts'
import type { Timeline } from './timeline.svelte.ts'
import type { Cell } from './types.ts'

export class Selection {
  readonly timeline: Timeline
  /** Where ranges start; empty before anything was picked. */
  pivot = ''
  #picked = new Map<string, Cell>()
  #version = $state(0)
  /** What was picked when the present range was begun. */
  #before: ReadonlyMap<string, Cell> = new Map()
  #asked = 0

  constructor(timeline: Timeline) {
    this.timeline = timeline
  }

  get size(): number {
    void this.#version
    return this.#picked.size
  }

  has(id: string): boolean {
    void this.#version
    return this.#picked.has(id)
  }

  /** The picked photos as they are known now, in the order of picking. */
  get photos(): Cell[] {
    void this.#version
    return [...this.#picked].map(([id, cell]) => this.timeline.cell(id) ?? cell)
  }

  toggle(cell: Cell): void {
    if (!this.#picked.delete(cell.id)) this.#picked.set(cell.id, cell)
    this.#begin(cell.id)
  }

  /** Pick all of these, or none of them when all are picked. */
  toggleAll(cells: readonly Cell[]): void {
    const all = cells.every(({ id }) => this.#picked.has(id))
    for (const cell of cells) {
      if (all) this.#picked.delete(cell.id)
      else this.#picked.set(cell.id, cell)
    }
    this.#begin(cells[0]?.id ?? '')
  }

  clear(): void {
    this.#picked.clear()
    this.#begin('')
  }

  /** These photos are no more. */
  forget(ids: ReadonlySet<string>): void {
    for (const id of ids) this.#picked.delete(id)
    this.#begin('')
  }

  #begin(pivot: string): void {
    this.pivot = pivot
    this.#before = new Map(this.#picked)
    this.#asked++
    this.#version++
  }

  /** Start a range at a photo without picking it by itself. */
  from(id: string): void {
    this.pivot = id
    this.#before = new Map(this.#picked)
  }

  /**
   * Pick everything between the pivot and a photo, both given by their place in the whole list, instead of what an
   * earlier range from the same pivot held. Buckets in between that are not here are fetched; rejects when that fails.
   */
  async extend(pivot: number, to: number): Promise<void> {
    const asked = ++this.#asked
    const pieces = span(this.timeline.buckets, pivot, to)
    const cells = await gather(pieces.map((piece) => () => this.timeline.fetch(piece.key)))
    if (asked !== this.#asked) return
    this.#picked = new Map(this.#before)
    pieces.forEach(({ start, end }, at) => {
      for (const cell of cells[at]!.slice(start, end)) this.#picked.set(cell.id, cell)
    })
    this.#version++
  }
}

/** The answers of `tasks` in their order, a few of them at the same time. */
export async function gather<T>(tasks: readonly (() => Promise<T>)[], abreast = 3): Promise<T[]> {
  const answers: T[] = []
  let next = 0
  const work = async (): Promise<void> => {
    while (next < tasks.length) {
      const at = next++
      answers[at] = await tasks[at]!()
    }
  }
  await Promise.all(Array.from({ length: Math.min(abreast, tasks.length) }, work))
  return answers
}
