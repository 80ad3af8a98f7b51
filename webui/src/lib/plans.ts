/** Plans of sorting: steps as a tree of the folders they lead to, and what became of them, in words. Pure. */

import * as format from './format.ts'
import type { PlanRecord, PlanStep, Unmoved } from './types.ts'

/** A folder that steps lead to, or that holds such folders. */
export interface Branch {
  /** What it is called below the branch that holds it; several components where nothing else lies between. */
  readonly name: string
  /** Its whole path. */
  readonly path: string
  readonly branches: readonly Branch[]
  readonly steps: readonly PlanStep[]
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
  readonly steps: PlanStep[]
}

/** The path that a step is about: where its photo comes to be; or, where that goes away, where it is. */
export function spot({ back, files }: PlanStep): string {
  const [first] = files
  return back || first!.discarded ? first!.from : first!.to
}

/** Where the photos of steps go, as a tree; folders with nothing but one folder are joined with it. */
export function tree(steps: readonly PlanStep[]): Branch[] {
  const root: Growing = { branches: new Map(), steps: [] }
  for (const step of steps) {
    let at = root
    for (const part of folder(spot(step)).split('/').filter(Boolean)) {
      if (!at.branches.has(part)) at.branches.set(part, { branches: new Map(), steps: [] })
      at = at.branches.get(part)!
    }
    at.steps.push(step)
  }
  return grown(root, '').branches as Branch[]
}

function grown(from: Growing, path: string): Branch {
  const branches = [...from.branches]
    .sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }))
    .map(([name, below]) => joined(name, grown(below, `${path}/${name}`)))
  return { name: '', path, branches, steps: from.steps, count: branches.reduce((sum, { count }) => sum + count, from.steps.length) }
}

function joined(name: string, branch: Branch): Branch {
  const [only] = branch.branches
  return only && branch.branches.length === 1 && branch.steps.length === 0 ? { ...only, name: `${name}/${only.name}` } : { ...branch, name }
}

/** Every step of a branch and below. */
export function below(branch: Branch): PlanStep[] {
  return [...branch.steps, ...branch.branches.flatMap(below)]
}

/** How often each text is there, the most frequent first; empty ones are not counted. */
export function counted(texts: readonly string[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const text of texts) if (text) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].sort(([, one], [, other]) => other - one)
}

/** What a plan of the history did, in a sentence. */
export function title(plan: PlanRecord): string {
  const photos = format.plural(plan.steps, 'photo')
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

/** Whether something of a plan can still be taken back. */
export function undoable(plan: PlanRecord): boolean {
  return plan.state === 'applied' && plan.done > 0
}

/** What a plan came to, for a toast. */
export function outcome(plan: PlanRecord): { text: string; detail: string } {
  const photos = format.plural(plan.done, 'photo')
  const text = plan.done === 0 ? (plan.undoes ? 'Nothing could be taken back' : 'No photo was sorted') : plan.undoes ? `${photos} back where ${plan.done === 1 ? 'it was' : 'they were'}` : `${photos} sorted`
  return { text, detail: plan.refused ? `${format.plural(plan.refused, 'photo')} had to stay; the history says why.` : '' }
}

/** A path as it is told from a folder on, where it lies there; else as it is. */
export function within(path: string, home: string): string {
  if (home === '') return path
  if (path === home) return ''
  return path.startsWith(`${home}/`) ? path.slice(home.length + 1) : path
}

/** What steps wait for, and how many for each; the most frequent first. */
export function waitsFor(steps: readonly PlanStep[]): [string, number][] {
  return counted(steps.map(({ waits }) => waits))
}

/** Files that stay, by why they do. */
export function byReason(files: readonly Unmoved[]): [string, Unmoved[]][] {
  const found = new Map<string, Unmoved[]>()
  for (const file of files) found.set(file.why, [...(found.get(file.why) ?? []), file])
  return [...found]
}
