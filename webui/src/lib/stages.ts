/** The pipeline's stages in words. Pure. */

import * as format from './format.ts'
import type { Stage } from './types.ts'

interface Words {
  readonly title: string
  /** What its depth counts. */
  readonly what: string
  readonly unit: string
  /** What its time depends on, where that is not how much waits. */
  readonly until?: string
}

const WORDS: Readonly<Record<string, Words>> = {
  settle: { title: 'Settling', what: 'files that may still be growing', unit: 'files', until: 'until they rest' },
  analyze: { title: 'Analysing', what: 'files to read, describe and embed', unit: 'files' },
  score: { title: 'Scoring', what: 'photos that lack a score or a vector', unit: 'photos' },
  group: { title: 'Grouping', what: 'photos that no regrouping has seen', unit: 'photos', until: 'with the next regrouping' },
}

export function words(stage: Pick<Stage, 'name'>): Words {
  return WORDS[stage.name] ?? { title: stage.name, what: 'waiting', unit: 'items' }
}

/** Too slow to speak of. */
const REST = 0.005

/** What it is doing, in a word. */
export function doing(stage: Stage): 'held' | 'working' | 'waiting' | 'at rest' {
  if (stage.paused) return 'held'
  if (stage.rate >= REST) return 'working'
  return stage.depth ? 'waiting' : 'at rest'
}

/** "12.4 files/s", "3 photos/min", or nothing at rest. */
export function pace(stage: Stage): string {
  if (stage.rate < REST) return ''
  const { unit } = words(stage)
  return stage.rate >= 0.95 ? `${format.round(stage.rate)} ${unit}/s` : `${format.round(stage.rate * 60)} ${unit}/min`
}

/** When it will be done, in words; nothing when there is nothing to do. */
export function left(stage: Stage): string {
  if (!stage.depth) return ''
  if (stage.paused) return 'waits until you resume it'
  const { until } = words(stage)
  if (until) return until
  if (stage.away === stage.depth) return 'waits for its folder to return'
  if (stage.eta === null) return 'time left not known yet'
  return `${stage.growing ? 'at least' : 'about'} ${format.roughly(stage.eta)} left`
}

/** What else there is to say of what waits: its size, what is out of reach, and that more may come. */
export function notes(stage: Stage): string {
  const found: string[] = []
  if (stage.bytes) found.push(format.bytes(stage.bytes))
  if (stage.away && stage.away < stage.depth) found.push(`${format.count(stage.away)} out of reach`)
  if (stage.growing && stage.depth) found.push('more is still being found')
  return found.join(', ')
}

/** Of the stages that work on files, the one in front, for a place where there is room for one. */
export function front(stages: readonly Stage[]): Stage | null {
  return stages.find(({ name, depth }) => depth > 0 && (name === 'analyze' || name === 'score')) ?? null
}
