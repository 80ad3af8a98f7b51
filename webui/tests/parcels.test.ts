import { describe, expect, it } from 'vitest'

import { parcel, refusal, remaining, spread } from '../src/lib/parcels.ts'
import { read } from '../src/lib/sending.ts'
import type { UploadLimits } from '../src/lib/types.ts'

describe('a parcel', () => {
  const most = { files: 3, bytes: 100 }

  it('holds as many files as its bounds take', () => {
    expect(parcel([1, 1, 1, 1], most)).toBe(3)
    expect(parcel([60, 30, 30], most)).toBe(2)
    expect(parcel([50, 50], most)).toBe(2)
  })

  it('holds one that is too large by itself', () => {
    expect(parcel([500, 1], most)).toBe(1)
    expect(parcel([], most)).toBe(0)
  })
})

describe('what has gone', () => {
  it('is told file by file', () => {
    expect(spread([100, 100], 50, 200)).toEqual([50, 0])
    expect(spread([100, 100], 150, 200)).toEqual([100, 50])
  })

  it('does not count what is around the files', () => {
    expect(spread([100, 100], 10, 220)).toEqual([0, 0])
    expect(spread([100, 100], 220, 220)).toEqual([100, 100])
    expect(spread([], 5, 10)).toEqual([])
  })

  it('never exceeds a file', () => {
    for (let loaded = 0; loaded <= 330; loaded += 7) {
      const sent = spread([100, 0, 200], loaded, 330)
      expect(sent[0]! <= 100 && sent[1] === 0 && sent[2]! <= 200 && sent.every((one) => one >= 0)).toBe(true)
    }
  })
})

it('refuses before sending what the daemon would refuse', () => {
  const limits: UploadLimits = { inbox: '/inbox', max_bytes: 1000, max_files: 5, extensions: ['.jpg', '.heic'], reason: null }
  expect(refusal('a/B.JPG', 10, limits)).toBeNull()
  expect(refusal('a/notes.txt', 10, limits)?.message).toContain('.txt')
  expect(refusal('a.b/README', 10, limits)?.message).toContain('no extension')
  expect(refusal('.jpg', 10, limits)?.message).toContain('no extension')
  expect(refusal('a.jpg', 0, limits)?.message).toContain('empty')
  expect(refusal('a.jpg', 1001, limits)?.next_step).toContain('max_bytes')
})

it('says how long it takes, once that can be told', () => {
  expect([remaining(100, 0), remaining(100, 50)]).toEqual([null, 2])
})

describe('an answer', () => {
  it('is a list, or a problem with what was done before it', async () => {
    expect(await read(Response.json({ items: [{ id: 'a' }] }))).toEqual({ items: [{ id: 'a' }], problem: null })
    const partly = await read(Response.json({ title: 'Too large', status: 413, detail: 'x', items: [{ id: 'a' }] }, { status: 413 }))
    expect([partly.items.length, partly.problem?.status]).toEqual([1, 413])
    expect((await read(new Response('<h1>Bad gateway</h1>', { status: 502 }))).problem?.status).toBe(502)
  })

  it('of something in between is no answer', async () => {
    await expect(read(new Response('<h1>Log in</h1>'))).rejects.toThrow('Something between')
  })
})
