/** The library by groups: what the groups are called, and which of them are shown as a heading only. */

import { api } from './client.ts'
import { groups, LONERS } from './sources.ts'
import { namedTimeline, type Timeline } from './timeline.svelte.ts'
import { complain, say } from './toasts.svelte.ts'
import type { Group } from './types.ts'

const KEY = 'pixsortd.closed'

function remembered(): ReadonlySet<string> {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return new Set(Array.isArray(ids) ? ids.map(String) : [])
  } catch {
    return new Set() // nothing kept, or nothing of ours
  }
}

let known = $state.raw<ReadonlyMap<string, Group>>(new Map())
let closed = $state.raw<ReadonlySet<string>>(remembered())

function close(ids: ReadonlySet<string>): void {
  closed = ids
  try {
    localStorage.setItem(KEY, JSON.stringify([...ids]))
  } catch {
    // Storage may be blocked; it is then kept as long as the page.
  }
}

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
    return closed
  },
  toggle(id: string): void {
    close(closed.has(id) ? new Set([...closed].filter((one) => one !== id)) : new Set([...closed, id]))
  },
  closeAll(): void {
    close(new Set([...known.keys(), LONERS]))
  },
  openAll(): void {
    close(new Set())
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
    say(name === null ? 'The name is taken back' : `Named “${name}”`, {
      action: { label: 'Undo', run: () => void nameGroup(named, group.name, show) },
    })
  } catch (error) {
    tell(group)
    complain('The group could not be renamed', error)
  }
}
