/** Batches: what is known of the ones that were opened, and what the user does with them; each act can be undone. */

import { ALL, elsewhere, keyOf, labelled, pieces, saidBefore, sections, type Labels, type Sections } from './batch.ts'
import { api } from './client.ts'
import { Folded } from './folded.svelte.ts'
import * as format from './format.ts'
import { live } from './live.svelte.ts'
import { direction, unranked } from './ranking.ts'
import type { Source } from './sources.ts'
import type { Timeline } from './timeline.svelte.ts'
import { namedTimeline, renew } from './timelines.ts'
import { complain, say } from './toasts.svelte.ts'
import type { Batch, BatchDetail, Cell, Parameters } from './types.ts'

/** Photos in one call. */
const CALL = 10_000
/** Batches kept, so that going back finds them as they were. */
const KEPT = 4

export class OpenBatch {
  readonly id: string
  /** Groups that are shown as a heading only. */
  readonly folded: Folded
  detail = $state.raw<BatchDetail | null>(null)
  /** Jobs that compute the scores which a ranking waits for, by the group's label. */
  scoring = $state.raw<ReadonlyMap<string, string>>(new Map())
  /** It is being deleted: nothing of it is asked for any more. */
  leaving = false
  /** What a call has answered, for the lists that ask next. */
  #given: BatchDetail | null = null

  constructor(id: string) {
    this.id = id
    this.folded = new Folded(`pixsortd.closed.${id}`)
  }

  /** The photos as a list, by group or all in one run. */
  timeline(grouped: boolean): Timeline {
    return namedTimeline(`batch ${this.id} ${grouped}`, () => source(this.id, grouped))
  }

  /** All of the batch as it is now. Rejects with a Problem. */
  async load(): Promise<BatchDetail> {
    const detail = this.#given ?? (await api.batch(this.id))
    this.detail = detail
    return detail
  }

  /** Take over what a call answered about the whole batch. */
  show(detail: BatchDetail): void {
    this.detail = detail
    this.#given = detail
    this.renew()
    this.#given = null
  }

  /** Take over what a call answered about the batch without its photos. */
  take(batch: Batch): void {
    if (this.detail) this.detail = { ...this.detail, ...batch }
  }

  /** Its lists are fetched again. */
  renew(): void {
    if (this.leaving) return
    const own = [false, true].map((grouped) => this.timeline(grouped))
    renew((list) => own.includes(list))
  }

  /** Put photos into groups by hand. Rejects with a Problem. */
  async label(labels: Labels): Promise<void> {
    for (const piece of pieces(labels, CALL)) this.show(await api.groupBatch(this.id, piece))
  }

  /** A group waits for scores that a job computes, or (null) no longer. */
  wait(label: string, job: string | null): void {
    const scoring = new Map(this.scoring)
    if (job === null) scoring.delete(label)
    else scoring.set(label, job)
    this.scoring = scoring
  }
}

function source(id: string, grouped: boolean): Source {
  let shown: Sections = { items: [], photos: new Map() }
  return {
    async outline() {
      const { images } = await batchOf(id).load()
      shown = sections(images, grouped)
      return { items: shown.items, total: images.length }
    },
    bucket: (key) => Promise.resolve(shown.photos.get(key) ?? []),
    whereabouts(photo) {
      const image = batchOf(id).detail?.images.find((one) => one.id === photo)
      return Promise.resolve(image ? (grouped ? keyOf(image.batch_group) : ALL) : null)
    },
  }
}

const kept = new Map<string, OpenBatch>()

/** One batch; the last few are kept. */
export function batchOf(id: string): OpenBatch {
  const batch = kept.get(id) ?? new OpenBatch(id)
  kept.delete(id)
  kept.set(id, batch)
  for (const old of kept.keys()) if (kept.size > KEPT) kept.delete(old)
  return batch
}

function undo(run: () => Promise<unknown>): { label: string; run: () => void } {
  return { label: 'Undo', run: () => void run().catch((error: unknown) => complain('It could not be undone', error)) }
}

function subject(photos: readonly { name: string }[]): string {
  return photos.length === 1 ? photos[0]!.name : format.plural(photos.length, 'photo')
}

/** Move photos to a group, or (null) to where the analysis says. */
export async function moveTo(batch: OpenBatch, photos: readonly Cell[], label: string | null): Promise<void> {
  const images = batch.detail?.images ?? []
  const ids = elsewhere(images, new Set(photos.map(({ id }) => id)), label)
  const words = label === null ? 'back where the analysis puts them' : `in “${label}”`
  if (!ids.length) return say(`${subject(photos)}: already ${words}`)
  const before = saidBefore(images, ids)
  try {
    await batch.label(labelled(ids, label))
    const moved = photos.filter(({ id }) => ids.includes(id))
    say(`${subject(moved)}: now ${words}`, { seconds: 10, action: undo(() => batch.label(before)) })
  } catch (error) {
    complain('The photos could not be moved', error)
  }
}

/** Call a group something else; where another group is called so, they become one. */
export async function renameGroup(batch: OpenBatch, label: string, name: string): Promise<void> {
  const images = batch.detail?.images ?? []
  const ids = images.filter((image) => image.batch_group === label).map(({ id }) => id)
  if (name === label || !ids.length) return
  const joined = batch.detail?.groups_list.some((group) => group.label === name)
  const before = saidBefore(images, ids)
  try {
    await batch.label(labelled(ids, name))
    say(joined ? `“${label}” is now part of “${name}”` : `“${label}” is now “${name}”`, {
      seconds: 10,
      detail: 'Further analyses keep these photos there.',
      action: undo(() => batch.label(before)),
    })
  } catch (error) {
    complain('The group could not be renamed', error)
  }
}

/** Take photos out of a batch. Answers the ids of those that went. */
export async function takeOut(batch: OpenBatch, photos: readonly Cell[]): Promise<ReadonlySet<string>> {
  const ids = photos.map(({ id }) => id)
  const before = Object.fromEntries(Object.entries(saidBefore(batch.detail?.images ?? [], ids)).filter(([, label]) => label !== null))
  try {
    await inCalls(ids, (some) => api.takeFromBatch(batch.id, some))
    batch.renew()
    const back = async (): Promise<void> => {
      await inCalls(ids, (some) => api.addToBatch(batch.id, some))
      await batch.label(before)
      batch.renew()
    }
    say(`${subject(photos)} taken out of the batch`, { seconds: 10, detail: 'In the library nothing has changed.', action: undo(back) })
    return new Set(ids)
  } catch (error) {
    complain('The photos could not be taken out', error)
    return new Set()
  }
}

async function inCalls(ids: readonly string[], call: (some: readonly string[]) => Promise<Batch>): Promise<Batch | null> {
  let last: Batch | null = null
  for (let at = 0; at < ids.length; at += CALL) last = await call(ids.slice(at, at + CALL))
  return last
}

/** A new batch of some photos. Rejects with a Problem. */
export async function create(name: string, photos: readonly Cell[]): Promise<Batch> {
  const ids = photos.map(({ id }) => id)
  const made = await api.createBatch(name, ids.slice(0, CALL))
  return (await inCalls(ids.slice(CALL), (some) => api.addToBatch(made.id, some))) ?? made
}

/** Put photos into a batch. Answers whether that could be done. */
export async function putInto(batch: Pick<Batch, 'id' | 'name'>, photos: readonly Cell[]): Promise<boolean> {
  const open = batchOf(batch.id)
  try {
    const had = new Set((await open.load()).images.map(({ id }) => id))
    const ids = photos.map(({ id }) => id).filter((id) => !had.has(id))
    await inCalls(ids, (some) => api.addToBatch(batch.id, some))
    open.renew()
    const out = async (): Promise<void> => {
      await inCalls(ids, (some) => api.takeFromBatch(batch.id, some))
      open.renew()
    }
    if (ids.length) say(`${format.plural(ids.length, 'photo')} added to “${batch.name}”`, { seconds: 10, action: undo(out) })
    else say(`“${batch.name}” had them already`)
    return true
  } catch (error) {
    complain('The photos could not be added', error)
    return false
  }
}

export async function rename(batch: Batch, name: string, show: (batch: Batch) => void): Promise<void> {
  if (name === batch.name) return
  show({ ...batch, name })
  try {
    const named = await api.renameBatch(batch.id, name)
    show(named)
    say(`Named “${name}”`, { action: undo(() => rename(named, batch.name, show)) })
  } catch (error) {
    show(batch)
    complain('The batch could not be renamed', error)
  }
}

/** Take a batch off the list. `back` hears of it when that is undone. Answers whether it could be done. */
export async function remove(batch: Batch, back: () => void): Promise<boolean> {
  try {
    await api.deleteBatch(batch.id)
    say(`“${batch.name}” is deleted`, {
      seconds: 10,
      detail: 'Its photos stay in the library.',
      action: undo(async () => {
        await api.restoreBatch(batch.id)
        back()
      }),
    })
    return true
  } catch (error) {
    complain('The batch could not be deleted', error)
    return false
  }
}

/** Form the groups of a batch. Answers the job's id, or null when it could not start. */
export async function analyze(batch: OpenBatch, parameters: Parameters): Promise<string | null> {
  try {
    const job = await api.analyzeBatch(batch.id, parameters)
    live.take(job)
    if (batch.detail) batch.take({ ...batch.detail, status: 'processing', error: null, parameters, job })
    return job.id
  } catch (error) {
    complain('The groups could not be formed', error)
    return null
  }
}

/** Rank groups by a metric; what cannot be ranked yet waits for the job that computes its scores. */
export async function rank(batch: OpenBatch, labels: readonly string[], metric: string): Promise<void> {
  let ties = ''
  let waiting = 0
  try {
    for (const label of labels) {
      const ranking = await api.rankBatch(batch.id, label, metric)
      if (unranked(ranking, live.status?.metrics ?? [])) return
      ties = ranking.ties
      batch.wait(label, ranking.job?.id ?? null)
      if (!ranking.job) continue
      live.take(ranking.job)
      waiting++
    }
    const what = labels.length === 1 ? `“${labels[0]}”` : format.plural(labels.length, 'group')
    const sense = direction(metric, live.status?.metrics ?? [])
    if (waiting) say(`${what}: scores by ${metric} are computed first`, { detail: 'The ranking follows by itself.' })
    else say(`${what} ranked by ${metric}`, { detail: [sense, ties].filter(Boolean).join('; ') })
  } catch (error) {
    complain('It could not be ranked', error)
  }
  batch.renew()
}
