/** Where a group comes from, in words. Pure. */

import * as format from './format.ts'
import type { Group } from './types.ts'

type Step = Group['lineage'][number]

/** One step of a group's story: words around the other group, if another has part in it. */
export interface Told {
  readonly before: string
  readonly other: string | null
  readonly after: string
  readonly at: number
}

const WORDS: Readonly<Record<Step['event'], readonly [string, string]>> = {
  born: ['Found', ''],
  'split-from': ['Split off from', ''],
  'split-off': ['', 'was split off'],
  merged: ['', 'became part of it'],
}

/** The story of a group, the oldest step first. */
export function story(lineage: readonly Step[]): Told[] {
  return lineage.map(({ event, other, at }) => ({ before: WORDS[event][0], other, after: WORDS[event][1], at }))
}

/** What is special about a group, beside its name. */
export function traits(group: Pick<Group, 'state' | 'locked' | 'touched' | 'waiting'>): { readonly name: string; readonly about: string }[] {
  const told = []
  if (group.locked) told.push({ name: 'locked', about: 'Only you change who is in it.' })
  else if (group.touched) told.push({ name: 'yours', about: 'You edited it: what a regrouping would change waits for you.' })
  if (group.state === 'resting') told.push({ name: 'resting', about: 'The last regrouping did not find it; it is kept because you edited it.' })
  return told
}

/** "since Jun 8, 2024" and how alike its members are. */
export function since(group: Pick<Group, 'space' | 'created' | 'cohesion'>): string {
  const alike = group.cohesion > 0 ? ` (cohesion ${format.percent(group.cohesion)})` : ''
  return `alike by ${group.space}${alike}, since ${format.day(group.created)}`
}
