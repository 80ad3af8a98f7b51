/** Justified rows: photos of one row share a height and fill the width, and keep their aspect. Pure. */

/** What the layout has to know of a photo. */
export interface Sized {
  readonly width: number | null
  readonly height: number | null
}

/** A photo's place, from the top left of its list (all lengths in CSS pixels); `index` points into that list. */
export interface Box {
  readonly index: number
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** The boxes [start, end) stand side by side. */
export interface Row {
  readonly top: number
  readonly height: number
  readonly start: number
  readonly end: number
}

export interface Laid {
  /** One a photo, in the list's order. */
  readonly boxes: readonly Box[]
  readonly rows: readonly Row[]
  readonly height: number
}

export interface LayoutOptions {
  /** Width to fill. */
  readonly width: number
  /** Height a row should have; rows come out somewhat below it. */
  readonly target: number
  readonly gap: number
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
 * Lay photos out in rows.
 *
 * A row is closed as soon as filling the width would bring it down to the target height; the last row
 * keeps the target height and stays ragged.
 */
export function justify(photos: readonly Sized[], options: LayoutOptions): Laid {
  const { width, target, gap } = options
  const boxes: Box[] = []
  const rows: Row[] = []
  if (width <= 0) return { boxes, rows, height: 0 }
  let top = 0

  const place = (start: number, end: number, height: number, fill: boolean): void => {
    let left = 0
    for (let index = start; index < end; index++) {
      const last = fill && index === end - 1
      const wide = last ? width - left : Math.min(width - left, Math.round(aspect(photos[index]!) * height))
      boxes.push({ index, left, top, width: wide, height })
      left += wide + gap
    }
    rows.push({ top, height, start, end })
    top += height + gap
  }

  let start = 0
  let sum = 0
  for (let index = 0; index < photos.length; index++) {
    sum += aspect(photos[index]!)
    const room = width - gap * (index - start)
    if (room / sum <= target) {
      place(start, index + 1, Math.round(room / sum), true)
      start = index + 1
      sum = 0
    }
  }
  if (start < photos.length) {
    const room = width - gap * (photos.length - start - 1)
    place(start, photos.length, Math.round(Math.min(target, room / sum)), false)
  }
  return { boxes, rows, height: Math.max(0, top - gap) }
}

/** Stands for photos that nothing is known of yet. */
const ANY: readonly Sized[] = Array.from({ length: 60 }, (_, at) => (at % 4 ? { width: 4, height: 3 } : { width: 3, height: 4 }))

/** The height that so many photos will about have when they are like the ones of a sample. */
export function estimator(sample: readonly Sized[], options: LayoutOptions): (count: number) => number {
  const known = sample.length ? sample : ANY
  const { rows, height } = justify(known, options)
  const each = known.length / Math.max(1, rows.length)
  const row = (height + options.gap) / Math.max(1, rows.length)
  return (count) => Math.max(0, Math.round(Math.ceil(count / each) * row) - options.gap)
}

/** The row that holds the photo at `index`. */
export function rowOf(laid: Laid, index: number): number {
  let low = 0
  let high = laid.rows.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (laid.rows[middle]!.start <= index) low = middle
    else high = middle - 1
  }
  return low
}

/** Of the photos in a row, the one whose middle is nearest to `x`. */
export function nearest(laid: Laid, row: number, x: number): number {
  const { start, end } = laid.rows[row]!
  let best = start
  const off = (index: number): number => {
    const box = laid.boxes[index]!
    return Math.abs(box.left + box.width / 2 - x)
  }
  for (let index = start + 1; index < end; index++) if (off(index) < off(best)) best = index
  return best
}
