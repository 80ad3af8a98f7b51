/** Justified rows: photos of one row share a height and fill the width, and keep their aspect. Pure. */

/** What the layout has to know of a photo. */
export interface Sized {
  readonly width: number | null
  readonly height: number | null
}

/** One photo's place in a row; `index` points into the list that was laid out. */
export interface Cell {
  readonly index: number
  readonly left: number
  readonly width: number
}

/** A heading or a row of photos, at a fixed place from the top (all lengths in CSS pixels). */
export type Band =
  | { readonly kind: 'heading'; readonly top: number; readonly height: number; readonly text: string; readonly count: number }
  | { readonly kind: 'row'; readonly top: number; readonly height: number; readonly cells: readonly Cell[] }

export interface LayoutOptions {
  /** Width to fill. */
  readonly width: number
  /** Height a row should have; rows come out somewhat above or below it. */
  readonly target: number
  readonly gap: number
  /** Height of a section heading. */
  readonly heading: number
}

export interface Layout {
  readonly bands: readonly Band[]
  readonly height: number
}

/** Panoramas and slivers are shown cropped to these, so that one photo cannot make a row absurd. */
const NARROWEST = 0.4
const WIDEST = 3.2

/** The aspect a photo is laid out with; one of unknown size is taken as 4:3. */
export function aspect(photo: Sized): number {
  const { width, height } = photo
  if (!width || !height) return 4 / 3
  return Math.min(WIDEST, Math.max(NARROWEST, width / height))
}

/**
 * Lay photos out in rows, with a heading wherever `section` changes (an empty text means none).
 *
 * A row is closed as soon as filling the width would bring it down to the target height; the last row
 * of a section keeps the target height and stays ragged.
 */
export function justify<T extends Sized>(photos: readonly T[], options: LayoutOptions, section: (photo: T) => string): Layout {
  const { width, target, gap, heading } = options
  const bands: Band[] = []
  let top = 0
  if (width <= 0) return { bands, height: 0 }

  const place = (start: number, end: number, height: number, fill: boolean): void => {
    const cells: Cell[] = []
    let left = 0
    for (let index = start; index < end; index++) {
      const last = fill && index === end - 1
      const cell = last ? width - left : Math.min(width - left, Math.round(aspect(photos[index]!) * height))
      cells.push({ index, left, width: cell })
      left += cell + gap
    }
    bands.push({ kind: 'row', top, height, cells })
    top += height + gap
  }

  let at = 0
  while (at < photos.length) {
    const name = section(photos[at]!)
    let end = at + 1
    while (end < photos.length && section(photos[end]!) === name) end++
    if (name) {
      bands.push({ kind: 'heading', top, height: heading, text: name, count: end - at })
      top += heading
    }
    let start = at
    let sum = 0
    for (let index = at; index < end; index++) {
      sum += aspect(photos[index]!)
      const room = width - gap * (index - start)
      if (room / sum <= target) {
        place(start, index + 1, Math.round(room / sum), true)
        start = index + 1
        sum = 0
      }
    }
    if (start < end) {
      const room = width - gap * (end - start - 1)
      place(start, end, Math.round(Math.min(target, room / sum)), false)
    }
    at = end
  }
  return { bands, height: Math.max(0, top - (bands.at(-1)?.kind === 'row' ? gap : 0)) }
}

/** The band that holds the photo at `index` in the list, and its cell. */
export function locate(layout: Layout, index: number): { band: number; cell: number } | null {
  let low = 0
  let high = layout.bands.length - 1
  while (low <= high) {
    let middle = (low + high) >> 1
    let band = layout.bands[middle]!
    // A heading holds no photo; the row after it always exists.
    if (band.kind === 'heading') band = layout.bands[++middle]!
    if (band.kind !== 'row') return null
    const first = band.cells[0]!.index
    const last = band.cells.at(-1)!.index
    if (index < first) {
      high = middle - 1
      if (layout.bands[high]?.kind === 'heading') high--
    } else if (index > last) low = middle + 1
    else return { band: middle, cell: index - first }
  }
  return null
}

/** The photo one row above (-1) or below (+1) whose middle is nearest, or null at the edge. */
export function neighbour(layout: Layout, index: number, step: -1 | 1): number | null {
  const here = locate(layout, index)
  if (!here) return null
  const band = layout.bands[here.band]!
  if (band.kind !== 'row') return null
  const cell = band.cells[here.cell]!
  const middle = cell.left + cell.width / 2
  for (let at = here.band + step; at >= 0 && at < layout.bands.length; at += step) {
    const next = layout.bands[at]!
    if (next.kind !== 'row') continue
    let best = next.cells[0]!
    for (const other of next.cells) {
      if (Math.abs(other.left + other.width / 2 - middle) < Math.abs(best.left + best.width / 2 - middle)) best = other
    }
    return best.index
  }
  return null
}
