/** The daemon's settings, put in order for a reader. Pure. */

import type { Setting } from './types.ts'

export interface Section {
  readonly name: string
  readonly items: readonly Setting[]
}

/** Settings of one table of the file together, in the file's order; those outside any table come first, as `pixsortd`. */
export function sections(settings: readonly Setting[]): Section[] {
  const found = new Map<string, Setting[]>()
  for (const setting of settings) {
    const cut = setting.key.startsWith('spaces.') ? setting.key.lastIndexOf('.') : setting.key.indexOf('.')
    const name = cut < 0 ? 'pixsortd' : setting.key.slice(0, cut)
    found.set(name, [...(found.get(name) ?? []), setting])
  }
  return [...found].map(([name, items]) => ({ name, items }))
}

/** Settings that hold the words a reader looks for, and, with `changed`, whose value is not the default. */
export function sift(settings: readonly Setting[], words: string, changed: boolean): Setting[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  return settings.filter((setting) => {
    if (changed && setting.origin === 'default') return false
    const text = `${setting.key} ${setting.value} ${setting.about}`.toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
}

/** Where a value came from, in short: the line of the file, without the file's whole path. */
export function origin(setting: Pick<Setting, 'origin'>, file: string | null): string {
  return file && setting.origin.startsWith(`${file}:`) ? `line ${setting.origin.slice(file.length + 1)}` : setting.origin
}
