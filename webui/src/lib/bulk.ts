/** What can be done with many photos at once; each act shows at once, and can be undone. */

import type { Component } from 'svelte'

import type { IconName } from '../parts/Icon.svelte'
import { api } from './client.ts'
import * as format from './format.ts'
import { COLOURS } from './labels.ts'
import { gather } from './selection.svelte.ts'
import { type Change, timelines } from './timeline.svelte.ts'
import { complain, say } from './toasts.svelte.ts'
import type { Cell, ColourLabel, Trashed } from './types.ts'

/** Photos in one call. */
const CHUNK = 500

type Mark = Pick<Change, 'rating' | 'label'>

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size))
}

/** Photos that have the same value now, together. Pure. */
export function byValue<K extends 'rating' | 'label'>(photos: readonly Cell[], field: K): Map<Cell[K], string[]> {
  const groups = new Map<Cell[K], string[]>()
  for (const photo of photos) groups.set(photo[field], [...(groups.get(photo[field]) ?? []), photo.id])
  return groups
}

function show(ids: readonly string[], change: Mark): void {
  const changes = new Map(ids.map((id) => [id, change]))
  timelines().forEach((list) => list.patch(changes))
}

async function send(ids: readonly string[], change: Mark): Promise<void> {
  show(ids, change)
  await gather(chunks(ids, CHUNK).map((part) => () => api.mark(part, change)), 2)
}

async function mark<K extends 'rating' | 'label'>(photos: readonly Cell[], field: K, value: Cell[K], said: string): Promise<void> {
  const old = byValue(photos, field)
  const restore = (): Promise<unknown> => Promise.all([...old].map(([before, ids]) => send(ids, { [field]: before } as Mark)))
  try {
    await send(
      photos.map(({ id }) => id),
      { [field]: value } as Mark,
    )
    say(said, {
      action: { label: 'Undo', run: () => void restore().catch((error: unknown) => complain('It could not be undone', error)) },
    })
  } catch (error) {
    for (const [before, ids] of old) show(ids, { [field]: before } as Mark)
    complain('The photos could not be changed', error)
  }
}

function subject(photos: readonly Cell[]): string {
  return photos.length === 1 ? photos[0]!.name : format.plural(photos.length, 'photo')
}

/** Rate with 1 to 5 stars; null takes the ratings back. */
export function rateAll(photos: readonly Cell[], stars: number | null): Promise<void> {
  const said = stars === null ? 'rating taken back' : '★'.repeat(stars) + '☆'.repeat(5 - stars)
  return mark(photos, 'rating', stars, `${subject(photos)}: ${said}`)
}

/** Give a colour label, or take it back where all have it. */
export function labelAll(photos: readonly Cell[], label: ColourLabel | null): Promise<void> {
  const value = photos.every((photo) => photo.label === label) ? null : label
  return mark(photos, 'label', value, `${subject(photos)}: ${value === null ? 'label taken back' : value}`)
}

/** Move to the trash. Answers the ids of those that went. */
export async function trashAll(photos: readonly Cell[]): Promise<ReadonlySet<string>> {
  const gone = new Set<string>()
  try {
    const answers = (await gather(chunks(photos.map(({ id }) => id), CHUNK).map((ids) => () => api.discard(ids)), 1)).flatMap(({ items }) => items)
    const moved = answers.filter((one) => one.reason === null)
    for (const { image } of moved) gone.add(image)
    timelines().forEach((list) => list.remove(gone))
    if (moved.length) tell(photos.filter(({ id }) => gone.has(id)), moved)
    const refused = answers.find((one) => one.reason !== null)
    if (refused) {
      const rest = photos.filter(({ id }) => !gone.has(id))
      say(`${subject(rest)} could not be moved to the trash`, { tone: 'bad', detail: `${refused.reason!.message}. ${refused.reason!.next_step}` })
    }
  } catch (error) {
    complain('The photos could not be moved to the trash', error)
  }
  return gone
}

function tell(photos: readonly Cell[], moved: readonly Trashed[]): void {
  const items = moved.flatMap((one) => one.items.map(({ id }) => id))
  const last = moved.filter((one) => one.last_copy).length
  say(`${subject(photos)} moved to the trash`, {
    seconds: 10,
    detail: last ? `${last === photos.length ? 'No' : `Of ${format.count(last)} no`} other copy is left in the library.` : '',
    action: { label: 'Undo', run: () => void restore(items) },
  })
}

async function restore(items: readonly string[]): Promise<void> {
  try {
    const answers = (await gather(chunks(items, CHUNK).map((ids) => () => api.restore(ids)), 1)).flatMap(({ items: some }) => some)
    const stuck = answers.find((one) => one.reason !== null)
    if (stuck) say('Not everything came back', { tone: 'bad', detail: `${stuck.reason!.message}. ${stuck.reason!.next_step}` })
    await Promise.all(timelines().filter((list) => list.shown).map((list) => list.welcome()))
  } catch (error) {
    complain('The photos could not be brought back', error)
  }
}

/** One thing to do with the picked photos: at once (`run`), or after asking more in a dialog. */
export interface BulkAction {
  readonly id: string
  readonly name: string
  readonly icon: IconName
  /** Key that does it in the grid, as in `KeyboardEvent.key`. */
  readonly key?: string
  readonly tone?: 'bad'
  /** Answers the ids of photos that are no longer in the list. */
  readonly run?: (photos: readonly Cell[]) => Promise<ReadonlySet<string>>
  readonly dialog?: Component<{ photos: readonly Cell[]; onclose: () => void }>
}

/** The buttons of the selection bar, beside rating and colour label. */
export const BULK: readonly BulkAction[] = [{ id: 'trash', name: 'Move to trash', icon: 'trash', key: 'Delete', tone: 'bad', run: trashAll }]

/**
 * What a key does with photos: 1 to 5 rate, 0 takes the rating back, 6 to 9 give a colour, others as in `BULK`.
 * False when it does nothing. `gone` hears of photos that left the list, `ask` of actions with a dialog.
 */
export function keyed(key: string, photos: readonly Cell[], gone: (ids: ReadonlySet<string>) => void, ask?: (action: BulkAction) => void): boolean {
  const colour = COLOURS.find((one) => one.key === key)
  const action = BULK.find((one) => one.key === key)
  if (/^[0-5]$/.test(key)) void rateAll(photos, Number(key) || null)
  else if (colour) void labelAll(photos, colour.label)
  else if (action?.run) void action.run(photos).then(gone)
  else if (action && ask) ask(action)
  else return false
  return true
}
