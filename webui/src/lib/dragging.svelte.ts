/** Dragging photos of a list onto its sections, or onto anything else that has a `data-bucket`. */

import type { Cell } from './types.ts'

/** Pixels that the pointer has to move before it is no click. */
const SLACK = 6
/** So near to the edges of the view the list scrolls by itself; its pixels in a frame at most. */
const EDGE = 72
const PACE = 18

interface Deed {
  /** The photos that go along with the one that is grabbed; none when it stays. */
  grab: (id: string) => readonly Cell[]
  /** Whether it makes sense to put them there. */
  takes: (bucket: string, photos: readonly Cell[]) => boolean
  drop: (bucket: string, photos: readonly Cell[]) => void
}

export class Dragging {
  /** What is on its way; empty while nothing is. */
  photos = $state.raw<readonly Cell[]>([])
  /** Where the pointer is. */
  x = $state(0)
  y = $state(0)
  /** The bucket below it, when it takes photos. */
  over = $state<string | null>(null)
  readonly #deed: Deed
  /** What the pointer is over that scrolls, e.g. the list, rather than a target beside it. */
  #scroller: HTMLElement | null = null

  constructor(deed: Deed) {
    this.#deed = deed
  }

  /** Watches an element that holds the list. Fingers scroll; they have the menu instead. */
  readonly attach = (element: HTMLElement): (() => void) => {
    let grabbed: { id: string; x: number; y: number } | null = null
    let frame = 0

    const scroll = (): void => {
      const list = this.#scroller
      if (list && this.photos.length) {
        const { top, bottom } = list.getBoundingClientRect()
        const far = this.y < top + EDGE ? this.y - top - EDGE : this.y > bottom - EDGE ? this.y - bottom + EDGE : 0
        if (far) {
          list.scrollTop += Math.max(-1, Math.min(1, far / EDGE)) * PACE
          this.#look()
        }
      }
      frame = requestAnimationFrame(scroll)
    }

    const end = (): void => {
      grabbed = null
      this.photos = []
      this.over = null
      cancelAnimationFrame(frame)
      window.removeEventListener('pointermove', move)
      window.removeEventListener('pointerup', up)
      window.removeEventListener('pointercancel', end)
      window.removeEventListener('keydown', key, true)
    }

    const move = (event: PointerEvent): void => {
      if (!grabbed) return
      this.x = event.clientX
      this.y = event.clientY
      if (!this.photos.length) {
        if (Math.hypot(event.clientX - grabbed.x, event.clientY - grabbed.y) < SLACK) return
        this.photos = this.#deed.grab(grabbed.id)
        if (!this.photos.length) return end()
        frame = requestAnimationFrame(scroll)
      }
      this.#look()
    }

    const up = (): void => {
      const { photos, over } = this
      if (photos.length) {
        // The click that follows is part of the drag.
        const swallow = (event: Event): void => {
          event.stopPropagation()
          event.preventDefault()
        }
        window.addEventListener('click', swallow, { capture: true, once: true })
        setTimeout(() => window.removeEventListener('click', swallow, true))
      }
      end()
      if (photos.length && over !== null) this.#deed.drop(over, photos)
    }

    const key = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || !this.photos.length) return
      event.preventDefault()
      event.stopPropagation()
      end()
    }

    const down = (event: PointerEvent): void => {
      if (event.button !== 0 || event.pointerType === 'touch' || event.ctrlKey || event.shiftKey || event.metaKey) return
      const tile = (event.target as HTMLElement).closest<HTMLElement>('[data-id]')
      if (!tile) return
      grabbed = { id: tile.dataset['id']!, x: event.clientX, y: event.clientY }
      window.addEventListener('pointermove', move)
      window.addEventListener('pointerup', up)
      window.addEventListener('pointercancel', end)
      window.addEventListener('keydown', key, true)
    }

    element.addEventListener('pointerdown', down)
    return () => {
      end()
      element.removeEventListener('pointerdown', down)
    }
  }

  #look(): void {
    const below = document.elementFromPoint(this.x, this.y)
    const bucket = below?.closest<HTMLElement>('[data-bucket]')?.dataset['bucket']
    this.#scroller = below?.closest<HTMLElement>('[data-scroller]') ?? null
    this.over = bucket !== undefined && this.#deed.takes(bucket, this.photos) ? bucket : null
  }
}
