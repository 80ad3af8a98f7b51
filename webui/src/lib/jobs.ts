/** Background work in words. Pure. */

import * as format from './format.ts'
import type { Job } from './types.ts'

const NAMES: Readonly<Record<string, string>> = {
  recluster: 'Regrouping',
  scan: 'Scan',
  check: 'Check of the index',
  rebuild: 'Rebuild of the index',
  backup: 'Backup of the index',
  backfill: 'Filling in what is missing',
  forget: 'Forgetting what is long gone',
  quality: 'Scoring',
  batch: 'Forming groups of a batch',
  trash: 'Clearing the trash',
  sort: 'Sorting',
  replay: 'Trying the rules',
}

export function name(job: Job): string {
  return NAMES[job.kind] ?? job.kind
}

/** Queued or running: it can be watched and cancelled. */
export function isActive(job: Job): boolean {
  return job.state === 'queued' || job.state === 'running'
}

/** How far it is, how it ended, or what went wrong. */
export function story(job: Job): string {
  if (job.error) return job.error
  if (isActive(job)) return job.detail
  const { groups, grouped, photos, left_out: left } = job.result
  if (typeof groups === 'number' && typeof grouped === 'number' && typeof photos === 'number') {
    return `${format.plural(groups, 'group')} with ${format.count(grouped)} of ${format.plural(photos, 'photo')}`
  }
  if (typeof groups === 'number' && typeof grouped === 'number' && typeof left === 'number') {
    return `${format.plural(groups, 'group')} with ${format.plural(grouped, 'photo')}${left ? `, ${format.plural(left, 'photo')} left out` : ''}`
  }
  const facts = Object.entries(job.result).map(([key, value]) => `${key} ${typeof value === 'number' ? format.count(value) : value}`)
  return facts.length ? facts.join(', ') : job.state === 'complete' ? '' : job.detail
}
