/** The buttons and keys for picked photos. */

import type { Component } from 'svelte'

import AddToBatch from '../parts/AddToBatch.svelte'
import type { IconName } from '../parts/Icon.svelte'
import { labelAll, rateAll, trashAll } from './bulk.ts'
import { COLOURS } from './labels.ts'
import type { Cell } from './types.ts'

/** One thing to do with the picked photos: at once (`run`), or after asking more in a dialog. */
export interface BulkAction {
  readonly id: string
  readonly name: string
  readonly icon: IconName
  /** Key that does it in the grid, as in `KeyboardEvent.key`. */
  readonly key?: string
  readonly tone?: 'bad'
  /** Answers the ids of photos that are no longer in the list. */
  readonly run?: (photos: readonly Cell[]) => Promise<ReadonlySet<string>>
  readonly dialog?: Component<{ photos: readonly Cell[]; onclose: () => void }>
}

/** The buttons of the selection bar, beside rating and colour label. */
export const BULK: readonly BulkAction[] = [
  { id: 'batch', name: 'Add to batch', icon: 'batches', key: 'a', dialog: AddToBatch },
  { id: 'trash', name: 'Move to trash', icon: 'trash', key: 'Delete', tone: 'bad', run: trashAll },
]

/**
 * What a key does with photos: 1 to 5 rate, 0 takes the rating back, 6 to 9 give a colour, others as in `actions`.
 * False when it does nothing. `gone` hears of photos that left the list, `ask` of actions with a dialog.
 */
export function keyed(
  key: string,
  photos: readonly Cell[],
  gone: (ids: ReadonlySet<string>) => void,
  actions: readonly BulkAction[] = BULK,
  ask?: (action: BulkAction) => void,
): boolean {
  const colour = COLOURS.find((one) => one.key === key)
  const action = actions.find((one) => one.key === key)
  if (/^[0-5]$/.test(key)) void rateAll(photos, Number(key) || null)
  else if (colour) void labelAll(photos, colour.label)
  else if (action?.run) void action.run(photos).then(gone)
  else if (action && ask) ask(action)
  else return false
  return true
}
