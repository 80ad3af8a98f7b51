/** Scrolling in a sheet whose parts change their height while one looks at others: what is looked at stays where it is. */

import { flushSync } from 'svelte'

import { anchorAt, scrollTo, type Anchor } from './geometry.ts'
import type { Sheet } from './sheet.svelte.ts'

/** Pixels in a millisecond beyond which pictures only pass by. */
const FLING = 8
/** Milliseconds without a movement after which the view rests, and after which its place is written down. */
const REST = 120
const SETTLED = 250

export class Scrolling {
  readonly #sheet: Sheet
  /** The photo that is open, which stays in view above all. */
  readonly #chosen: () => string | null
  /** Hears where the view has settled; null is the begin of the list. */
  readonly #settled: (anchor: Anchor | null) => void

  element = $state<HTMLElement>()
  /** Height of what the list is seen through, in pixels. */
  view = $state(0)
  /** What is at the top of the view, in pixels from the begin of the list. */
  top = $state(0)
  /**
   * Where the list begins in the document. It moves for as long as one scrolls, when what is above the view turns
   * out to be of another height: to change the document's own position would stop the wheel and the finger.
   */
  origin = $state(0)
  /** The way one is going. */
  down = $state(true)
  hurry = $state(false)
  /** One place after the other goes by without anything in common; photos wait until it ends. */
  passing = $state(false)

  /** The point that stays where it is when the layout changes around it. */
  #anchor: Anchor | null = null
  /** Where the list was last scrolled to by itself; not a number after the reader scrolled. */
  #placed = NaN
  #moved = 0
  #rest: ReturnType<typeof setTimeout> | undefined
  #settle: ReturnType<typeof setTimeout> | undefined

  constructor(sheet: Sheet, chosen: () => string | null, settled: (anchor: Anchor | null) => void) {
    this.#sheet = sheet
    this.#chosen = chosen
    this.#settled = settled
  }

  /** Take what is to be seen now for the point that stays. */
  hold(): void {
    const { stack } = this.#sheet
    if (!stack.sections.length) return
    const id = this.#chosen()
    const box = id === null ? null : this.#sheet.boxOf(id)
    if (box && box.top + box.height > this.top && box.top < this.top + this.view) {
      this.#anchor = { key: box.section.key, id, share: 0, offset: box.top - this.top, first: box.section.first }
    } else this.#anchor = this.top <= 2 ? null : anchorAt(stack, this.top, (section, index) => this.#sheet.idAt(section, index))
  }

  /** The width is about to change: hold on to what the reader sees, unless the list came here by itself. */
  brace(): void {
    if (this.#placed !== this.top) this.hold()
  }

  /** The layout is another one: keep the point where it was. */
  keep(): void {
    const { stack } = this.#sheet
    if (!this.#anchor || !this.element || !stack.sections.length) return
    const top = this.#goal(this.#anchor)
    if (Math.abs(top - this.top) <= 0.5) return
    if (performance.now() - this.#moved > REST || this.element.scrollTop < this.view) return this.#moveTo(top)
    this.origin -= top - this.top
    this.top = top
  }

  /** The document was scrolled, by whom ever. */
  scrolled(): void {
    const now = performance.now()
    const { scrollTop } = this.element!
    const top = scrollTop - this.origin
    const far = Math.abs(top - this.top)
    if (!(Math.abs(top - this.#placed) < 1)) {
      if (far) this.down = top > this.top
      // Time between events is that between frames; a long pause says nothing about the speed.
      this.hurry = far / Math.min(100, Math.max(8, now - this.#moved)) > FLING
      this.#placed = NaN
      this.top = top
      this.#moved = now
      this.hold()
      // What is above the document's begin cannot be reached.
      if (this.origin && scrollTop < this.view + Math.abs(this.origin)) this.#moveTo(this.top)
    }
    this.#wait()
    this.#jot()
  }

  /** A wheel that was turned is on its way to scroll, also before the first of it is seen. */
  wheeled = (list: HTMLElement): (() => void) => {
    const turn = (): void => {
      this.#moved = performance.now()
      this.#wait()
    }
    list.addEventListener('wheel', turn, { passive: true })
    return () => list.removeEventListener('wheel', turn)
  }

  /** Bring a photo into view with the least movement, and its heading along if it is in the first row. */
  reveal(id: string): void {
    const box = this.#sheet.boxOf(id)
    if (!box) return
    const { section, top, height } = box
    const cover = section.heading
    if (top - cover < this.top) this.#moveTo(top - section.top - cover < 4 ? section.top : top - cover - 8)
    else if (top + height > this.top + this.view - 16) this.#moveTo(top + height - this.view + 16)
    this.#placed = NaN
    this.hold()
    this.#jot()
  }

  /** Go to a point of the list at once; with `on` it is one of many in a row. */
  travel(to: Anchor, on = false): void {
    this.#anchor = to
    const top = this.#goal(to)
    if (on && Math.abs(top - this.top) > this.view) this.hurry = this.passing = true
    this.#moveTo(top)
    this.#wait()
    this.#jot()
  }

  /** The list leaves the page. */
  end(): void {
    clearTimeout(this.#rest)
    clearTimeout(this.#settle)
  }

  #goal(anchor: Anchor): number {
    return scrollTo(this.#sheet.stack, anchor, (section, id) => this.#sheet.search(section, id))
  }

  #moveTo(top: number): void {
    if (!this.element) return
    if (this.origin) {
      this.origin = 0
      flushSync()
    }
    this.element.scrollTop = top
    this.#placed = this.top = this.element.scrollTop
  }

  #wait(): void {
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => {
      this.hurry = this.passing = false
      if (this.origin) this.#moveTo(this.top)
    }, REST)
  }

  #jot(): void {
    clearTimeout(this.#settle)
    this.#settle = setTimeout(() => this.#settled(this.top <= 2 ? null : this.#anchor), SETTLED)
  }
}
