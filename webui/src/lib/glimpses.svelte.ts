/** Groups that are spoken of somewhere on the page: all are looked up at once, and again when groups have changed. */

import { live } from './live.svelte.ts'
import { groupList } from './sources.ts'
import type { Group } from './types.ts'

let known = $state.raw<ReadonlyMap<string, Group> | null>(null)
/** The version of the groups that was asked for last. */
let asked = -1

async function look(version: number): Promise<void> {
  try {
    const groups = await groupList()
    if (version === asked) known = new Map(groups.map((group) => [group.id, group]))
  } catch {
    if (version === asked) asked = -1 // who looks next asks again
  }
}

/** What is known of a group: null while it is looked up, `gone` when it is no more. To be read where it is shown. */
export function glimpsed(id: string): Group | 'gone' | null {
  const version = live.groups
  if (asked !== version) {
    asked = version
    void look(version)
  }
  return known && (known.get(id) ?? 'gone')
}
