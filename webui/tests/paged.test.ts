import { expect, test } from 'vitest'

import { Paged } from '../src/lib/paged.svelte.ts'

/** Pages of two out of `all`; the cursor is the place to go on from. */
function pages(all: () => readonly string[]) {
  return (cursor: string | null) => {
    const start = Number(cursor ?? 0)
    const items = all().slice(start, start + 2).map((id) => ({ id }))
    const next = start + 2 < all().length ? String(start + 2) : null
    return Promise.resolve({ items, total: all().length, next_cursor: next })
  }
}

const ids = (list: Paged<{ id: string }>) => list.items.map((item) => item.id)

test('pages follow one another without repeating what moved', async () => {
  let all = ['a', 'b', 'c', 'd', 'e']
  const list = new Paged(pages(() => all))
  await list.renew()
  expect([ids(list), list.total, list.unfinished]).toEqual([['a', 'b'], 5, true])
  all = ['new', ...all]
  await list.more()
  expect(ids(list)).toEqual(['a', 'b', 'c'])
  await list.more()
  await list.more()
  expect([ids(list), list.unfinished]).toEqual([['a', 'b', 'c', 'd', 'e'], false])
})

test('a renewal fetches as much as is shown', async () => {
  const list = new Paged(pages(() => ['a', 'b', 'c', 'd', 'e']))
  await list.renew()
  await list.more()
  await list.renew()
  expect([ids(list), list.unfinished]).toEqual([['a', 'b', 'c', 'd'], true])
})

test('a failure is kept until a renewal succeeds, and what is shown stays', async () => {
  let fails = false
  const good = pages(() => ['a', 'b', 'c'])
  const list = new Paged((cursor) => (fails ? Promise.reject(new Error('gone')) : good(cursor)))
  await list.renew()
  fails = true
  await list.renew()
  expect(list.problem).not.toBeNull()
  expect(ids(list)).toEqual(['a', 'b'])
  await expect(list.more()).rejects.toThrow('gone')
  fails = false
  await list.renew()
  expect(list.problem).toBeNull()
})
