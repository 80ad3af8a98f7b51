/** What can be done with picked photos where groups are shown. */

import { BULK, type BulkAction } from './actions.ts'
import { drop, FRESH, takeOut } from './curating.svelte.ts'
import type { Cell } from './types.ts'

/** What is asked of the user about photos. */
export interface Asked {
  readonly what: 'move' | 'say'
  readonly photos: readonly Cell[]
}

const NONE: ReadonlySet<string> = new Set()

/** `ask` opens a dialog; `gone` hears of photos that left their group. */
export function groupActions(ask: (asked: Asked) => void, gone: (ids: ReadonlySet<string>) => void = () => undefined): readonly BulkAction[] {
  const asking = (what: Asked['what']) => (photos: readonly Cell[]): Promise<ReadonlySet<string>> => {
    ask({ what, photos })
    return Promise.resolve(NONE)
  }
  const leaving = (act: (photos: readonly Cell[]) => Promise<ReadonlySet<string>>) => async (photos: readonly Cell[]): Promise<ReadonlySet<string>> => {
    const ids = await act(photos)
    gone(ids)
    return ids
  }
  return [
    { id: 'move', name: 'Move to group', icon: 'move', key: 'm', run: asking('move') },
    { id: 'split', name: 'Split off', icon: 'split', key: 'v', run: leaving((photos) => drop(FRESH, photos)) },
    { id: 'out', name: 'Take out', icon: 'minus', key: 'Backspace', run: leaving(takeOut) },
    { id: 'say', name: 'Pin and more', icon: 'pin', key: 'd', run: asking('say') },
    ...BULK,
  ]
}
