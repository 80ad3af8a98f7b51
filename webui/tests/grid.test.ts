import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Cursor, type Hands } from '../src/lib/cursor.svelte.ts'
import { Scrolling } from '../src/lib/scrolling.svelte.ts'
import { Selection } from '../src/lib/selection.svelte.ts'
import { Sheet, type Manner } from '../src/lib/sheet.svelte.ts'
import { Timeline } from '../src/lib/timeline.svelte.ts'
import type { Cell } from '../src/lib/types.ts'

/** Twelve wide photos in May, eight upright ones in April. */
const MONTHS: Record<string, readonly Cell[]> = {
  '2024-05': Array.from({ length: 12 }, (_, at) => photo(`may${at}`, 300, 100)),
  '2024-04': Array.from({ length: 8 }, (_, at) => photo(`apr${at}`, 100, 200)),
}

function photo(id: string, width: number, height: number): Cell {
  return { id, name: `${id}.jpg`, status: 'indexed', width, height, taken_at: 0, rating: null, label: null, group: null }
}

async function timelineWith(...fetched: string[]): Promise<Timeline> {
  const timeline = new Timeline({
    outline: () => Promise.resolve({ items: Object.entries(MONTHS).map(([key, cells]) => ({ key, count: cells.length })), total: 20 }),
    bucket: (key) => Promise.resolve(MONTHS[key]!),
  })
  await timeline.open()
  for (const key of fetched) await timeline.fetch(key)
  return timeline
}

function sheetOf(timeline: Timeline, more: Partial<Manner> = {}): Sheet {
  return new Sheet({ timeline, width: 600, name: (key) => key, headingHeight: 48, closed: undefined, ...more })
}

describe('a sheet', () => {
  it('lays out what is here and guesses the height of the rest', async () => {
    const sheet = sheetOf(await timelineWith('2024-04'))
    const [may, april] = sheet.stack.sections
    expect([may!.laid, april!.laid?.boxes.length]).toEqual([null, 8])
    expect(may!.body).toBeGreaterThan(0)
    expect(april!.top).toBe(may!.height + 20)
    expect([sheet.indexOf('apr2'), sheet.indexOf('may2'), sheet.search(april!, 'apr3'), sheet.search(may!, 'may3')]).toEqual([14, null, 3, -1])
    expect([sheet.boxOf('may0'), sheet.boxOf('apr0')]).toEqual([null, expect.objectContaining({ top: april!.top + 48 })])
  })

  it('shows only the heading of what is closed, and no heading without a name', async () => {
    const timeline = await timelineWith('2024-05', '2024-04')
    const [closed] = sheetOf(timeline, { closed: new Set(['2024-05']) }).stack.sections
    expect([closed!.height, closed!.count]).toEqual([48, 12])
    const [bare, next] = sheetOf(timeline, { name: () => '' }).stack.sections
    expect([bare!.heading, next!.top - bare!.height]).toEqual([0, 4])
    expect(sheetOf(timeline, { width: 0 }).stack.count).toBe(0)
  })
})

describe('scrolling', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function scrollingIn(sheet: Sheet, chosen: string | null = null) {
    const settled = vi.fn()
    const scrolling = new Scrolling(sheet, () => chosen, settled)
    scrolling.element = { scrollTop: 0 } as HTMLElement
    scrolling.view = 300
    const scroll = (top: number): void => {
      scrolling.element!.scrollTop = top
      scrolling.scrolled()
    }
    return { scrolling, settled, scroll }
  }

  it('keeps what one looks at in its place when what is above turns out to be higher', async () => {
    const timeline = await timelineWith('2024-04')
    const sheet = sheetOf(timeline)
    const { scrolling, scroll } = scrollingIn(sheet)
    scroll(sheet.boxOf('apr4')!.top - 40)
    const before = sheet.boxOf('apr4')!.top - scrolling.top
    const guessed = sheet.stack.sections[0]!.body
    vi.advanceTimersByTime(500)
    await timeline.fetch('2024-05')
    const after = sheetOf(timeline)
    expect(after.stack.sections[0]!.body).not.toBe(guessed)
    scrolling.keep()
    expect(sheet.boxOf('apr4')!.top - scrolling.top).toBeCloseTo(before)
  })

  it('tells where the view has settled, once, and nothing of the begin of the list', async () => {
    const sheet = sheetOf(await timelineWith('2024-05', '2024-04'))
    const { scroll, settled } = scrollingIn(sheet)
    scroll(sheet.boxOf('apr0')!.top - 30)
    scroll(sheet.boxOf('apr0')!.top - 40)
    vi.advanceTimersByTime(1000)
    expect(settled.mock.calls).toEqual([[expect.objectContaining({ key: '2024-04', id: 'apr0', offset: 40 })]])
    scroll(0)
    vi.advanceTimersByTime(1000)
    expect(settled).toHaveBeenLastCalledWith(null)
  })

  it('reveals a photo with the least movement, and a heading along with its first row', async () => {
    const sheet = sheetOf(await timelineWith('2024-05', '2024-04'))
    const { scrolling } = scrollingIn(sheet)
    scrolling.reveal('may0')
    expect(scrolling.top).toBe(0)
    const last = sheet.boxOf('apr7')!
    scrolling.reveal('apr7')
    expect(scrolling.top).toBe(last.top + last.height - 300 + 16)
    scrolling.reveal('may0')
    expect(scrolling.top).toBe(0)
  })

  it('hurries past places while the scrubber is dragged, and rests after', async () => {
    const sheet = sheetOf(await timelineWith('2024-05', '2024-04'))
    const { scrolling } = scrollingIn(sheet)
    scrolling.travel({ key: '2024-04', id: null, share: 0.5, offset: 0, first: 12 }, true)
    expect([scrolling.passing, scrolling.hurry]).toEqual([true, true])
    vi.advanceTimersByTime(200)
    expect([scrolling.passing, scrolling.hurry]).toEqual([false, false])
  })
})

describe('the cursor', () => {
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }

  async function cursorIn(more: Partial<Hands> = {}) {
    const timeline = await timelineWith('2024-05', '2024-04')
    const selection = new Selection(timeline)
    const hands = { open: vi.fn(), focus: vi.fn(() => Promise.resolve()), ask: vi.fn() }
    const cursor = new Cursor(sheetOf(timeline), { selection, view: 300, selected: null, picking: false, actions: [], ...hands, ...more })
    const on = (id: string, event: object): { event: never; prevented: () => boolean } => {
      const preventDefault = vi.fn()
      const target = { closest: (what: string) => (what === '[data-id]' ? { dataset: { id } } : null) }
      return { event: { target, preventDefault, detail: 1, ...event } as never, prevented: () => preventDefault.mock.calls.length > 0 }
    }
    const press = async (id: string, key: string, more: object = {}): Promise<boolean> => {
      const { event, prevented } = on(id, { key, ...more })
      cursor.key(event)
      await settled()
      return prevented()
    }
    const ids = (): string => selection.photos.map(({ id }) => id).join(' ')
    return { cursor, selection, hands, on, press, ids }
  }

  it('walks along, to the ends and into the next month', async () => {
    const { cursor, press, hands } = await cursorIn()
    await press('may11', 'ArrowRight')
    expect([cursor.active, hands.focus.mock.calls]).toEqual(['apr0', [['apr0']]])
    await press('apr0', 'End')
    expect(cursor.active).toBe('apr7')
    expect(await press('apr7', 'ArrowRight')).toBe(true)
    expect(cursor.active).toBe('apr7')
    await press('apr7', 'Home')
    expect(cursor.active).toBe('may0')
    expect([await press('may0', 'q'), await press('nobody', 'End')]).toEqual([false, false])
  })

  it('picks with keys: one, a range that shrinks again, a whole month', async () => {
    const { press, ids, selection } = await cursorIn()
    await press('may0', 'x')
    await press('may0', 'ArrowRight', { shiftKey: true })
    await press('may1', 'ArrowRight', { shiftKey: true })
    expect(ids()).toBe('may0 may1 may2')
    await press('may2', 'ArrowLeft', { shiftKey: true })
    expect(ids()).toBe('may0 may1')
    selection.clear()
    await press('apr3', 'a', { ctrlKey: true })
    expect(selection.size).toBe(8)
  })

  it('opens on a click, picks where photos are picked, and leaves other clicks to the browser', async () => {
    const { cursor, hands, on, ids } = await cursorIn()
    cursor.click(on('may1', {}).event)
    expect([hands.open.mock.calls, ids()]).toEqual([[['may1']], ''])
    const tab = on('may2', { ctrlKey: true })
    cursor.click(tab.event)
    expect([tab.prevented(), hands.open.mock.calls.length]).toEqual([false, 1])
    cursor.click(on('may3', { shiftKey: true }).event)
    await settled()
    expect(ids()).toBe('may1 may2 may3')
    cursor.click(on('may5', {}).event)
    expect(ids()).toBe('may1 may2 may3 may5')
  })

  it('picks with a long touch, whose end opens nothing; a finger that moves scrolls', async () => {
    const { cursor, hands, on, ids } = await cursorIn()
    vi.useFakeTimers()
    cursor.press(on('may1', { pointerType: 'touch' }).event)
    vi.advanceTimersByTime(500)
    cursor.click(on('may1', {}).event)
    expect([ids(), hands.open.mock.calls.length]).toEqual(['may1', 0])
    cursor.press(on('may2', { pointerType: 'touch' }).event)
    cursor.slide(on('may2', { movementX: 0, movementY: 9 }).event)
    vi.advanceTimersByTime(500)
    vi.useRealTimers()
    expect(ids()).toBe('may1')
  })
})
