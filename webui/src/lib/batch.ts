/** A batch's photos as sections, and the maps of hand-given groups that changes of it are made of and undone by. Pure. */

import type { BatchDetail, BatchGroup, BatchImage, Bucket } from './types.ts'

/** The group of photos that are in none. */
export const UNGROUPED = 'Ungrouped'
/** Section of photos that no analysis has looked at, and of a list without groups. No label has a slash. */
export const UNSEEN = '/unseen'
export const ALL = '/all'

/** Photos by the group that the user wants them in; null for what the analysis says. */
export type Labels = Readonly<Record<string, string | null>>

/** What a group is called in an address and in lists of keys; a label may hold any sign but a slash. */
export function keyOf(label: string | null): string {
  return label === null ? UNSEEN : encodeURIComponent(label).replaceAll('~', '%7E')
}

/** The label behind a section's key; null for sections that are no group. */
export function labelOf(key: string): string | null {
  return key.startsWith('/') ? null : decodeURIComponent(key)
}

export interface Sections {
  readonly items: readonly Bucket[]
  readonly photos: ReadonlyMap<string, readonly BatchImage[]>
}

function taken(one: BatchImage, other: BatchImage): number {
  return (other.taken_at ?? -Infinity) - (one.taken_at ?? -Infinity) || one.name.localeCompare(other.name)
}

/** The photos of a batch by group, in the daemon's order; or all in one run, the newest first. */
export function sections(images: readonly BatchImage[], grouped: boolean): Sections {
  const photos = new Map<string, BatchImage[]>()
  if (!grouped) {
    if (images.length) photos.set(ALL, [...images].sort(taken))
  } else {
    for (const image of images) {
      const key = keyOf(image.batch_group)
      const list = photos.get(key)
      if (list) list.push(image)
      else photos.set(key, [image])
    }
  }
  return { items: [...photos].map(([key, list]) => ({ key, count: list.length })), photos }
}

/** What the user had said about the groups of these photos: what undoing a change has to say again. */
export function saidBefore(images: readonly BatchImage[], ids: Iterable<string>): Labels {
  const known = new Map(images.map((image) => [image.id, image]))
  const labels: Record<string, string | null> = {}
  for (const id of ids) {
    const image = known.get(id)
    if (image) labels[id] = image.manual ? image.batch_group : null
  }
  return labels
}

/** Those of some photos that are not in a group, or are there without the user having said so when it is `null`. */
export function elsewhere(images: readonly BatchImage[], ids: ReadonlySet<string>, label: string | null): string[] {
  return images.filter((image) => ids.has(image.id) && (label === null ? image.manual : image.batch_group !== label)).map(({ id }) => id)
}

/** The same label for many photos. */
export function labelled(ids: readonly string[], label: string | null): Labels {
  return Object.fromEntries(ids.map((id) => [id, label]))
}

/** A map in pieces of at most `size`. */
export function pieces(labels: Labels, size: number): Labels[] {
  const all = Object.entries(labels)
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => Object.fromEntries(all.slice(at * size, (at + 1) * size)))
}

/** A label for a new group that no group has. */
export function freshLabel(groups: readonly Pick<BatchGroup, 'label'>[]): string {
  const used = new Set(groups.map(({ label }) => label))
  if (!used.has('New group')) return 'New group'
  for (let number = 2; ; number++) if (!used.has(`New group ${number}`)) return `New group ${number}`
}

/** Why a text cannot be a group's label; empty when it can. */
export function unfit(label: string): string {
  if (/[/\\%]/.test(label)) return 'A group’s name cannot have a slash, backslash or percent sign.'
  return label.trim().length > 100 ? 'A group’s name has at most 100 characters.' : ''
}

/** Where a batch stands, in words. */
export function standing(batch: Pick<BatchDetail, 'status' | 'analyzed' | 'size'>): string {
  if (batch.status === 'pending') return batch.size === 0 ? 'empty' : batch.analyzed === null ? 'not grouped yet' : 'changed since'
  return { processing: 'forming groups', complete: 'grouped', failed: 'failed' }[batch.status]
}
