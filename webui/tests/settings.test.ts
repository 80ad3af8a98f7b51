import { describe, expect, it } from 'vitest'

import { origin, sections, sift } from '../src/lib/settings.ts'
import type { Setting } from '../src/lib/types.ts'

function setting(key: string, more: Partial<Setting> = {}): Setting {
  return { key, value: '1', origin: 'default', live: true, waits: false, about: '', ...more }
}

describe('settings', () => {
  it('stand together by their table', () => {
    const found = sections(['state_dir', 'roots', 'watch.quiet', 'watch.rescan', 'spaces.timm.small.model', 'api.port'].map((key) => setting(key)))
    expect(found.map(({ name, items }) => [name, items.length])).toEqual([
      ['pixsortd', 2],
      ['watch', 2],
      ['spaces.timm.small', 1],
      ['api', 1],
    ])
  })

  it('are found by any of their words', () => {
    const all = [setting('api.port', { about: 'Where the page is' }), setting('watch.quiet', { origin: 'environment X' })]
    expect(sift(all, ' PAGE api ', false).map(({ key }) => key)).toEqual(['api.port'])
    expect(sift(all, '', true).map(({ key }) => key)).toEqual(['watch.quiet'])
  })

  it('name the line of the file that is known', () => {
    expect(origin({ origin: '/etc/p.toml:12' }, '/etc/p.toml')).toBe('line 12')
    expect(origin({ origin: 'environment PIXSORTD_X' }, '/etc/p.toml')).toBe('environment PIXSORTD_X')
    expect(origin({ origin: 'default' }, null)).toBe('default')
  })
})
