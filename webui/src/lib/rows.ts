/** A plan as rows of one long list: folders, and the steps that lead to them. Pure. */

import type { Branch } from './plans.ts'

interface Placed {
  /** Says which it is, in every plan. */
  readonly key: string
  /** How deep in the tree it stands, from 1. */
  readonly level: number
  /** Its number among those beside it, from 1, and how many they are. */
  readonly place: number
  readonly of: number
}

export interface FolderRow extends Placed {
  readonly kind: 'folder'
  readonly branch: Branch
  readonly open: boolean
}

export interface StepRow extends Placed {
  readonly kind: 'step'
  /** Id of the step, and its place among all steps. */
  readonly id: string
  readonly index: number
}

export type Row = FolderRow | StepRow

/** What is shown of a tree of which some folders are closed. */
export function rowsOf(branches: readonly Branch[], closed: ReadonlySet<string>): Row[] {
  const rows: Row[] = []
  const add = (branch: Branch, level: number, place: number, of: number): void => {
    const open = !closed.has(branch.path)
    rows.push({ kind: 'folder', key: branch.path, branch, open, level, place, of })
    if (!open) return
    const inside = branch.steps.length + branch.branches.length
    branch.steps.forEach((id, at) => rows.push({ kind: 'step', key: id, id, index: branch.first + at, level: level + 1, place: at + 1, of: inside }))
    branch.branches.forEach((one, at) => add(one, level + 1, branch.steps.length + at + 1, inside))
  }
  branches.forEach((one, at) => add(one, 1, at + 1, branches.length))
  return rows
}

/** The row of the folder that holds a row; -1 at the top. */
export function holder(rows: readonly Row[], at: number): number {
  const { level } = rows[at]!
  let above = at - 1
  while (above >= 0 && rows[above]!.level >= level) above--
  return above
}

/** Heights of the rows, in pixels, as long as they were not seen. */
const HEIGHTS: Readonly<Record<Row['kind'], number>> = { folder: 40, step: 68 }

export function guess(row: Row): number {
  return HEIGHTS[row.kind]
}
