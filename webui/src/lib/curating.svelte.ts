/** What the user does to groups: each act is an edit that the daemon remembers, told with a way back. */

import { chunks } from './bulk.ts'
import { api } from './client.ts'
import * as format from './format.ts'
import { regrouped } from './live.svelte.ts'
import { groupList, LONERS } from './sources.ts'
import { complain, say } from './toasts.svelte.ts'
import type { Cell, Group, GroupEdit, Relation, SettledChange } from './types.ts'

/** The bucket of a group that photos dropped on it will found. */
export const FRESH = '/fresh'
/** Photos in one call; more are one edit each. */
const CALL = 10_000
/** Lines of a proposal in one call. */
const LINES = 100
/** Groups that photos were put into lately, the last first. */
const RECENT = 6

let recent = $state.raw<readonly string[]>([])

/** All groups, those first that were last put something into, then those with a name, then the largest. Rejects with a Problem. */
export async function choices(): Promise<Group[]> {
  return ordered(await groupList(), recent)
}

/** The order of groups to choose from. Pure. */
export function ordered(groups: readonly Group[], recent: readonly string[]): Group[] {
  const rank = (group: Group): number => {
    const at = recent.indexOf(group.id)
    return at >= 0 ? at : group.name === null ? RECENT + 1 : RECENT
  }
  return [...groups].sort((one, other) => rank(one) - rank(other) || other.size - one.size)
}

type Act = () => Promise<GroupEdit>

/** What edits did, in one message with one way back. */
function tell(done: readonly GroupEdit[], back: 'Undo' | 'Redo'): void {
  const edits = done.flatMap(({ edit }) => edit ?? [])
  const [first, ...others] = done.map(({ summary }) => summary)
  say(first!, {
    seconds: 10,
    detail: [...others, ...done.flatMap(({ left }) => left)].join(' '),
    action: edits.length ? { label: back, run: () => void undo(edits.reverse(), back === 'Undo' ? 'Redo' : 'Undo') } : null,
  })
}

async function run(acts: readonly Act[], done: GroupEdit[]): Promise<void> {
  try {
    for (const act of acts) done.push(await act())
  } finally {
    regrouped()
  }
}

/** Do it and tell of it. Answers what was done; null when something failed, which is told too. */
async function perform(acts: readonly Act[], failed: string, back: 'Undo' | 'Redo' = 'Undo'): Promise<readonly GroupEdit[] | null> {
  const done: GroupEdit[] = []
  try {
    await run(acts, done)
    return done
  } catch (error) {
    complain(failed, error)
    return null
  } finally {
    if (done.length) tell(done, back)
  }
}

/** Take edits back, in this order; an undoing is taken back in the same way. Answers whether all went well. */
export async function undo(edits: readonly string[], back: 'Undo' | 'Redo' = 'Redo'): Promise<boolean> {
  return (await perform(edits.map((edit) => () => api.undoEdit(edit)), 'It could not be undone', back)) !== null
}

const NONE: ReadonlySet<string> = new Set()

function ids(photos: readonly Cell[]): string[] {
  return photos.map(({ id }) => id)
}

/** One act for every so many photos. */
function parts(list: readonly string[], act: (ids: string[]) => Promise<GroupEdit>): Act[] {
  return chunks(list, CALL).map((some) => () => act(some))
}

function all(photos: readonly Cell[], done: unknown): ReadonlySet<string> {
  return done === null ? NONE : new Set(ids(photos))
}

/** The group that all of these are in; null when there is none. Pure. */
export function common(photos: readonly Cell[]): string | null {
  const group = photos[0]?.group ?? null
  return photos.every((photo) => photo.group === group) ? group : null
}

/** Photos by the group they are in; those in none are left out. Pure. */
export function byGroup(photos: readonly Cell[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { id, group } of photos) if (group !== null) groups.set(group, [...(groups.get(group) ?? []), id])
  return groups
}

/** Put photos into a group, for good. Answers the ids of those that went there. */
export async function putIn(group: string, photos: readonly Cell[]): Promise<ReadonlySet<string>> {
  const done = await perform(parts(ids(photos), (add) => api.members(group, { add })), 'The photos could not be moved')
  if (done) recent = [group, ...recent.filter((id) => id !== group)].slice(0, RECENT)
  return all(photos, done)
}

/** Make a new group of photos of several groups, or of none. Answers the ids of those that went there. */
export async function found(photos: readonly Cell[]): Promise<ReadonlySet<string>> {
  return all(photos, await perform([() => api.foundGroup(ids(photos))], 'The group could not be made'))
}

/** Take photos out of their groups, for good. */
export async function takeOut(photos: readonly Cell[]): Promise<ReadonlySet<string>> {
  const acts = [...byGroup(photos)].flatMap(([group, own]) => parts(own, (remove) => api.members(group, { remove })))
  return all(photos, await perform(acts, 'The photos could not be taken out'))
}

/** These photos are never to be in a group. */
export async function bar(group: string, photos: readonly Cell[]): Promise<ReadonlySet<string>> {
  return all(photos, await perform(parts(ids(photos), (bar) => api.members(group, { bar })), 'The photos could not be kept out'))
}

/** Make photos of one group, or (null) the smaller of the two parts it consists of, a group of their own. Answers whether that could be done. */
export async function split(group: string, photos: readonly Cell[] | null): Promise<boolean> {
  return (await perform([() => api.splitGroup(group, photos && ids(photos))], 'The group could not be split')) !== null
}

export async function merge(into: string, groups: readonly string[]): Promise<boolean> {
  return (await perform([() => api.mergeGroups(into, groups)], 'The groups could not be merged')) !== null
}

/** Keep everybody else from changing who is in a group, or open it again. Answers the group as it is now; null when that failed. */
export async function lock(group: string, locked: boolean): Promise<Group | null> {
  const done = await perform([() => api.lockGroup(group, locked)], locked ? 'The group could not be locked' : 'The group could not be unlocked')
  return done?.[0]?.groups[0] ?? null
}

export async function relate(photos: readonly Cell[], relation: Relation): Promise<void> {
  await perform([() => api.relate(ids(photos), relation)], 'It could not be noted down')
}

/** Take back whatever was said of where photos belong. */
export async function release(photos: readonly Cell[]): Promise<void> {
  await perform(parts(ids(photos), api.release), 'It could not be taken back')
}

/** Accept or refuse a line of the proposal, or only some photos of it. Answers whether that could be done. */
export async function settle(change: string, accepted: boolean, images: readonly string[] | null): Promise<boolean> {
  const act = accepted ? api.accept : api.refuse
  return (await perform([() => act(change, images)], accepted ? 'The change could not be accepted' : 'The change could not be refused')) !== null
}

/** What becomes of many lines: the call, and what is said of it. */
const VERDICTS = {
  accept: { call: api.acceptMany, done: 'accepted' },
  refuse: { call: api.refuseMany, done: 'refused' },
} as const

export type Verdict = keyof typeof VERDICTS

/** Accept or refuse whole lines. `onward` hears how many were gone through so far. */
export async function settleAll(changes: readonly string[], verdict: Verdict, onward: (through: number) => void): Promise<void> {
  const { call, done: said } = VERDICTS[verdict]
  const items: SettledChange[] = []
  try {
    for (const some of chunks(changes, LINES)) {
      items.push(...(await call(some)).items)
      onward(items.length)
    }
  } catch (error) {
    complain(`Not all changes could be ${said}`, error)
  }
  regrouped()
  const done = items.flatMap(({ edit }) => edit ?? [])
  const refused = items.filter(({ reason }) => reason !== null)
  if (done.length === 1) tell(done, 'Undo')
  else if (done.length) {
    const edits = done.flatMap(({ edit }) => edit ?? []).reverse()
    say(`${format.count(done.length)} changes ${said}`, { seconds: 10, action: { label: 'Undo', run: () => void undo(edits) } })
  }
  const why = refused[0]?.reason
  if (why) say(`${format.plural(refused.length, 'change')} could not be ${said}`, { tone: 'bad', detail: `${why.message}. ${why.next_step}` })
}

/** Whether photos that are dragged can be dropped on a bucket of groups. Pure. */
export function takes(bucket: string, photos: readonly Cell[]): boolean {
  if (bucket === FRESH) return photos.length > 0
  return photos.some(({ group }) => (group ?? LONERS) !== bucket)
}

/** Drop photos on a group, on no group, or where they found one. */
export async function drop(bucket: string, photos: readonly Cell[]): Promise<ReadonlySet<string>> {
  if (bucket === LONERS) return takeOut(photos)
  if (bucket !== FRESH) return putIn(bucket, photos)
  const group = common(photos)
  if (group === null) return found(photos)
  return (await split(group, photos)) ? new Set(ids(photos)) : NONE
}
