/** What the last clustering would change, as far as it waits for the user, and what it changed; one copy for all that show it. */

import { api } from './client.ts'
import { asProblem, type Problem } from './problem.ts'
import { Sparse } from './sparse.svelte.ts'
import type { ChangeKind, Proposal, ProposedChange } from './types.ts'

/** Lines on a page. */
const PAGE = 25
/** Lines of which only the ids are looked at. */
const MANY = 500

let now = $state.raw<Proposal | null>(null)
let problem = $state.raw<Problem | null>(null)

const lines = new Sparse<ProposedChange>(PAGE, async (start, limit) => (await api.proposal(start, limit)).items)
const applied = new Sparse<ProposedChange>(PAGE, async (start, limit) => (await api.proposal(lines.count + start, limit)).applied)

function waiting(of: Proposal | null): number {
  return Object.values(of?.waiting ?? {}).reduce((sum, count) => sum + count, 0)
}

export const proposal = {
  /** What is told of it as a whole; null until it was fetched. */
  get now(): Proposal | null {
    return now
  },
  /** Why it could not be fetched, until it can. */
  get problem(): Problem | null {
    return problem
  },
  /** Lines to decide. */
  get waiting(): number {
    return waiting(now)
  },
  /** How many of them are of which kind, the most frequent first. */
  get kinds(): [ChangeKind, number][] {
    return (Object.entries(now?.waiting ?? {}) as [ChangeKind, number][]).sort(([, one], [, other]) => other - one)
  },
  /** Those lines, and those that changed by themselves, as far as they were looked at. */
  lines,
  applied,
  /** The line at a place is settled: out of sight at once. */
  drop(place: number): void {
    const old = Array.from({ length: lines.count }, (_, at) => lines.at(at)).toSpliced(place, 1)
    lines.renew(old.length, (at) => old[at])
  },
  /** Ids of all lines to decide, or of those of one kind. Rejects with a Problem. */
  async ids(kind: ChangeKind | null): Promise<string[]> {
    const found: string[] = []
    let more = true
    while (more) {
      const page = await api.proposal(found.length, MANY, kind)
      found.push(...page.items.map(({ id }) => id))
      more = page.items.length === MANY
    }
    return found
  },
  async renew(): Promise<void> {
    try {
      const next = await api.proposal(0, 1)
      const whole = waiting(next)
      const [oldLines, oldApplied] = [lines.known, applied.known]
      lines.renew(whole, (at) => (whole === lines.count ? lines.at(at) : oldLines[at]))
      applied.renew(next.total - whole, (at) => oldApplied[at])
      now = next
      problem = null
    } catch (error) {
      problem = asProblem(error)
    }
  },
}
