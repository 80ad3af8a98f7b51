import { expect, it } from 'vitest'

import { isActive, name, story } from '../src/lib/jobs.ts'
import type { Job } from '../src/lib/types.ts'

const job: Job = { id: 'j', kind: 'recluster', state: 'running', done: 1, total: 4, error: null, detail: 'reducing', created: 0, started: 0, ended: null, result: {} }

it('tells what a running job does, and what a finished one has done', () => {
  expect([name(job), story(job), isActive(job)]).toEqual(['Regrouping', 'reducing', true])
  const done: Job = { ...job, state: 'complete', detail: 'describing', result: { groups: 3, photos: 1040, grouped: 61, space: 'builtin' } }
  expect([story(done), isActive(done)]).toEqual(['3 groups with 61 of 1,040 photos', false])
  expect(story({ ...done, kind: 'check', result: { damaged: 0, read: 1200 } })).toBe('damaged 0, read 1,200')
  expect(story({ ...done, kind: 'batch', result: { groups: 2, grouped: 9, left_out: 1 } })).toBe('2 groups with 9 photos, 1 photo left out')
  expect(story({ ...done, result: {} })).toBe('')
})

it('tells why a job failed, and where a cancelled one was', () => {
  expect(story({ ...job, state: 'failed', error: 'The disk is full' })).toBe('The disk is full')
  expect(story({ ...job, state: 'cancelled' })).toBe('reducing')
  expect(name({ ...job, kind: 'polish' })).toBe('polish')
})
