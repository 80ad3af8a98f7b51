/** What the user puts on the photo that is open: shown at once, kept by the daemon, undone from a toast. */

import { api } from './client.ts'
import { COLOURS } from './labels.ts'
import { timelines } from './timelines.ts'
import { complain, say } from './toasts.svelte.ts'
import type { ImageDetail } from './types.ts'

export type Marks = Pick<ImageDetail, 'rating' | 'label' | 'caption'>
/** One mark and its new value. */
export type Mark = { [K in keyof Marks]: Pick<Marks, K> }[keyof Marks]

/** What a mark says once it is put on. Pure. */
export function said(change: Mark): string {
  if ('rating' in change) return change.rating === null ? 'Rating taken back' : `${'★'.repeat(change.rating)}${'☆'.repeat(5 - change.rating)}`
  if ('label' in change) return change.label === null ? 'Label taken back' : `Labelled ${COLOURS.find(({ label }) => label === change.label)?.name.toLowerCase()}`
  return change.caption === null ? 'Caption taken back' : 'Caption kept'
}

/** The value that `change` puts another in place of. Pure. */
export function undoing(change: Mark, before: Marks): Mark {
  if ('rating' in change) return { rating: before.rating }
  if ('label' in change) return { label: before.label }
  return { caption: before.caption }
}

/** A caption as it is kept: lines without blanks at their ends, null when nothing is left. Pure. */
export function written(text: string): string | null {
  const kept = text.replace(/[^\S\n]+$/gm, '').trim()
  return kept || null
}

/**
 * Put a mark on a photo. `show` is called with what holds: the new value at once, the old one again when the daemon
 * refuses or the user undoes it.
 */
export async function mark(photo: ImageDetail, change: Mark, show: (id: string, change: Mark) => void): Promise<void> {
  const old = undoing(change, photo)
  await put(photo, change, old, show)
  async function put({ id, name }: ImageDetail, next: Mark, before: Mark, tell: typeof show): Promise<void> {
    const all = (what: Mark): void => {
      tell(id, what)
      if (!('caption' in what)) timelines().forEach((list) => list.patch(new Map([[id, what]])))
    }
    all(next)
    try {
      await api.mark([id], next)
    } catch (error) {
      all(before)
      complain(`${name} could not be changed`, error)
      return
    }
    const undo = { label: 'Undo', run: () => void put(photo, before, next, tell) }
    say(said(next), { detail: name, ...(next === change && { action: undo }), seconds: next === change ? 6 : 2 })
  }
}
