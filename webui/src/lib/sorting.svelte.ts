/** Plans of sorting: those that wait, and what the user does with them; one copy for all that show it. */

import { chunks } from './bulk.ts'
import { api } from './client.ts'
import * as format from './format.ts'
import { ended } from './live.svelte.ts'
import { outcome } from './plans.ts'
import { asProblem, type Problem } from './problem.ts'
import { complain, say } from './toasts.svelte.ts'
import type { PlanRecord } from './types.ts'

/** There is one waiting plan for each inbox. */
const INBOXES = 100
/** Steps in one call. */
const CALL = 10_000

let drafts = $state.raw<readonly PlanRecord[] | null>(null)
let problem = $state.raw<Problem | null>(null)

export const sorting = {
  /** Plans that wait, one for each inbox with something to do; null until they were fetched. */
  get drafts(): readonly PlanRecord[] | null {
    return drafts
  },
  /** Why they could not be fetched, until they can. */
  get problem(): Problem | null {
    return problem
  },
  /** Photos that wait for an approval. */
  get waiting(): number {
    return drafts?.reduce((sum, { steps }) => sum + steps, 0) ?? 0
  },
  async renew(): Promise<void> {
    try {
      drafts = (await api.plans(null, INBOXES)).items.filter(({ state }) => state === 'waiting')
      problem = null
    } catch (error) {
      problem = asProblem(error)
    }
  },
}

/** Tell what a plan came to once its job is through, with a way back. */
async function report(plan: string, job: string, failed: string): Promise<void> {
  const { error } = await ended(job)
  try {
    if (error) say(failed, { tone: 'bad', detail: error })
    const record = await api.plan(plan)
    if (record.done === 0 && error) return
    const { text, detail } = outcome(record)
    const back = record.done ? { label: record.undoes && !record.redoes ? 'Redo' : 'Undo', run: () => void takeBack(plan, null) } : null
    say(text, { detail, seconds: 10, tone: record.done ? 'plain' : 'bad', action: back })
  } catch (error) {
    complain('What became of it is not known', error)
  }
}

/** Approve a plan, or only some of its steps. Answers whether it is on its way; how it ended is told. */
export async function approve(plan: string, steps: readonly string[] | null): Promise<boolean> {
  try {
    const { id, job } = await api.applyPlan(plan, steps)
    void report(id, job, 'Sorting stopped')
    return true
  } catch (error) {
    complain('Nothing was sorted', error)
    return false
  } finally {
    await sorting.renew()
  }
}

/** Say no to some steps of a plan that waits, or (null) to all; `count` says how many they are. Answers whether that could be done. */
export async function refuse(plan: string, steps: readonly string[] | null, count: number): Promise<boolean> {
  try {
    // What waits afterwards is another plan, with what is left of this one.
    for (const some of steps ? chunks(steps, CALL) : [null]) plan = (await api.refusePlan(plan, some)).id
    say(`${format.plural(count, 'photo')} left where ${count === 1 ? 'it is' : 'they are'}`, { detail: 'They are not proposed again unless the rule changes.' })
    return true
  } catch (error) {
    complain('It could not be noted down', error)
    return false
  } finally {
    await sorting.renew()
  }
}

/** Take back a plan, or only some of its steps; an undoing is taken back in the same way. Answers whether it is on its way. */
export async function takeBack(plan: string, steps: readonly string[] | null): Promise<boolean> {
  try {
    const { id, job } = await api.undoPlan(plan, steps)
    void report(id, job, 'The undoing stopped')
    return true
  } catch (error) {
    complain('It could not be taken back', error)
    return false
  }
}

/** Look at the inboxes now, rather than when something changes. */
export async function replan(): Promise<void> {
  try {
    await api.replan()
  } catch (error) {
    complain('The inbox could not be looked at', error)
  }
  await sorting.renew()
}
