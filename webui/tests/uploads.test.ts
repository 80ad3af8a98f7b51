import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Upload } from '../src/lib/types.ts'

vi.stubGlobal('location', { pathname: '/', search: '' })
const { uploads } = await import('../src/lib/uploads.svelte.ts')

const LIMITS = { inbox: '/inbox', max_bytes: 1e9, max_files: 20, extensions: ['.jpg'], reason: null }

/** Requests that wait for the test to answer them. */
let requests: Sent[] = []

class Sent {
  upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {}
  onload?: () => void
  onerror?: () => void
  onabort?: () => void
  url = ''
  names: string[] = []
  status = 0
  statusText = ''
  responseText = ''
  open(_: string, url: string): void {
    this.url = url
  }
  setRequestHeader(): void {}
  getResponseHeader(): null {
    return null
  }
  send(form: FormData): void {
    this.names = form.getAll('files').map((file) => (file as File).name)
    requests.push(this)
  }
  abort(): void {
    this.onabort?.()
  }
  answer(status: number, body: object): void {
    Object.assign(this, { status, responseText: JSON.stringify(body) })
    this.onload?.()
  }
  items(status: Upload['status'] = 'stored'): object {
    return { items: this.names.map((filename) => ({ filename, id: `id ${filename}`, status, is_duplicate: status === 'duplicate', duplicate_of: null, size: 1, path: null, reason: null })) }
  }
}

function files(count: number, name = 'photo'): { file: File; path: string }[] {
  return Array.from({ length: count }, (_, at) => ({ file: new File(['x'], `${name}${at}.jpg`), path: `trip/${name}${at}.jpg` }))
}

async function rest(): Promise<void> {
  await vi.advanceTimersByTimeAsync(300)
}

beforeEach(() => {
  vi.useFakeTimers()
  requests = []
  vi.stubGlobal('XMLHttpRequest', Sent)
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json(LIMITS)))
})

afterEach(async () => {
  uploads.cancel()
  await rest()
  uploads.clear()
  await rest()
  vi.useRealTimers()
})

describe('the queue', () => {
  it('sends a few files at a time, with their paths, and says how many', async () => {
    await uploads.add(files(60), null)
    await rest()
    expect(requests).toHaveLength(2)
    expect(requests.every(({ names }) => names.length <= LIMITS.max_files)).toBe(true)
    expect(requests[0]!.url).toBe(`/api/images/upload?files=${requests[0]!.names.length}`)
    expect(requests[0]!.names[0]).toBe('trip/photo0.jpg')
    while (uploads.active) {
      requests.splice(0).forEach((one) => one.answer(200, one.items()))
      await rest()
    }
    expect(uploads.tally.count.stored).toBe(60)
    expect(uploads.tally.sent).toBe(uploads.tally.bytes)
  })

  it('names what is refused without sending it', async () => {
    await uploads.add([{ file: new File(['x'], 'notes.txt'), path: 'notes.txt' }, ...files(1)], 'b1')
    await rest()
    expect(requests.map(({ url, names }) => [url, names])).toEqual([['/api/batches/b1/upload-and-add?files=1', ['trip/photo0.jpg']]])
    expect(uploads.tally.count.refused).toBe(1)
    expect(uploads.tally.bytes).toBe(1)
  })

  it('pauses at once, and sends again what was cut off', async () => {
    await uploads.add(files(1), null)
    await rest()
    requests[0]!.upload.onprogress?.({ loaded: 90, total: 90 })
    uploads.pause()
    await rest()
    expect([uploads.paused, uploads.tally.count.waiting, uploads.tally.sent]).toEqual([true, 1, 0])
    uploads.resume()
    await rest()
    // It had gone in full, so the twin that the daemon finds is itself.
    requests[1]!.answer(200, requests[1]!.items('duplicate'))
    await rest()
    expect([uploads.active, uploads.tally.count.stored, uploads.tally.count.duplicate]).toEqual([false, 1, 0])
  })

  it('shows a twin as one', async () => {
    await uploads.add(files(1), null)
    await rest()
    requests[0]!.answer(200, requests[0]!.items('duplicate'))
    await rest()
    expect(uploads.items.map(({ fate, photo }) => [fate, photo])).toEqual([['duplicate', 'id trip/photo0.jpg']])
  })

  it('goes on by itself when the line was broken', async () => {
    await uploads.add(files(1), null)
    await rest()
    requests[0]!.onerror?.()
    await rest()
    expect(uploads.stalled?.code).toBe('unreachable')
    await vi.advanceTimersByTimeAsync(2500)
    expect([uploads.stalled, requests.length]).toEqual([null, 2])
  })

  it('waits for the user where trying again does not help', async () => {
    await uploads.add(files(1), null)
    await rest()
    requests[0]!.answer(409, { title: 'Conflict', status: 409, detail: 'the inbox is away', next_step: 'Bring it back.' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect([uploads.stalled?.nextStep, requests.length, uploads.tally.count.waiting]).toEqual(['Bring it back.', 1, 1])
    uploads.resume()
    await rest()
    expect(requests).toHaveLength(2)
  })

  it('keeps what was stored before a file that ended the request, and sends the rest again', async () => {
    await uploads.add(files(1, 'first'), null)
    await uploads.add(files(4), null)
    await rest()
    requests.splice(0).forEach((one) => one.answer(200, one.items()))
    await rest()
    const [large] = requests.splice(0)
    large!.answer(413, { ...{ items: (large!.items() as { items: object[] }).items.slice(0, 1) }, title: 'Too large', status: 413, detail: 'It is too large', next_step: '' })
    await rest()
    expect(uploads.items.filter(({ fate }) => fate === 'refused').map(({ reason }) => reason?.message)).toEqual(['It is too large'])
    expect(requests).toHaveLength(1)
  })

  it('leaves out what has not gone when it is called off', async () => {
    await uploads.add(files(60), null)
    await rest()
    requests[0]!.answer(200, requests[0]!.items())
    await rest()
    uploads.cancel()
    await rest()
    expect(uploads.active).toBe(false)
    expect(uploads.items.every(({ fate }) => fate === 'stored')).toBe(true)
  })

  it('without an inbox opens the dialog that helps', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ ...LIMITS, inbox: null })))
    await uploads.add(files(1), null)
    expect([uploads.asking, uploads.items.length]).toEqual([{ batch: null }, 0])
    uploads.closeDialog()
  })
})
