/** Plans of sorting: steps as a tree of the folders they lead to, and what became of them, in words. Pure. */

import * as format from './format.ts'
import type { PlanFolder, PlanRecord, PlanStep } from './types.ts'

/** A folder that steps lead to, or that holds such folders. */
export interface Branch {
  /** What it is called below the branch that holds it; several components where nothing else lies between. */
  readonly name: string
  /** Its whole path. */
  readonly path: string
  readonly branches: readonly Branch[]
  /** Ids of the steps that lead to this very folder, and the place of the first of them among all steps. */
  readonly steps: readonly string[]
  readonly first: number
  /** Steps here and below. */
  readonly count: number
}

/** Everything before the last slash, without it. */
export function folder(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/** What stands after the last slash. */
export function base(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

interface Growing {
  readonly branches: Map<string, Growing>
  steps: readonly string[]
  first: number
}

/** The path that a step is about: where its photo comes to be; or, where that goes away, where it is. */
export function spot({ back, files }: PlanStep): string {
  const [first] = files
  return back || first!.discarded ? first!.from : first!.to
}

function growing(): Growing {
  return { branches: new Map(), steps: [], first: 0 }
}

/** Where the photos of a plan go, as a tree; folders with nothing but one folder are joined with it. */
export function tree(folders: readonly PlanFolder[]): Branch[] {
  const root = growing()
  let first = 0
  for (const { path, steps } of folders) {
    let at = root
    for (const part of path.split('/').filter(Boolean)) {
      if (!at.branches.has(part)) at.branches.set(part, growing())
      at = at.branches.get(part)!
    }
    Object.assign(at, { steps, first })
    first += steps.length
  }
  return grown(root, '').branches as Branch[]
}

function grown({ branches: found, steps, first }: Growing, path: string): Branch {
  const branches = [...found]
    .sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }))
    .map(([name, below]) => joined(name, grown(below, `${path}/${name}`)))
  return { name: '', path, branches, steps, first, count: branches.reduce((sum, { count }) => sum + count, steps.length) }
}

function joined(name: string, branch: Branch): Branch {
  const [only] = branch.branches
  return only && branch.branches.length === 1 && branch.steps.length === 0 ? { ...only, name: `${name}/${only.name}` } : { ...branch, name }
}

/** Ids of every step of a branch and below. */
export function below(branch: Branch): string[] {
  return [...branch.steps, ...branch.branches.flatMap(below)]
}

/** What a plan of the history did, in a sentence. */
export function title(plan: PlanRecord): string {
  const photos = format.plural(plan.steps, 'photo')
  if (plan.redoes) return `Did a plan again, ${photos}`
  if (plan.undoes) return `Undid a plan, ${photos}`
  if (plan.state === 'applying') return `Sorting ${photos}`
  return `Sorted ${format.plural(plan.done, 'photo')}`
}

/** How it went beyond that, in short pieces. */
export function facts(plan: PlanRecord): string[] {
  return [
    plan.by === 'rules' ? 'by the rules themselves' : plan.by === 'you' ? 'approved by you' : '',
    plan.refused ? `${format.count(plan.refused)} not done` : '',
    plan.undone && plan.state !== 'undone' ? `${format.count(plan.undone)} taken back since` : '',
    plan.bytes ? format.bytes(plan.bytes) : '',
  ].filter(Boolean)
}

/** How a plan of the history stands, where that is worth a word. */
export const STATES: Readonly<Record<PlanRecord['state'], string>> = { waiting: '', applying: 'under way', applied: '', undone: 'taken back' }

/** Whether something of a plan can still be taken back. */
export function undoable(plan: PlanRecord): boolean {
  return plan.state === 'applied' && plan.done > 0
}

/** What a plan came to, for a toast. */
export function outcome(plan: PlanRecord): { text: string; detail: string } {
  const photos = format.plural(plan.done, 'photo')
  const taken = plan.undoes && !plan.redoes
  const text = plan.done === 0 ? (taken ? 'Nothing could be taken back' : 'No photo was sorted') : taken ? `${photos} back where ${plan.done === 1 ? 'it was' : 'they were'}` : `${photos} sorted${plan.redoes ? ' again' : ''}`
  return { text, detail: plan.refused ? `${format.plural(plan.refused, 'photo')} had to stay; the history says why.` : '' }
}

/** A path as it is told from a folder on, where it lies there; else as it is. */
export function within(path: string, home: string): string {
  if (home === '') return path
  if (path === home) return ''
  return path.startsWith(`${home}/`) ? path.slice(home.length + 1) : path
}
