import { afterEach, describe, expect, it, vi } from 'vitest'

import { address, api, whenDenied } from '../src/lib/client.ts'
import { asProblem, Problem } from '../src/lib/problem.ts'

function answer(status: number, body: unknown, type = 'application/json'): ReturnType<typeof vi.fn> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const fetch = vi.fn(() => Promise.resolve(new Response(text, { status, headers: { 'Content-Type': type } })))
  vi.stubGlobal('fetch', fetch)
  return fetch
}

async function failure(promise: Promise<unknown>): Promise<Problem> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(Problem)
  return error as Problem
}

afterEach(() => vi.unstubAllGlobals())

describe('address', () => {
  it('fills the path and leaves empty query values out', () => {
    expect(address('/api/groups/{group_id}', { group_id: 'a/b' })).toBe('/api/groups/a%2Fb')
    expect(address('/api/images', {}, { root: '', cursor: null, limit: 3, sort: '-taken' })).toBe('/api/images?limit=3&sort=-taken')
  })
})

describe('a call', () => {
  it('reads without a body', async () => {
    const fetch = answer(200, { items: [], next_cursor: null, total: 0 })
    await expect(api.images({ limit: 10 })).resolves.toMatchObject({ total: 0 })
    const [url, init] = fetch.mock.calls[0] as [string, RequestInit]
    expect(url).toBe('/api/images?limit=10')
    expect(init.body).toBeUndefined()
  })

  it('writes plain JSON', async () => {
    const fetch = answer(200, {})
    await api.rate('f'.repeat(64), 4)
    const [url, init] = fetch.mock.calls[0] as [string, RequestInit & { headers: Record<string, string> }]
    expect(url).toBe(`/api/images/${'f'.repeat(64)}`)
    expect(init.method).toBe('PATCH')
    expect(init.headers['Content-Type']).toBe('application/json')
    expect(init.body).toBe('{"rating":4}')
  })

  it('tells a problem as the daemon does', async () => {
    answer(404, { type: '/problems/not-found', title: 'Not found', status: 404, detail: 'There is no such group', next_step: 'List them.' }, 'application/problem+json')
    const problem = await failure(api.group('g1'))
    expect(problem).toMatchObject({ status: 404, title: 'Not found', message: 'There is no such group', code: 'not-found', nextStep: 'List them.' })
  })

  it('copes with an error page of a proxy', async () => {
    answer(502, '<html>Bad gateway</html>', 'text/html')
    expect(await failure(api.status())).toMatchObject({ status: 502, title: 'HTTP 502', nextStep: '' })
  })

  it('says so when nobody answers', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
    expect(await failure(api.status())).toMatchObject({ status: 0, code: 'unreachable' })
  })

  it('asks for the token on 401, but not while signing in', async () => {
    const denied = vi.fn()
    whenDenied(denied)
    answer(401, { title: 'Token needed', status: 401, detail: '', type: 'about:blank' })
    await failure(api.status())
    expect(denied).toHaveBeenCalledTimes(1)
    await failure(api.signIn('wrong'))
    expect(denied).toHaveBeenCalledTimes(1)
  })

  it('lets an abort pass as an abort', () => {
    const abort = new DOMException('gone', 'AbortError')
    expect(() => asProblem(abort)).toThrow(abort)
  })
})
