import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { ServerEvent } from '../src/lib/sse.ts'
import { Stream, type Link } from '../src/lib/stream.ts'

/** What the page would hear. */
function listener(again = true) {
  const events: ServerEvent[] = []
  const links: Link[] = []
  const refused: number[] = []
  return {
    events,
    links,
    refused,
    ears: {
      event: (event: ServerEvent) => events.push(event),
      link: (link: Link) => links.push(link),
      refused: ({ status }: { status: number }) => {
        refused.push(status)
        return again
      },
    },
  }
}

beforeEach(() => {
  vi.useFakeTimers()
  const target = Object.assign(new EventTarget(), { hidden: false })
  vi.stubGlobal('document', target)
  vi.stubGlobal('addEventListener', () => {})
  vi.stubGlobal('removeEventListener', () => {})
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('opens again where the line broke', async () => {
  const asked: (string | undefined)[] = []
  vi.stubGlobal('fetch', (_: string, init: { headers: Record<string, string> }) => {
    asked.push(init.headers['Last-Event-ID'])
    return Promise.resolve(new Response(`retry: 2000\n\nid: ${40 + asked.length}\nevent: photos\ndata: {}\n\n`))
  })
  const { ears, events, links } = listener()
  const close = new Stream('/api/events', ears).open()
  await vi.advanceTimersByTimeAsync(10)
  expect(links).toEqual(['connecting', 'live', 'lost'])
  await vi.advanceTimersByTimeAsync(1900)
  expect(asked).toEqual([undefined])
  await vi.advanceTimersByTimeAsync(200)
  expect(asked).toEqual([undefined, '41'])
  expect(events.map(({ id }) => id)).toEqual(['41', '42'])
  close()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(2)
})

it('waits longer and longer while nobody answers', async () => {
  const fetch = vi.fn(() => Promise.reject(new TypeError('refused')))
  vi.stubGlobal('fetch', fetch)
  const { ears, links } = listener()
  const close = new Stream('/api/events', ears).open()
  await vi.advanceTimersByTimeAsync(2500)
  const early = fetch.mock.calls.length
  await vi.advanceTimersByTimeAsync(30_000)
  const late = fetch.mock.calls.length - early
  expect(early).toBeGreaterThanOrEqual(2)
  expect(late).toBeLessThan(8)
  expect(links).not.toContain('live')
  close()
})

it('gives up when it may not listen, until it is opened again', async () => {
  const fetch = vi.fn(() => Promise.resolve(new Response('{}', { status: 401 })))
  vi.stubGlobal('fetch', fetch)
  const { ears, refused } = listener(false)
  const close = new Stream('/api/events', ears).open()
  await vi.advanceTimersByTimeAsync(120_000)
  expect(refused).toEqual([401])
  expect(fetch).toHaveBeenCalledTimes(1)
  close()
})

it('takes a silent line for dead', async () => {
  const fetch = vi.fn(() => Promise.resolve(new Response(new ReadableStream())))
  vi.stubGlobal('fetch', fetch)
  const { ears, links } = listener()
  const close = new Stream('/api/events', ears).open()
  await vi.advanceTimersByTimeAsync(59_000)
  expect(links).toEqual(['connecting', 'live'])
  await vi.advanceTimersByTimeAsync(3000)
  expect(links.slice(2)).toEqual(['lost', 'live'])
  close()
})

it('lets go of the line when nobody looks, and takes it up again', async () => {
  const fetch = vi.fn(() => Promise.resolve(new Response(new ReadableStream())))
  vi.stubGlobal('fetch', fetch)
  const { ears } = listener()
  const close = new Stream('/api/events', ears).open()
  await vi.advanceTimersByTimeAsync(10)
  const page = document as unknown as EventTarget & { hidden: boolean }
  page.hidden = true
  page.dispatchEvent(new Event('visibilitychange'))
  await vi.advanceTimersByTimeAsync(300_000)
  expect(fetch).toHaveBeenCalledTimes(1)
  page.hidden = false
  page.dispatchEvent(new Event('visibilitychange'))
  await vi.advanceTimersByTimeAsync(10)
  expect(fetch).toHaveBeenCalledTimes(2)
  close()
})
