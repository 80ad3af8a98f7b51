import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

async function below(content: string | undefined): Promise<typeof import('../src/lib/base.ts')> {
  vi.stubGlobal('document', { querySelector: () => (content === undefined ? null : { content }) })
  return import('../src/lib/base.ts')
}

test('at the root of its host, addresses stay as they are', async () => {
  const { at, within } = await below('/')
  expect(at('/groups')).toBe('/groups')
  expect(within('/groups/')).toBe('/groups')
  expect(within('/')).toBe('/')
})

test('a page without the mark lives at the root', async () => {
  expect((await below(undefined)).base).toBe('')
})

test('below a path, addresses begin with it', async () => {
  const { at, within } = await below('/photos/')
  expect(at('/')).toBe('/photos/')
  expect(at('/api/images')).toBe('/photos/api/images')
  expect(within('/photos')).toBe('/')
  expect(within('/photos/')).toBe('/')
  expect(within('/photos/groups/a')).toBe('/groups/a')
  expect(within('/photosgroups')).toBe('/photosgroups')
})

test('no literal address in the page misses the base path', () => {
  const source = join(import.meta.dirname, '..', 'src')
  const missed = /(?:href|src|action|poster|srcset)=(?:["'{`]|\{["'`])\/|(?:\bgo|\bfetch|\bopen|new Stream|new EventSource)\(["'`]\/|\.(?:src|href) = ["'`]\//
  const found = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:svelte|ts)$/.test(name) && !name.endsWith('.d.ts'))
    .flatMap((name) =>
      readFileSync(join(source, name), 'utf8')
        .split('\n')
        .flatMap((line, index) => (missed.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [])),
    )
  expect(found, 'put at(…) of lib/base.ts around it').toEqual([])
})
