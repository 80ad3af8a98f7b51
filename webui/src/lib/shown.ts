/** How a page shows a list of photos; everything has a default. */

import type { Snippet } from 'svelte'

import type { BulkAction } from './actions.ts'
import type { Section } from './geometry.ts'
import type { Cell } from './types.ts'

export interface Shown {
  /** What a bucket is called; one without a name has no heading. */
  name?: (key: string) => string
  /** In pixels. */
  headingHeight?: number
  /** What stands in a heading instead of the name. */
  heading?: Snippet<[Section]>
  /** Buckets of which only the heading is shown. */
  closed?: ReadonlySet<string>
  /** Something of its own on a photo. */
  badge?: Snippet<[Cell]>
  /** What the badge says, for who does not see it. */
  told?: (cell: Cell) => string
  /** A click picks instead of opening. */
  picking?: boolean
  /** The bucket that photos are dragged over. */
  target?: string | null
  /** What can be done with picked photos, or the one with the focus. */
  actions?: readonly BulkAction[] | undefined
}
