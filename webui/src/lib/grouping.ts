/** Why a photo is in its group, or in none, in words. Pure. */

import * as format from './format.ts'
import type { Grouping } from './types.ts'

/** How it came there, and how sure that is. */
export function how(grouping: Pick<Grouping, 'group' | 'how' | 'strength'>): string {
  const share = grouping.strength === null ? '' : format.percent(grouping.strength)
  if (grouping.group === null) return grouping.how === 'decided' ? 'You took it out of its group.' : 'It is in no group.'
  if (grouping.how === 'decided') return 'You put it there.'
  if (grouping.how === 'joined') return `It joined after the last regrouping, with ${share} of its neighbours’ votes.`
  return `Grouped by likeness; how firmly it belongs there: ${share}.`
}
