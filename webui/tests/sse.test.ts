import { describe, expect, it } from 'vitest'

import { backoff, EventParser } from '../src/lib/sse.ts'

const text = [
  'retry: 2000\n\n',
  ': still here\n\n',
  'id: 7\nevent: photos\ndata: {"added": 3}\n\n',
  'data: two\ndata: lines\n\n',
  'event: nothing\n\n',
  'id: 9\r\nevent: gap\r\ndata:{}\r\n\r\n',
].join('')

const expected = [
  { id: '7', event: 'photos', data: '{"added": 3}' },
  { id: '7', event: 'message', data: 'two\nlines' },
  { id: '9', event: 'gap', data: '{}' },
]

describe('EventParser', () => {
  it('reads a whole stream', () => {
    const parser = new EventParser()
    expect(parser.push(text)).toEqual(expected)
    expect(parser.retry).toBe(2000)
  })

  it('reads the same however the stream is cut', () => {
    for (let size = 1; size < 12; size++) {
      const parser = new EventParser()
      const events = []
      for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)))
      expect(events).toEqual(expected)
    }
  })

  it('takes a lone CR for a line end', () => {
    expect(new EventParser().push('data: a\r\rdata: b\n\n')).toEqual([
      { id: '', event: 'message', data: 'a' },
      { id: '', event: 'message', data: 'b' },
    ])
  })

  it('keeps an unfinished event to itself', () => {
    const parser = new EventParser()
    expect(parser.push('id: 1\ndata: half')).toEqual([])
    expect(parser.push('\n')).toEqual([])
    expect(parser.push('\n')).toEqual([{ id: '1', event: 'message', data: 'half' }])
  })

  it('ignores what it does not know', () => {
    const parser = new EventParser()
    expect(parser.push('colour: red\nretry: soon\nid: a\0b\ndata\n\n')).toEqual([{ id: '', event: 'message', data: '' }])
    expect(parser.retry).toBeNull()
  })
})

describe('backoff', () => {
  it('doubles, is capped, and is spread by the jitter', () => {
    expect([1, 2, 3].map((failures) => backoff(failures, 0.5))).toEqual([500, 1000, 2000])
    expect(backoff(40, 0.5)).toBe(30_000)
    expect(backoff(1, 0)).toBeLessThan(backoff(1, 0.99))
  })
})
