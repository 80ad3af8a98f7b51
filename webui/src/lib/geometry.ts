/** A long list as a stack of sections, of which only some are known in detail. Pure. */

import { nearest, rowOf, type Laid } from './layout.ts'
import { visible } from './window.ts'

/** A run of neighbours in a list, before it is placed. */
export interface Part {
  readonly key: string
  readonly count: number
  /** Height of its heading, and of what is below it (all lengths in CSS pixels). */
  readonly heading: number
  readonly body: number
  /** Where its photos stand, once they are known. */
  readonly laid: Laid | null
}

/** A part in its place. */
export interface Section extends Part {
  readonly top: number
  readonly height: number
  /** How many photos are in the sections above. */
  readonly first: number
}

export interface Stack {
  readonly sections: readonly Section[]
  readonly height: number
  readonly count: number
  readonly places: ReadonlyMap<string, number>
}

/** Put parts one below the other, with `gap` after each. */
export function stack(parts: readonly Part[], gap: number): Stack {
  const sections: Section[] = []
  const places = new Map<string, number>()
  let top = 0
  let first = 0
  for (const part of parts) {
    const height = part.heading + part.body
    places.set(part.key, sections.length)
    sections.push({ ...part, top, height, first })
    top += height + gap
    first += part.count
  }
  return { sections, height: Math.max(0, top - gap), count: first, places }
}

/** Index of the last of some ordered things for which `test` holds; `test` is true and then false along them. */
function last<T>(list: readonly T[], test: (item: T) => boolean): number {
  let low = 0
  let high = list.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (test(list[middle]!)) low = middle
    else high = middle - 1
  }
  return low
}

/** The section at `y`, or the nearest one; undefined in an empty list. */
export function sectionAt(stack: Stack, y: number): Section | undefined {
  return stack.sections[last(stack.sections, (section) => section.top <= y)]
}

/** The section that holds the photo at `index` of the whole list. */
export function sectionOf(stack: Stack, index: number): Section | undefined {
  return stack.sections[last(stack.sections, (section) => section.first <= index)]
}

/** A section near the view, and which of its boxes [start, end) are. */
export interface Near {
  readonly section: Section
  readonly start: number
  readonly end: number
}

/** What is between two heights. */
export function within(stack: Stack, from: number, to: number): Near[] {
  const { start, end } = visible(stack.sections, from, to - from, 0)
  return stack.sections.slice(start, end).map((section) => {
    if (!section.laid) return { section, start: 0, end: 0 }
    const body = section.top + section.heading
    const rows = visible(section.laid.rows, from - body, to - from, 0)
    const cut = section.laid.rows
    return rows.start < rows.end
      ? { section, start: cut[rows.start]!.start, end: cut[rows.end - 1]!.end }
      : { section, start: 0, end: 0 }
  })
}

/** A point in the list that outlives changes of the layout. */
export interface Anchor {
  readonly key: string
  /** The photo there; where it is not known, `share` of the section's body is. */
  readonly id: string | null
  readonly share: number
  /** Distance of that point from the top of the view. */
  readonly offset: number
  /** Photos above the section, in case it is no more. */
  readonly first: number
}

/** What is at the top of a view that is scrolled to `scroll`. */
export function anchorAt(stack: Stack, scroll: number, idOf: (section: Section, index: number) => string | null): Anchor | null {
  const section = sectionAt(stack, scroll)
  if (!section) return null
  const body = section.top + section.heading
  const share = section.body > 0 ? Math.min(1, Math.max(0, (scroll - body) / section.body)) : 0
  const laid = section.laid
  if (laid && laid.rows.length) {
    // The first row of which more than half is to be seen.
    const rows = visible(laid.rows, scroll - body, 1, 0)
    const at = Math.min(rows.start, laid.rows.length - 1)
    const row = laid.rows[at]!
    const seen = body + row.top + row.height / 2 < scroll && at + 1 < laid.rows.length ? laid.rows[at + 1]! : row
    const id = idOf(section, seen.start)
    if (id !== null) return { key: section.key, id, share, offset: body + seen.top - scroll, first: section.first }
  }
  return { key: section.key, id: null, share, offset: body + share * section.body - scroll, first: section.first }
}

/** How far to scroll so that the anchor is where it was. */
export function scrollTo(stack: Stack, anchor: Anchor, indexOf: (section: Section, id: string) => number): number {
  const place = stack.places.get(anchor.key)
  const section = place === undefined ? sectionOf(stack, anchor.first) : stack.sections[place]
  if (!section) return 0
  const body = section.top + section.heading
  if (place === undefined) return section.top
  const index = anchor.id === null ? -1 : indexOf(section, anchor.id)
  const box = section.laid?.boxes[index]
  return (box ? body + box.top : body + anchor.share * section.body) - anchor.offset
}

/** The section `step` places on from one, past those of which only the heading is shown. */
function beside(stack: Stack, section: Section, step: -1 | 1): Section | undefined {
  let at = stack.places.get(section.key)! + step
  while (stack.sections[at]?.body === 0) at += step
  return stack.sections[at]
}

/** The photo in a section nearest to a point; about where it will be as long as the section is not known in detail. */
function inside(section: Section, x: number, y: number): number {
  const { laid } = section
  const down = y - section.top - section.heading
  if (!laid) return section.first + Math.min(section.count - 1, Math.max(0, Math.floor((down / section.body) * section.count)))
  const row = last(laid.rows, (one) => one.top <= down)
  return section.first + nearest(laid, row, x)
}

/** The photo before (-1) or after (+1) one in the list of what is shown, or null at its ends. */
export function along(stack: Stack, index: number, step: -1 | 1): number | null {
  const section = sectionOf(stack, index)
  if (!section) return null
  const to = index + step
  if (to >= section.first && to < section.first + section.count) return to
  const next = beside(stack, section, step)
  return next ? (step > 0 ? next.first : next.first + next.count - 1) : null
}

/** The photo one row above (-1) or below (+1) whose middle is nearest, or null at the edge. */
export function across(stack: Stack, index: number, step: -1 | 1): number | null {
  const section = sectionOf(stack, index)
  if (!section?.laid) return along(stack, index, step)
  const { laid } = section
  const box = laid.boxes[index - section.first]!
  const x = box.left + box.width / 2
  const row = rowOf(laid, index - section.first) + step
  if (laid.rows[row]) return section.first + nearest(laid, row, x)
  const next = beside(stack, section, step)
  return next ? inside(next, x, step > 0 ? next.top : next.top + next.height) : null
}

/** The photo about `distance` pixels further down (negative: up), the first or last one at the edges. */
export function leap(stack: Stack, index: number, distance: number): number {
  const section = sectionOf(stack, index)
  const box = section?.laid?.boxes[index - section.first]
  if (!section || !box) return index
  const y = section.top + section.heading + box.top + box.height / 2 + distance
  let target = sectionAt(stack, y)!
  if (target.body === 0) target = beside(stack, target, distance < 0 ? -1 : 1) ?? section
  return inside(target, box.left + box.width / 2, y)
}

/** A mark beside a scrubber's track. */
export interface Mark {
  readonly y: number
  readonly text: string
}

/** Least distances on the track. */
const BETWEEN_YEARS = 28
const BETWEEN_MONTHS = 7

/**
 * Years to write and months to dot beside a track of `length`, for a list whose keys are months (YYYY-MM) and that
 * is seen through a view of a height.
 */
export function marks(stack: Stack, view: number, length: number): { years: Mark[]; months: number[] } {
  const years: Mark[] = []
  const dots: number[] = []
  const way = Math.max(1, stack.height - view)
  let year = ''
  for (const { key, top } of stack.sections) {
    if (!/^\d{4}-\d\d$/.test(key)) continue
    const y = Math.min(1, top / way) * length
    const text = key.slice(0, 4)
    const above = years.at(-1)
    if (text !== year && y <= length - 8 && (!above || y - above.y >= BETWEEN_YEARS)) years.push({ y, text })
    else if (y - (dots.at(-1) ?? -Infinity) >= BETWEEN_MONTHS) dots.push(y)
    year = text
  }
  // A written year is 16 pixels high; no dot may stand in it.
  return { years, months: dots.filter((y) => years.every((mark) => Math.abs(mark.y - y) > 12)) }
}

/** A stretch [start, end) of one bucket. */
export interface Piece {
  readonly key: string
  readonly start: number
  readonly end: number
}

/** Which parts of which buckets lie between two photos of the whole list, both included, in whichever order they are named. */
export function span(buckets: readonly { readonly key: string; readonly count: number }[], from: number, to: number): Piece[] {
  const [low, high] = from <= to ? [from, to] : [to, from]
  const pieces: Piece[] = []
  let first = 0
  for (const { key, count } of buckets) {
    const start = Math.max(0, low - first)
    const end = Math.min(count, high + 1 - first)
    if (start < end) pieces.push({ key, start, end })
    first += count
  }
  return pieces
}
