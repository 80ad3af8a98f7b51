/** Cuts through the tree of groups: levels with a name, and any fineness between. Pure. */

import * as format from './format.ts'
import type { CutPage } from './types.ts'

interface Words {
  readonly name: string
  readonly about: string
}

const WORDS: Readonly<Record<string, Words>> = {
  'near-duplicate': { name: 'Near-duplicates', about: 'the same picture, saved or edited more than once' },
  burst: { name: 'Bursts', about: 'shots of one moment' },
  scene: { name: 'Scenes', about: 'what was shot in one go at one place' },
  theme: { name: 'Themes', about: 'your groups' },
}

/** Steps of the slider. */
export const STEPS = 100

export function words(level: string): Words {
  return WORDS[level] ?? { name: level, about: '' }
}

/** The step of the slider for a cut, 0 for the coarsest. */
export function stepOf(at: number, bounds: { readonly least: number; readonly most: number }): number {
  const span = bounds.most - bounds.least
  return span > 0 ? Math.round((Math.min(bounds.most, Math.max(bounds.least, at)) - bounds.least) / span * STEPS) : 0
}

/** The cut for a step of the slider. */
export function cutOf(step: number, bounds: { readonly least: number; readonly most: number }): number {
  return Number((bounds.least + (step / STEPS) * (bounds.most - bounds.least)).toFixed(4))
}

/** What a cut shows: "212 groups with 1,234 photos, 56 in none". */
export function summary(cut: Pick<CutPage, 'groups' | 'grouped' | 'ungrouped'>): string {
  return `${format.plural(cut.groups, 'group')} with ${format.plural(cut.grouped, 'photo')}, ${format.count(cut.ungrouped)} in none`
}
