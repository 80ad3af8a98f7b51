import { expect, it } from 'vitest'

import { chosen, dropped, walk, type Found } from '../src/lib/entries.ts'

type Tree = { [name: string]: Tree | string }

function entry(name: string, tree: Tree | string, above = ''): FileSystemEntry {
  const fullPath = `${above}/${name}`
  if (typeof tree === 'string') return { isFile: true, isDirectory: false, name, fullPath, file: (done: (file: File) => void) => done(new File([tree], name)) } as unknown as FileSystemEntry
  const inside = Object.entries(tree).map(([one, below]) => entry(one, below, fullPath))
  return {
    isFile: false,
    isDirectory: true,
    name,
    fullPath,
    // Two at a time, as browsers give a hundred.
    createReader: () => {
      let at = 0
      return { readEntries: (done: (some: FileSystemEntry[]) => void) => done(inside.slice(at, (at += 2))) }
    },
  } as unknown as FileSystemEntry
}

async function paths(found: AsyncIterable<Found>): Promise<string[]> {
  const list = []
  for await (const { path } of found) list.push(path)
  return list
}

const trip: Tree = { 'a.jpg': 'a', day1: { 'b.jpg': 'b', 'c.jpg': 'c', 'd.jpg': 'd', '.DS_Store': 'x' }, __MACOSX: { 'e.jpg': 'e' }, 'Thumbs.db': 'x' }

it('finds every file of a folder by its path, without clutter', async () => {
  expect(await paths(walk(entry('trip', trip)))).toEqual(['trip/a.jpg', 'trip/day1/b.jpg', 'trip/day1/c.jpg', 'trip/day1/d.jpg'])
})

it('rejects when something cannot be read', async () => {
  const broken = { isFile: true, name: 'x.jpg', fullPath: '/x.jpg', file: (_: unknown, fail: (error: Error) => void) => fail(new Error('gone')) } as unknown as FileSystemEntry
  await expect(paths(walk(broken))).rejects.toThrow('gone')
})

it('takes what was dropped at once, as the browser forgets it', async () => {
  const file = new File(['x'], 'plain.jpg')
  const items = [
    { kind: 'string', getAsFile: () => null },
    { kind: 'file', webkitGetAsEntry: () => entry('day1', trip['day1']!), getAsFile: () => null },
    { kind: 'file', webkitGetAsEntry: () => null, getAsFile: () => file },
  ]
  const found = dropped({ items } as unknown as DataTransfer)
  items.length = 0
  expect(await paths(found)).toEqual(['day1/b.jpg', 'day1/c.jpg', 'day1/d.jpg', 'plain.jpg'])
})

it('takes what was chosen in a folder field by its path there', () => {
  const within = (path: string): File => Object.assign(new File(['x'], path.split('/').at(-1)!), { webkitRelativePath: path })
  expect(chosen([within('trip/a.jpg'), within('trip/.hidden/b.jpg'), new File(['x'], 'c.jpg')]).map(({ path }) => path)).toEqual(['trip/a.jpg', 'c.jpg'])
})
