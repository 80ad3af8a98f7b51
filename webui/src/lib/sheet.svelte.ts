/** A timeline as it stands on the page: what is here is laid out in rows, the height of the rest is estimated. */

import { sectionOf, stack, type Part, type Section } from './geometry.ts'
import { estimator, justify, type Laid } from './layout.ts'
import type { Timeline } from './timeline.svelte.ts'
import type { Cell } from './types.ts'

/** Pixels between photos, and between sections with a heading. */
const GAP = 4
const SPACE = 20

/** What decides how a timeline stands; it may change at any time (all lengths in CSS pixels). */
export interface Manner {
  readonly timeline: Timeline
  /** Width to fill; nothing is laid out while it is 0. */
  readonly width: number
  /** What a bucket is called; one without a name has no heading. */
  name(key: string): string
  readonly headingHeight: number
  /** Buckets of which only the heading is shown. */
  readonly closed: ReadonlySet<string> | undefined
}

export class Sheet {
  readonly #manner: Manner
  // Laying out again is only for other photos or another width.
  readonly #layouts = new WeakMap<readonly Cell[], { options: unknown; laid: Laid }>()
  readonly #measured = new Map<string, { options: unknown; count: number; body: number }>()

  /** Height that rows have about. */
  readonly row = $derived.by(() => {
    const { width } = this.#manner
    return width < 560 ? 112 : width < 1000 ? 168 : 200
  })
  readonly #options = $derived.by(() => ({ width: this.#manner.width, target: this.row, gap: GAP }))
  readonly #guess = $derived.by(() => {
    this.#manner.timeline.cells('') // another sample comes with photos only
    return estimator(this.#manner.timeline.sample, this.#options)
  })
  readonly #headed = $derived.by(() => this.#manner.timeline.buckets.some(({ key }) => this.#manner.name(key)))

  /** All of it, one section below the other. */
  readonly stack = $derived.by(() => {
    const { timeline, width } = this.#manner
    return stack(width > 0 ? timeline.buckets.map(({ key, count }) => this.#part(key, count)) : [], this.#headed ? SPACE : GAP)
  })

  constructor(manner: Manner) {
    this.#manner = manner
  }

  get timeline(): Timeline {
    return this.#manner.timeline
  }

  #part(key: string, count: number): Part {
    const { timeline, name, headingHeight, closed } = this.#manner
    const heading = name(key) ? headingHeight : 0
    if (closed?.has(key)) return { key, count, heading, body: 0, laid: null }
    const options = this.#options
    const cells = timeline.cells(key)
    if (cells) {
      const laid = this.#laid(cells)
      this.#measured.set(key, { options, count, body: laid.height })
      return { key, count, heading, body: laid.height, laid }
    }
    const known = this.#measured.get(key)
    const body = known?.options === options && known.count === count ? known.body : this.#guess(count)
    return { key, count, heading, body, laid: null }
  }

  #laid(cells: readonly Cell[]): Laid {
    const options = this.#options
    const known = this.#layouts.get(cells)
    if (known?.options === options) return known.laid
    const laid = justify(cells, options)
    this.#layouts.set(cells, { options, laid })
    return laid
  }

  /** Place of a photo in the whole list, or null when it is not here. */
  indexOf(id: string): number | null {
    const here = this.timeline.locate(id)
    const at = here ? this.stack.places.get(here.key) : undefined
    return here && at !== undefined ? this.stack.sections[at]!.first + here.index : null
  }

  /** The photo at a place of a section, as far as it is here. */
  idAt(section: Section, index: number): string | null {
    return this.timeline.cells(section.key)?.[index]?.id ?? null
  }

  /** The place in a section of the photo whose id begins so; -1 when it is not here. */
  search(section: Section, id: string): number {
    return this.timeline.cells(section.key)?.findIndex((cell) => cell.id.startsWith(id)) ?? -1
  }

  /** Where a photo stands from the begin of the list, or null when it is not to be seen. */
  boxOf(id: string): { top: number; height: number; section: Section } | null {
    const index = this.indexOf(id)
    const section = index === null ? undefined : sectionOf(this.stack, index)
    const box = section?.laid?.boxes[index! - section.first]
    return section && box ? { top: section.top + section.heading + box.top, height: box.height, section } : null
  }
}
