/** Groups that are spoken of somewhere on the page: looked up once, and again when groups have changed. */

import { SvelteMap } from 'svelte/reactivity'

import { api } from './client.ts'
import { live } from './live.svelte.ts'
import { asProblem } from './problem.ts'
import type { Group } from './types.ts'

type Glimpse = Group | 'gone'

const known = new SvelteMap<string, Glimpse>()
/** The version of the groups that each was asked for at. */
const asked = new Map<string, number>()

async function look(id: string): Promise<void> {
  try {
    known.set(id, await api.group(id))
  } catch (error) {
    if (asProblem(error).status === 404) known.set(id, 'gone')
  }
}

/** What is known of a group: null while it is looked up, `gone` when it is no more. To be read where it is shown. */
export function glimpsed(id: string): Glimpse | null {
  const version = live.groups
  if (asked.get(id) !== version) {
    asked.set(id, version)
    queueMicrotask(() => void look(id))
  }
  return known.get(id) ?? null
}
