/** What the last clustering would change, as far as it waits for the user; one copy for all that show it. */

import { api } from './client.ts'
import { asProblem, type Problem } from './problem.ts'
import type { Proposal } from './types.ts'

let now = $state.raw<Proposal | null>(null)
let problem = $state.raw<Problem | null>(null)

export const proposal = {
  /** Null until it was fetched. */
  get now(): Proposal | null {
    return now
  },
  /** Why it could not be fetched, until it can. */
  get problem(): Problem | null {
    return problem
  },
  /** Lines to decide. */
  get waiting(): number {
    return now?.items.length ?? 0
  },
  /** These lines are settled: out of sight at once. */
  drop(ids: ReadonlySet<string>): void {
    if (now) now = { ...now, items: now.items.filter(({ id }) => !ids.has(id)) }
  },
  async renew(): Promise<void> {
    try {
      now = await api.proposal()
      problem = null
    } catch (error) {
      problem = asProblem(error)
    }
  },
}
