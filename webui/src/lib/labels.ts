/** The colour labels, in the order of the keys that photographers know them by. */

import type { ColourLabel } from './types.ts'

export interface Colour {
  readonly label: ColourLabel
  readonly name: string
  /** Key that gives it, empty for none. */
  readonly key: string
}

export const COLOURS: readonly Colour[] = [
  { label: 'red', name: 'Red', key: '6' },
  { label: 'yellow', name: 'Yellow', key: '7' },
  { label: 'green', name: 'Green', key: '8' },
  { label: 'blue', name: 'Blue', key: '9' },
  { label: 'purple', name: 'Purple', key: '' },
]
