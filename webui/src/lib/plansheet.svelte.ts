/** One plan as it is shown: what it says as a whole, and those of its steps and files that are looked at. */

import { api } from './client.ts'
import { asProblem, type Problem } from './problem.ts'
import { Sparse } from './sparse.svelte.ts'
import type { PlanOutline, PlanStep, Unmoved } from './types.ts'

const PAGE = 100

export class PlanSheet {
  /** Null until it was fetched. */
  outline = $state.raw<PlanOutline | null>(null)
  /** Why it could not be fetched, until it can. */
  problem = $state.raw<Problem | null>(null)
  /** By folder, as the outline has them. */
  readonly steps = new Sparse<PlanStep>(PAGE, async (start, limit) => (await api.planPart(this.#shown, start, limit)).items)
  /** Files that no step concerns, by why. */
  readonly unmoved = new Sparse<Unmoved>(PAGE, async (start, limit) => (await api.planPart(this.#shown, this.steps.count + start, limit)).unmoved)
  #id = ''

  get #shown(): string {
    return this.outline!.id
  }

  /** Show a plan; where it is another one than before, what both have stays in sight. */
  async renew(id: string): Promise<void> {
    this.#id = id
    try {
      const outline = await api.planOutline(id)
      if (this.#id !== id) return // another plan waits by now
      const known = new Map(this.steps.known.map((step) => [step.id, step]))
      const files = this.unmoved.known
      const ids = outline.folders.flatMap(({ steps }) => steps)
      const left = Object.values(outline.stays).reduce((sum, count) => sum + count, 0)
      this.outline = outline
      this.steps.renew(ids.length, (place) => known.get(ids[place]!))
      this.unmoved.renew(left, (place) => files[place])
      this.problem = null
    } catch (error) {
      if (this.#id === id) this.problem = asProblem(error)
    }
  }
}
