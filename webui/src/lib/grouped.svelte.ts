/** The library by groups: what the groups are called, and which of them are shown as a heading only. */

import { api } from './client.ts'
import { undo } from './curating.svelte.ts'
import { Folded } from './folded.svelte.ts'
import { groups, LONERS } from './sources.ts'
import type { Timeline } from './timeline.svelte.ts'
import { namedTimeline } from './timelines.ts'
import { complain, say } from './toasts.svelte.ts'
import type { Group } from './types.ts'

let known = $state.raw<ReadonlyMap<string, Group>>(new Map())
const folded = new Folded('pixsortd.closed')

export const grouped = {
  get timeline(): Timeline {
    return namedTimeline('groups', () => groups((list) => (known = new Map(list.map((group) => [group.id, group])))))
  },
  group(id: string): Group | null {
    return known.get(id) ?? null
  },
  name(id: string): string {
    return id === LONERS ? 'In no group' : (known.get(id)?.name ?? 'Unnamed group')
  },
  /** The groups that are shown as a heading only. */
  get closed(): ReadonlySet<string> {
    return folded.keys
  },
  toggle(id: string): void {
    folded.toggle(id)
  },
  closeAll(): void {
    folded.set([...known.keys(), LONERS])
  },
  openAll(): void {
    folded.set([])
  },
  /** A group has another name. */
  take(group: Group): void {
    if (known.has(group.id)) known = new Map([...known, [group.id, group]])
  },
}

/** Give a group a name, or (null) take it back; `show` hears what holds, at once and when the daemon has answered. */
export async function nameGroup(group: Group, name: string | null, show: (group: Group) => void): Promise<void> {
  if (name === group.name) return
  const tell = (one: Group): void => {
    grouped.take(one)
    show(one)
  }
  tell({ ...group, name })
  try {
    const named = await api.nameGroup(group.id, name)
    tell(named)
    say(named.summary, { action: named.edit === null ? null : { label: 'Undo', run: () => void undo([named.edit!]) } })
  } catch (error) {
    tell(group)
    complain('The group could not be renamed', error)
  }
}
