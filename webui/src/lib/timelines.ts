/** The lists that were looked at lately; going back finds them as they were. */

import type { ImageFilter } from './client.ts'
import { group, months, type Source } from './sources.ts'
import { Timeline } from './timeline.svelte.ts'

/** So many are kept. */
const KEPT = 8

const kept = new Map<string, Timeline>()

function keep(key: string, make: () => Timeline): Timeline {
  const list = kept.get(key) ?? make()
  kept.delete(key)
  kept.set(key, list)
  for (const [old, one] of kept) {
    if (kept.size <= KEPT) break
    if (!one.shown) kept.delete(old)
  }
  return list
}

/** The list for a filter; the last few are kept, so that going back finds them as they were. */
export function timelineOf(filter: ImageFilter): Timeline {
  const set = Object.fromEntries(Object.entries(filter).filter(([, value]) => value)) as ImageFilter
  return keep(JSON.stringify(Object.entries(set).sort()), () => new Timeline(months(set), Boolean(set.group)))
}

/** The photos of one group. */
export function groupTimeline(id: string): Timeline {
  return keep(`group ${id}`, () => new Timeline(group(id), true))
}

/** A list of its own making, kept under a name. */
export function namedTimeline(name: string, source: () => Source): Timeline {
  return keep(name, () => new Timeline(source(), true))
}

/** What a list shows has changed in ways that only fetching it again tells; lists out of sight are dropped. */
export function renew(which: (list: Timeline) => boolean): void {
  for (const [key, list] of kept) {
    if (!which(list)) continue
    if (list.shown) void list.refresh()
    else kept.delete(key)
  }
}

/** All lists that are kept. */
export function timelines(): Timeline[] {
  return [...kept.values()]
}
