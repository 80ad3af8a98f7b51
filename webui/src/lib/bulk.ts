/** What can be done with many photos at once; each act shows at once, and can be undone. */

import { api } from './client.ts'
import * as format from './format.ts'
import { gather } from './selection.svelte.ts'
import type { Change } from './timeline.svelte.ts'
import { timelines } from './timelines.ts'
import { complain, say } from './toasts.svelte.ts'
import type { Cell, ColourLabel, Trashed } from './types.ts'

/** Photos in one call. */
const CHUNK = 500

/** What is known of a photo that goes to the trash. */
type Discardable = Pick<Cell, 'id' | 'name'>
type Mark = Pick<Change, 'rating' | 'label'>

/** A list in parts of a bearable size. Pure. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
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

function subject(photos: readonly Discardable[]): string {
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

/** Move to the trash: out of sight at once, and back where that is refused. Answers the ids of those that went. */
export async function trashAll(photos: readonly Discardable[]): Promise<ReadonlySet<string>> {
  const ids = photos.map(({ id }) => id)
  const gone = new Set<string>()
  timelines().forEach((list) => list.remove(new Set(ids)))
  try {
    const answers = (await gather(chunks(ids, CHUNK).map((part) => () => api.discard(part)), 1)).flatMap(({ items }) => items)
    const moved = answers.filter((one) => one.reason === null)
    for (const { image } of moved) gone.add(image)
    if (moved.length) tell(photos.filter(({ id }) => gone.has(id)), moved)
    const refused = answers.find((one) => one.reason !== null)
    if (refused) {
      const rest = photos.filter(({ id }) => !gone.has(id))
      say(`${subject(rest)} could not be moved to the trash`, { tone: 'bad', detail: `${refused.reason!.message}. ${refused.reason!.next_step}` })
    }
  } catch (error) {
    complain('The photos could not be moved to the trash', error)
  }
  if (gone.size < photos.length) await comeBack()
  return gone
}

/** Photos that were taken out of the lists are there after all. */
async function comeBack(): Promise<void> {
  await Promise.all(timelines().filter((list) => list.shown).map((list) => list.welcome()))
}

function tell(photos: readonly Discardable[], moved: readonly Trashed[]): void {
  const items = moved.flatMap((one) => one.items.map(({ id }) => id))
  const last = moved.filter((one) => one.last_copy).length
  const until = Math.min(...moved.flatMap((one) => one.items.map((item) => item.until)))
  say(`${subject(photos)} moved to the trash`, {
    seconds: 10,
    detail: last ? `${last < photos.length ? `${format.count(last)} of them the` : photos.length === 1 ? 'The' : 'Each the'} only copy, kept until ${format.day(until)}.` : '',
    action: { label: 'Undo', run: () => void restore(items) },
  })
}

async function restore(items: readonly string[]): Promise<void> {
  try {
    const answers = (await gather(chunks(items, CHUNK).map((ids) => () => api.restore(ids)), 1)).flatMap(({ items: some }) => some)
    const stuck = answers.find((one) => one.reason !== null)
    if (stuck) say('Not everything came back', { tone: 'bad', detail: `${stuck.reason!.message}. ${stuck.reason!.next_step}` })
    await comeBack()
  } catch (error) {
    complain('The photos could not be brought back', error)
  }
}
