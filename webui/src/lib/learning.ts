/** What was learned from the user's corrections, in words. Pure. */

import * as format from './format.ts'
import type { Learning } from './types.ts'

const STATES: Readonly<Record<Learning['state'], string>> = {
  learning: 'Not enough corrections yet',
  on: 'In use: it groups more as you do',
  off: 'Switched off',
  worse: 'Not in use: it would group no better',
}

export function state(learning: Pick<Learning, 'state'>): string {
  return STATES[learning.state]
}

/** Both accuracies on the same pairs that nothing was learned from; null while there are none. */
export function compared(learning: Pick<Learning, 'plain' | 'learned' | 'held_out'>): { readonly name: string; readonly share: number; readonly text: string }[] | null {
  const { plain, learned } = learning
  if (plain === null || learned === null || !learning.held_out) return null
  return [
    { name: 'As it comes', share: plain, text: format.percent(plain) },
    { name: 'Learned from you', share: learned, text: format.percent(learned) },
  ]
}
