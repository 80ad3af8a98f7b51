import { describe, expect, it, vi } from 'vitest'

import { Sparse } from '../src/lib/sparse.svelte.ts'

/** A list whose things say what they are, and the pages that were asked for. */
function list(page = 10, name = () => 'a') {
  const asked: number[] = []
  const sparse = new Sparse<string>(page, (start, limit) => {
    asked.push(start)
    return Promise.resolve(Array.from({ length: limit }, (_, at) => `${name()}${start + at}`))
  })
  return { sparse, asked }
}

const none = (): undefined => undefined

describe('a list that is fetched where it is looked at', () => {
  it('fetches pages that are in sight, each once', async () => {
    const { sparse, asked } = list()
    sparse.renew(1000, none)
    sparse.want(405, 425)
    await vi.waitFor(() => expect(sparse.at(424)).toBe('a424'))
    expect(asked).toEqual([400, 410, 420])
    expect([sparse.at(399), sparse.at(430), sparse.count]).toEqual([undefined, undefined, 1000])
    sparse.want(405, 425)
    expect(asked.length).toBe(3)
  })

  it('leaves out what went by before it was fetched', async () => {
    const { sparse, asked } = list()
    sparse.renew(1000, none)
    sparse.want(0, 100)
    sparse.want(900, 1000)
    await vi.waitFor(() => expect(sparse.at(999)).toBe('a999'))
    expect(asked.filter((start) => start < 900)).toEqual([0, 10])
  })

  it('shows what is known until it was fetched anew', async () => {
    let name = 'old'
    const { sparse } = list(10, () => name)
    sparse.renew(20, none)
    sparse.want(0, 20)
    await vi.waitFor(() => expect(sparse.at(19)).toBe('old19'))
    name = 'new'
    sparse.renew(19, (at) => sparse.at(at + 1))
    expect([sparse.at(0), sparse.known.length]).toEqual(['old1', 19])
    sparse.want(0, 1)
    await vi.waitFor(() => expect(sparse.at(0)).toBe('new0'))
    expect(sparse.at(18)).toBe('old19')
  })

  it('does not take what was asked of another list', async () => {
    let answer: (items: string[]) => void = () => {}
    const sparse = new Sparse<string>(10, () => new Promise((resolve) => (answer = resolve)))
    sparse.renew(10, none)
    sparse.want(0, 10)
    sparse.renew(5, none)
    answer(['stale'])
    await Promise.resolve()
    expect(sparse.at(0)).toBeUndefined()
  })

  it('says why a part could not be fetched, and asks again when it is looked at again', async () => {
    let fails = true
    const sparse = new Sparse<string>(10, () => (fails ? Promise.reject(new Error('gone')) : Promise.resolve(['a'])))
    sparse.renew(10, none)
    sparse.want(0, 10)
    await vi.waitFor(() => expect(sparse.problem).not.toBeNull())
    fails = false
    sparse.want(0, 10)
    await vi.waitFor(() => expect(sparse.at(0)).toBe('a'))
    expect(sparse.problem).toBeNull()
  })
})
