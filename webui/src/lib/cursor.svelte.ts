/** Walking through a sheet and picking from it, with keys, mouse and finger. */

import { BULK, keyed, type BulkAction } from './actions.ts'
import { across, along, leap, sectionOf } from './geometry.ts'
import type { Selection } from './selection.svelte.ts'
import type { Sheet } from './sheet.svelte.ts'
import { complain } from './toasts.svelte.ts'
import type { Cell } from './types.ts'

/** A touch held this many milliseconds picks the photo; moving this many pixels is scrolling. */
const LONG = 450
const SLIP = 6
/** The part of the view that a page's key goes on. */
const PAGE = 0.85

/** What a cursor does on the page, and what it asks of it. */
export interface Hands {
  readonly selection: Selection
  /** Height of the view, in pixels. */
  readonly view: number
  /** The photo that is open. */
  readonly selected: string | null
  /** A click picks instead of opening. */
  readonly picking: boolean
  readonly actions: readonly BulkAction[] | undefined
  open(id: string): void
  /** Bring a photo into view and give it the focus. */
  focus(id: string): Promise<void>
  /** An action asks more before it does it. */
  ask(action: BulkAction, photos: readonly Cell[]): void
}

export class Cursor {
  readonly #sheet: Sheet
  readonly #hands: Hands
  /** The photo where the reader is. */
  active = $state<string | null>(null)
  #press: ReturnType<typeof setTimeout> | undefined
  /** A long touch has picked; the click that ends it does nothing more. */
  #suppressed = false

  readonly #moves: Readonly<Record<string, (index: number) => number | null>> = {
    ArrowRight: (index) => along(this.#sheet.stack, index, 1),
    ArrowLeft: (index) => along(this.#sheet.stack, index, -1),
    ArrowDown: (index) => across(this.#sheet.stack, index, 1),
    ArrowUp: (index) => across(this.#sheet.stack, index, -1),
    PageDown: (index) => leap(this.#sheet.stack, index, this.#hands.view * PAGE),
    PageUp: (index) => leap(this.#sheet.stack, index, -this.#hands.view * PAGE),
    Home: () => 0,
    End: () => this.#sheet.stack.count - 1,
  }

  constructor(sheet: Sheet, hands: Hands) {
    this.#sheet = sheet
    this.#hands = hands
  }

  /** The photo an event is about, if it is here. */
  #cellOf(event: Event): Cell | null {
    return this.#sheet.timeline.cell((event.target as HTMLElement).closest<HTMLElement>('[data-id]')?.dataset['id'] ?? '')
  }

  /** Go to the photo at a place of the whole list, which is fetched if it is not here; `extend` picks on the way. */
  async go(index: number, extend: boolean): Promise<void> {
    const section = sectionOf(this.#sheet.stack, index)
    if (!section) return
    let cells: readonly Cell[]
    try {
      cells = await this.#sheet.timeline.fetch(section.key)
    } catch (error) {
      return complain('The photos could not be fetched', error)
    }
    const cell = cells[Math.min(index - section.first, cells.length - 1)]
    if (!cell) return
    if (extend) await this.#range(cell.id)
    this.active = cell.id
    if (this.#hands.selected) this.#hands.open(cell.id)
    await this.#hands.focus(cell.id)
  }

  /** Pick from the pivot, or where the reader is, to a photo. */
  async #range(id: string): Promise<void> {
    const { selection } = this.#hands
    if (selection.pivot === '' || this.#sheet.indexOf(selection.pivot) === null) selection.from(this.active ?? id)
    const from = this.#sheet.indexOf(selection.pivot)
    const to = this.#sheet.indexOf(id)
    if (from === null || to === null) return
    try {
      await selection.extend(from, to)
    } catch (error) {
      complain('The photos in between could not be fetched', error)
    }
  }

  key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.altKey) return
    const cell = this.#cellOf(event)
    const index = cell && this.#sheet.indexOf(cell.id)
    if (!cell || index === null) return
    if (event.ctrlKey || event.metaKey) {
      if (event.key === 'a') this.#pickSection(index)
      else return
    } else if (!this.#walk(event, index) && !this.#act(event.key, cell)) return
    event.preventDefault()
  }

  #pickSection(index: number): void {
    const section = sectionOf(this.#sheet.stack, index)!
    this.#hands.selection.toggleAll(this.#sheet.timeline.cells(section.key) ?? [])
  }

  #walk(event: KeyboardEvent, index: number): boolean {
    const move = this.#moves[event.key]
    const goal = move?.(index) ?? null
    if (goal !== null && goal !== index) void this.go(goal, event.shiftKey)
    return move !== undefined
  }

  /** What a key does with the photo; with several picked, or one open, others hear the keys for marks and actions. */
  #act(key: string, cell: Cell): boolean {
    const { selection, selected, actions = BULK, ask } = this.#hands
    if (key === 'x' || key === ' ') selection.toggle(cell)
    else return !selection.size && !selected && keyed(key, [cell], () => undefined, actions, (action) => ask(action, [cell]))
    return true
  }

  click(event: MouseEvent): void {
    const cell = this.#cellOf(event)
    if (!cell) return
    if (this.#suppressed) {
      this.#suppressed = false
      event.preventDefault()
      return
    }
    // The browser opens it in a tab of its own.
    if (event.ctrlKey || event.metaKey) return
    event.preventDefault()
    const { selection, picking } = this.#hands
    const before = this.active
    this.active = cell.id
    if (event.shiftKey) {
      if (selection.pivot === '' && before) selection.from(before)
      void this.#range(cell.id)
    } else if ((event.target as HTMLElement).closest('.tick') || ((selection.size || picking) && event.detail > 0)) selection.toggle(cell)
    else this.#hands.open(cell.id)
  }

  /** A long touch picks; moving the finger is scrolling. */
  press(event: PointerEvent): void {
    this.release()
    this.#suppressed = false
    if (event.pointerType !== 'touch') return
    const cell = this.#cellOf(event)
    if (!cell) return
    this.#press = setTimeout(() => {
      this.#suppressed = true
      this.#hands.selection.toggle(cell)
    }, LONG)
  }

  slide(event: PointerEvent): void {
    if (Math.abs(event.movementX) + Math.abs(event.movementY) > SLIP) this.release()
  }

  release(): void {
    clearTimeout(this.#press)
  }

  /** A long touch is no wish for the browser's own menu. */
  menu(event: Event): void {
    if (this.#suppressed) event.preventDefault()
  }
}
