/** The trash: what would be gone for good, and what came back, in words. */

import * as format from './format.ts'
import type { Restored, TrashItem } from './types.ts'

/** Photos that may be lost with some files of the trash, and which of them has to be asked about. Pure. */
export function endangered(all: readonly TrashItem[], chosen: ReadonlySet<string>): { sure: number; ask: string[] } {
  const copies = new Map<string, { all: number; chosen: number; last: boolean }>()
  for (const { id, image, last_copy: last } of all) {
    const known = copies.get(image) ?? { all: 0, chosen: 0, last: false }
    copies.set(image, { all: known.all + 1, chosen: known.chosen + (chosen.has(id) ? 1 : 0), last: known.last || last })
  }
  const whole = [...copies].filter(([, { all: here, chosen: picked }]) => picked === here)
  return {
    sure: whole.filter(([, { last }]) => last).length,
    // Several copies in the trash count as copies of each other; whether one is outside is another question.
    ask: whole.filter(([, { all: here, last }]) => here > 1 && !last).map(([image]) => image),
  }
}

/** What became of files that were to come back, for a toast. Pure. */
export function returned(answers: readonly Restored[], items: ReadonlyMap<string, TrashItem>): { text: string; detail: string } {
  const back = answers.filter(({ reason }) => reason === null)
  const moved = back.filter(({ id, path }) => items.get(id) && items.get(id)!.path !== path)
  const [only] = back
  const text = back.length === 1 ? `${items.get(only!.id)?.name ?? 'The file'} is back` : `${format.plural(back.length, 'file')} are back`
  const names = moved.slice(0, 3).map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
  return { text, detail: moved.length ? `As ${names.join(', ')}${moved.length > 3 ? ' …' : ''}, since the old name was taken.` : '' }
}
